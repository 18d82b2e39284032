"""How old an organization's access keys may become."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import access
from accounts.kinds import Kind
from accounts.models import AccessKey, Account, Duty, Organization, Person
from accounts.usecases.rotation_rule import set_rotation_rule
from portal.ledger.models import Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def adam(acme: Organization) -> Person:
    """Admin of Acme."""
    return factories.member("adam@acme.test", Duty.ADMIN, of=acme)


@pytest.mark.parametrize("who", ["olive", "adam"])
def test_it_is_set_with_an_entry(request: pytest.FixtureRequest, who: str, acme: Organization) -> None:
    by = request.getfixturevalue(who)

    set_rotation_rule(by=by, organization=acme, rotate_after_days=45, at=AT, reason="Audit")

    acme.refresh_from_db()
    assert acme.rotate_after_days == 45
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.reason) == (Kind.ROTATION_RULE_SET, str(by.pk), "Audit")
    assert entry.details == {"rotate_after_days": 45, "before": 90}
    assert not entry.deliveries.exists()


@pytest.mark.parametrize("days", [1, 365])
def test_the_bounds_themselves_are_taken(olive: Person, acme: Organization, days: int) -> None:
    assert set_rotation_rule(by=olive, organization=acme, rotate_after_days=days, at=AT).rotate_after_days == days


@pytest.mark.parametrize(
    ("days", "words"), [(0, "from 1 to 365"), (-1, "from 1 to 365"), (366, "from 1 to 365"), (90, "the rule already")]
)
def test_what_is_no_rule_leaves_nothing(olive: Person, acme: Organization, days: int, words: str) -> None:
    with pytest.raises(ValidationError, match=words), transaction.atomic():
        set_rotation_rule(by=olive, organization=acme, rotate_after_days=days, at=AT)

    acme.refresh_from_db()
    assert acme.rotate_after_days == 90
    assert not Entry.objects.exists()


@pytest.mark.parametrize("who", ["lena", "hugo", "ada", "mia"])
def test_nobody_else_sets_it(request: pytest.FixtureRequest, who: str, acme: Organization) -> None:
    with pytest.raises(access.NotAllowed):
        set_rotation_rule(by=request.getfixturevalue(who), organization=acme, rotate_after_days=45, at=AT)

    assert not Entry.objects.exists()


def test_another_organizations_is_not_there(oskar: Person, acme: Organization) -> None:
    with pytest.raises(access.NotThere):
        set_rotation_rule(by=oskar, organization=acme, rotate_after_days=45, at=AT)


@pytest.mark.parametrize("days", [0, 366])
def test_the_database_holds_the_bounds_too(acme: Organization, days: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=acme.pk).update(rotate_after_days=days)


def test_what_is_overdue_follows_each_organizations_own_rule(
    acme: Organization, globex: Organization, acme_prod: Account, globex_main: Account
) -> None:
    made = AT - timedelta(days=60)
    ours = factories.access_key(factories.iam_user(acme_prod, "ours"), create_date=made)
    factories.access_key(factories.iam_user(globex_main, "theirs"), create_date=made)
    factories.access_key(ours.iam_user, create_date=made, status="Inactive")
    Organization.objects.filter(pk=acme.pk).update(rotate_after_days=45)
    acme.refresh_from_db()

    assert list(AccessKey.objects.overdue(of=acme, at=AT)) == [ours]
    assert list(AccessKey.objects.overdue(of=globex, at=AT)) == []
    assert (ours.is_overdue(after_days=45, at=AT), ours.is_overdue(after_days=60, at=AT)) == (True, False)
