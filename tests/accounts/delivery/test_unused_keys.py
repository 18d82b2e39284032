"""A key that was to be made inactive because nobody uses it stays active where AWS shows a use after all."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AccessKey, Person
from accounts.usecases.access_keys import make_unused_key_inactive
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests.accounts.carrying import deliver_until_quiet
from tests.accounts.delivery.test_rotation import NAME, old_key, statuses, use
from tests.aws.server import AWS

__all__ = ["old_key"]


@pytest.fixture
def unused(old_key: AccessKey) -> AccessKey:
    """Made long ago and never used, as the portal last read it."""
    now = database_now()
    AccessKey.objects.filter(pk=old_key.pk).update(
        create_date=now - timedelta(days=100), last_used_source="credential_report", last_used_read_at=now
    )
    old_key.refresh_from_db()
    return old_key


def test_it_is_inactive_where_aws_shows_no_use(iam: Any, unused: AccessKey, lena: Person) -> None:
    make_unused_key_inactive(by=lena, access_key=unused, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    unused.refresh_from_db()
    assert (unused.status, statuses(iam)) == ("Inactive", {unused.access_key_id: "Inactive"})


def test_it_stays_active_where_it_was_used_meanwhile(aws: AWS, iam: Any, unused: AccessKey, lena: Person) -> None:
    make_unused_key_inactive(by=lena, access_key=unused, at=database_now())
    use(aws, unused, hours_ago=1)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "outdated")
    assert "so it was left active" in delivery.error
    assert statuses(iam) == {unused.access_key_id: "Active"}


def test_a_use_of_long_ago_keeps_it_not(aws: AWS, iam: Any, unused: AccessKey, lena: Person) -> None:
    make_unused_key_inactive(by=lena, access_key=unused, at=database_now())
    use(aws, unused, hours_ago=46 * 24)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert statuses(iam) == {unused.access_key_id: "Inactive"}


def test_one_that_is_gone_is_told_as_gone(iam: Any, unused: AccessKey, lena: Person) -> None:
    make_unused_key_inactive(by=lena, access_key=unused, at=database_now())
    iam.delete_access_key(UserName=NAME, AccessKeyId=unused.access_key_id)

    assert deliver_until_quiet().state == Delivery.State.DONE
    unused.refresh_from_db()
    assert unused.gone_at is not None
