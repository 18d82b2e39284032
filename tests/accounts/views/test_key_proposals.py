"""Which key may go when there is no room (F18): an inactive one, then one that nothing uses; never the one in use."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AccessKey, IAMUser
from accounts.views.key_proposals import propose
from tests import factories

NOW = timezone.now()
READ = {"last_used_source": "get_access_key_last_used", "last_used_read_at": NOW}
USES: dict[str, dict[str, Any]] = {
    "unknown": {},
    "never": READ,
    "long ago": {**READ, "last_used_date": NOW - timedelta(days=60)},
    "lately": {**READ, "last_used_date": NOW - timedelta(days=2)},
}


def key(iam_user: IAMUser, use: str, status: str = "Active", **fields: Any) -> AccessKey:
    return factories.access_key(iam_user, status=status, **{**USES[use], **fields})


@pytest.fixture
def iam_user(ledger_reader: IAMUser) -> IAMUser:
    ledger_reader.access_keys.all().delete()
    return ledger_reader


@pytest.mark.parametrize("use", USES)
def test_an_inactive_one_goes_first(iam_user: IAMUser, use: str) -> None:
    inactive, active = key(iam_user, use, "Inactive"), key(iam_user, "never")

    proposal = propose([active, inactive], at=NOW)

    assert proposal.access_key == inactive
    assert "inactive" in proposal.words


def test_one_that_was_in_use_a_moment_ago_is_not_deleted_lightly(iam_user: IAMUser) -> None:
    inactive, active = key(iam_user, "lately", "Inactive"), key(iam_user, "never")

    assert "once nothing has missed it" in propose([active, inactive], at=NOW).words


@pytest.mark.parametrize("use", ["long ago", "lately"])
@pytest.mark.parametrize("is_first", [True, False])
def test_the_one_that_was_never_used_goes_whichever_is_older(iam_user: IAMUser, use: str, is_first: bool) -> None:
    made = NOW - timedelta(days=100 if is_first else 1)
    never, used = key(iam_user, "never", create_date=made), key(iam_user, use)

    proposal = propose([used, never], at=NOW)

    assert proposal.access_key == never
    assert str(used) in proposal.words


def test_the_one_that_nothing_used_for_long_goes(iam_user: IAMUser) -> None:
    long_ago, lately = key(iam_user, "long ago"), key(iam_user, "lately")

    proposal = propose([lately, long_ago], at=NOW)

    assert (proposal.access_key, "60 days" in proposal.words) == (long_ago, True)


def test_of_two_in_use_none_is_proposed(iam_user: IAMUser) -> None:
    proposal = propose([key(iam_user, "lately"), key(iam_user, "lately")], at=NOW)

    assert proposal.access_key is None
    assert "none is proposed" in proposal.words


def test_what_is_not_known_is_not_taken_for_unused(iam_user: IAMUser) -> None:
    proposal = propose([key(iam_user, "unknown"), key(iam_user, "lately")], at=NOW)

    assert proposal.access_key is None
    assert "Refresh now" in proposal.words


def test_of_three_the_least_used_goes(iam_user: IAMUser) -> None:
    keys = [key(iam_user, use) for use in ("lately", "never", "long ago")]

    assert propose(keys, at=NOW).access_key == keys[1]


def test_an_active_key_is_never_proposed_while_it_is_the_only_one_used(iam_user: IAMUser) -> None:
    made = {(use, status): key(iam_user, use, status) for use in USES for status in ("Active", "Inactive")}
    triples = [[made[each] for each in three] for three in product(made, repeat=3)]
    for keys in (keys for keys in triples if len(set(keys)) == 3):
        used = [each for each in keys if each.last_used_date and each.status == "Active"]
        proposed = propose(keys, at=NOW).access_key
        assert len(used) != 1 or proposed != used[0], keys
