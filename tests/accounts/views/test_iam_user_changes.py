"""The dialogs that change an IAM user, and the page that deletes one."""

import pytest
from django.urls import reverse

from accounts.kinds import Kind
from accounts.models import Account, IAMGroup, IAMUser, Person
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


def test_tags_are_decided_and_the_page_is_shown_again(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    answer = enter(lena).post(reverse("tag_iam_user", args=[ledger_reader.pk]), {"tags": "cost-center = 1\nenv = prod"})

    assert answer.headers["Location"] == reverse("iam_user", args=[ledger_reader.pk])
    entry = Entry.objects.get(kind=Kind.IAM_USER_TAGGED)
    assert entry.details["put"] == [{"key": "cost-center", "value": "1"}, {"key": "env", "value": "prod"}]


def test_the_tag_form_starts_with_the_tags_that_it_has(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    text = enter(lena).get(reverse("tag_iam_user", args=[ledger_reader.pk])).content.decode()

    assert "cost-center = 4711" in text


def test_unchanged_tags_are_refused_in_words(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    answer = enter(lena).post(reverse("tag_iam_user", args=[ledger_reader.pk]), {"tags": "cost-center = 4711"})

    assert "These are the tags that it has" in answer.content.decode()
    assert not Entry.objects.exists()


def test_a_group_of_the_envelope_can_be_added(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    ledger_reader.group_memberships.all().delete()

    enter(lena).post(reverse("add_to_group", args=[ledger_reader.pk]), {"groups": "ledger-writers"})

    assert Entry.objects.get().details["group"] == "ledger-writers"


def test_a_group_outside_the_envelope_is_no_choice(
    enter: Enter, lena: Person, ledger_reader: IAMUser, administrators: IAMGroup
) -> None:
    client, address = enter(lena), reverse("add_to_group", args=[ledger_reader.pk])

    assert "administrators" not in client.get(address).content.decode()
    assert "Select a valid choice" in client.post(address, {"groups": "administrators"}).content.decode()
    assert not Entry.objects.exists()


def test_a_group_can_be_taken_away(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    membership = ledger_reader.group_memberships.get()

    enter(lena).post(reverse("remove_from_group", args=[ledger_reader.pk, membership.pk]), {"reason": "Not needed"})

    entry = Entry.objects.get()
    assert (entry.kind, entry.details["group"], entry.reason) == (
        Kind.IAM_USER_REMOVED_FROM_GROUP,
        "ledger-writers",
        "Not needed",
    )


def test_another_users_membership_is_not_found(
    enter: Enter, olive: Person, ledger_reader: IAMUser, platform_robot: IAMUser
) -> None:
    membership = ledger_reader.group_memberships.get()

    answer = enter(olive).post(reverse("remove_from_group", args=[platform_robot.pk, membership.pk]))

    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["tag_iam_user", "add_to_group", "delete_iam_user"])
@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, ledger_reader: IAMUser, who: str, name: str
) -> None:
    client, address = enter(request.getfixturevalue(who)), reverse(name, args=[ledger_reader.pk])

    assert client.get(address).status_code == 403
    assert client.post(address, {"tags": "", "groups": "ledger-writers", "reason": "x"}).status_code == 403
    assert not Entry.objects.exists()


def test_the_deletion_says_what_will_go(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    text = enter(lena).get(reverse("delete_iam_user", args=[ledger_reader.pk])).content.decode()

    assert "AKIALEDGERREADER0001" in text
    assert "cannot be brought back" in text
    assert "Delete IAM user ledger-reader" in text


def test_deleting_needs_a_reason(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    enter(lena).post(reverse("delete_iam_user", args=[ledger_reader.pk]), {"reason": " "})

    assert not Entry.objects.exists()


def test_deleting_is_decided_with_its_reason(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    enter(lena).post(reverse("delete_iam_user", args=[ledger_reader.pk]), {"reason": "Left the company"})

    entry = Entry.objects.get()
    assert (entry.kind, entry.reason, entry.by_name) == (Kind.IAM_USER_DELETED, "Left the company", "Lena")


def test_deleting_asks_whoever_has_a_password_to_sign_in_again(
    enter: Enter, lena: Person, ledger_reader: IAMUser
) -> None:
    lena.set_password("correct horse battery")
    lena.save()

    answer = enter(lena).post(reverse("delete_iam_user", args=[ledger_reader.pk]), {"reason": "Left"})

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not Entry.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("hugo", 403), ("oskar", 404)])
def test_whoever_may_not_delete_is_not_asked_to_sign_in_again_for_it(
    request: pytest.FixtureRequest, enter: Enter, ledger_reader: IAMUser, who: str, status: int
) -> None:
    person = request.getfixturevalue(who)
    person.set_password("correct horse battery")
    person.save()

    assert enter(person).get(reverse("delete_iam_user", args=[ledger_reader.pk])).status_code == status


def test_a_user_that_is_not_in_aws_yet_offers_no_change(enter: Enter, lena: Person, acme_prod: Account) -> None:
    iam_user = factories.undelivered_iam_user(acme_prod, "half-made", team=lena.membership_set.get().team)

    text = enter(lena).get(reverse("iam_user", args=[iam_user.pk])).content.decode()

    assert "Delete IAM user" not in text
