"""Tags that AWS holds and nobody would type must not make a form do what nobody asked (A38)."""

import pytest
from django.urls import reverse

from accounts.models import IAMUser, Person
from portal.ledger.models import Entry
from tests.accounts.views.conftest import Enter


def shown(enter: Enter, person: Person, iam_user: IAMUser) -> str:
    """What the dialog has in its field before anybody types."""
    answer = enter(person).get(reverse("tag_iam_user", args=[iam_user.pk]))
    return str(answer.context["form"]["tags"].field.prepare_value(answer.context["form"]["tags"].initial))


@pytest.mark.parametrize(
    "tags",
    [
        {"aws:cloudformation:stack-name": "base", "stage": "prod"},
        {"Gatehouse:Entry": "b7c5a1de-0000-4000-8000-000000000001", "stage": "prod"},
        {"a=b": "c", "stage": "prod"},
        {"a=b": "c=d", "stage": "prod"},
    ],
)
def test_what_is_added_below_is_all_that_is_decided(
    enter: Enter, olive: Person, ledger_reader: IAMUser, tags: dict[str, str]
) -> None:
    ledger_reader.tags = tags
    ledger_reader.save()
    sent = {"tags": shown(enter, olive, ledger_reader) + "\r\nteam = core"}

    answer = enter(olive).post(reverse("tag_iam_user", args=[ledger_reader.pk]), sent)

    assert answer.status_code == 302
    details = Entry.objects.get().details
    assert (details["put"], details["removed"]) == ([{"key": "team", "value": "core"}], [])


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x0b"])
def test_a_value_does_not_become_a_second_tag(enter: Enter, olive: Person, ledger_reader: IAMUser, end: str) -> None:
    ledger_reader.tags = {"stage": f"prod{end}team = platform"}
    ledger_reader.save()
    sent = {"tags": shown(enter, olive, ledger_reader)}

    answer = enter(olive).post(reverse("tag_iam_user", args=[ledger_reader.pk]), sent)

    assert answer.status_code == 200
    assert not Entry.objects.exists()
