"""Deciding how fast one AWS account is called."""

from typing import Any

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
from tests.accounts.views.conftest import Enter, enter

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


def test_the_pace_that_it_has_is_not_decided_again(olive: Person, acme_prod: Account) -> None:
    set_pace(by=olive, account=acme_prod, calls_per_second=3, calls_burst=None, at=timezone.now())

    with pytest.raises(ValidationError, match="This is the pace that it has"):
        set_pace(by=olive, account=acme_prod, calls_per_second=3, calls_burst=None, at=timezone.now())
    assert Entry.objects.count() == 1


def test_the_entry_says_what_was_there_before_and_not_what_a_page_remembers(olive: Person, acme_prod: Account) -> None:
    remembered = Account.objects.get(pk=acme_prod.pk)
    set_pace(by=olive, account=acme_prod, calls_per_second=3, calls_burst=None, at=timezone.now())

    set_pace(by=olive, account=remembered, calls_per_second=5, calls_burst=None, at=timezone.now())

    last = Entry.objects.order_by("sequence").last()
    assert last is not None
    assert last.details["before"] == {"calls_per_second": 3, "calls_burst": None}


@pytest.fixture
def usual(settings: Any) -> None:
    """The pace of an account that has none of its own."""
    settings.AWS_CALLS_PER_SECOND, settings.AWS_CALLS_BURST = 10.0, 20


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({}, "10 calls per second, 20 at once, as usual"),
        ({"calls_per_second": 1}, "1 call per second, 20 at once"),
        ({"calls_burst": 7}, "10 calls per second, 7 at once"),
    ],
)
def test_the_page_says_the_figures_also_where_they_are_the_usual_ones(
    enter: Enter, ada: Person, acme_prod: Account, own: dict[str, int], words: str
) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(**own)

    assert f"<dd>{words}</dd>" in enter(ada).get(reverse("account", args=[acme_prod.pk])).content.decode()


@pytest.mark.usefixtures("usual")
def test_the_dialog_says_what_the_usual_is(enter: Enter, olive: Person, acme_prod: Account) -> None:
    text = enter(olive).get(reverse("set_pace", args=[acme_prod.pk])).content.decode()

    assert "Empty for the usual 10." in text
    assert "Empty for the usual 20." in text


def test_its_entry_is_written_in_words(enter: Enter, olive: Person, acme_prod: Account) -> None:
    set_pace(by=olive, account=acme_prod, calls_per_second=3, calls_burst=None, at=timezone.now())

    text = enter(olive).get(reverse("entry", args=[Entry.objects.get().pk])).content.decode()

    assert "Calls burst: none; Calls per second: none" in text


def test_the_dialog_sets_it_and_the_page_says_it(enter: Enter, olive: Person, acme_prod: Account) -> None:
    client = enter(olive)

    client.post(reverse("set_pace", args=[acme_prod.pk]), {"calls_per_second": "4", "calls_burst": ""})

    assert "4 calls per second" in client.get(reverse("account", args=[acme_prod.pk])).content.decode()
    assert client.post(reverse("set_pace", args=[acme_prod.pk]), {"calls_per_second": "0"}).status_code == 200
