"""Deciding how fast one AWS account is called."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts import access
from accounts.delivery.held import door_of
from accounts.kinds import Kind
from accounts.models import Account, Person
from accounts.usecases.accounts import set_pace
from portal.ledger.models import Entry
from tests.accounts.views.conftest import enter

__all__ = ["enter"]

pytestmark = pytest.mark.usefixtures("envelope")


def test_the_door_has_the_accounts_own_pace(olive: Person, acme_prod: Account) -> None:
    set_pace(by=olive, account=acme_prod, calls_per_second=3, calls_burst=None, at=timezone.now())

    acme_prod.refresh_from_db()
    assert (door_of(acme_prod).calls_per_second, door_of(acme_prod).calls_burst) == (3, None)
    assert Entry.objects.get(kind=Kind.ACCOUNT_PACE_SET).details["calls_per_second"] == 3


@pytest.mark.parametrize("who", ["lena", "hugo", "ada"])
def test_those_without_the_duty_are_refused(request: pytest.FixtureRequest, acme_prod: Account, who: str) -> None:
    with pytest.raises(access.NotAllowed):
        set_pace(
            by=request.getfixturevalue(who), account=acme_prod, calls_per_second=3, calls_burst=3, at=timezone.now()
        )

    assert not Entry.objects.exists()


def test_it_does_not_exist_for_another_organization(oskar: Person, acme_prod: Account) -> None:
    with pytest.raises(access.NotThere):
        set_pace(by=oskar, account=acme_prod, calls_per_second=3, calls_burst=3, at=timezone.now())


def test_a_pace_of_nothing_is_refused(olive: Person, acme_prod: Account) -> None:
    with pytest.raises(ValidationError):
        set_pace(by=olive, account=acme_prod, calls_per_second=0, calls_burst=None, at=timezone.now())

    acme_prod.refresh_from_db()
    assert acme_prod.calls_per_second is None
    assert not Entry.objects.exists()


def test_the_dialog_sets_it_and_the_page_says_it(enter: object, olive: Person, acme_prod: Account) -> None:
    client = enter(olive)  # type: ignore[operator]

    client.post(reverse("set_pace", args=[acme_prod.pk]), {"calls_per_second": "4", "calls_burst": ""})

    assert "4 calls per second" in client.get(reverse("account", args=[acme_prod.pk])).content.decode()
    assert client.post(reverse("set_pace", args=[acme_prod.pk]), {"calls_per_second": "0"}).status_code == 200
