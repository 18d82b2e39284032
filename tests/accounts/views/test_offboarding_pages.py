"""The plan of an offboarding, its page, undoing it, and the list."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Duty, IAMUser, Membership, Offboarding, Person, Team
from accounts.usecases.offboarding import offboard_person, undo_offboarding
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

FIELDS = {"when": "later", "reason": "Leaves the company"}


@pytest.fixture
def begun(olive: Person, ledger_reader: IAMUser, mia: Person) -> Offboarding:
    return offboard_person(
        by=olive, organization=ledger_reader.organization, person=mia, reason="Leaves", at=timezone.now()
    )


@pytest.fixture
def shop(acme_prod: Account, payments: Team, mia: Person) -> IAMUser:
    """An application that Mia owns, with an active key."""
    row = factories.iam_user(acme_prod, "shop", team=payments, owner=mia, kind="application", purpose="Sells")
    factories.access_key(row, access_key_id="AKIASHOP000000000001")
    return row


def text(client: Client, name: str, *arguments: object) -> str:
    answer = client.get(reverse(name, args=arguments))
    assert answer.status_code == 200
    return answer.content.decode()


# The plan


def test_the_plan_says_what_will_happen_where_and_what_cannot_be_undone(
    enter: Enter, olive: Person, mia: Person, ledger_reader: IAMUser, shop: IAMUser
) -> None:
    page = text(enter(olive), "offboard_person", mia.pk)

    for words in (
        "Offboard Mia",
        "ledger-reader",
        "in acme-prod",
        "1 active key, console password",
        "A password cannot be brought back",
        "Member of Payments",
        "These need another owner",
        "AKIASHOP000000000001",
        "After 7 days",
        "At once",
        "Until then it can be undone. What is deleted cannot be brought back.",
        'data-kind="danger"',
    ):
        assert words in page, words


def test_it_asks_for_a_fresh_sign_in(enter: Enter, olive: Person, mia: Person, begun: Offboarding) -> None:
    somebody = factories.member("max@acme.test", Duty.MEMBER, of=begun.organization)
    olive.set_password("correct horse battery")
    olive.save()
    for address in (reverse("offboard_person", args=[somebody.pk]), reverse("undo_offboarding", args=[begun.pk])):
        for method in ("get", "post"):
            answer = getattr(enter(olive), method)(address, FIELDS)
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert Offboarding.objects.get().state == "started"


@pytest.mark.parametrize(("when", "state"), [("later", "started"), ("now", "deleting")])
def test_offboarding_leads_to_its_page(
    enter: Enter, olive: Person, mia: Person, ledger_reader: IAMUser, when: str, state: str
) -> None:
    answer = enter(olive).post(reverse("offboard_person", args=[mia.pk]), FIELDS | {"when": when})

    begun = Offboarding.objects.get()
    assert answer["Location"] == reverse("offboarding", args=[begun.pk])
    assert (begun.state, begun.person, begun.begun_by, begun.reason) == (state, mia, olive, "Leaves the company")
    delay = timedelta(days=settings.OFFBOARDING_DAYS) if when == "later" else timedelta()
    assert begun.delete_after - begun.begun_at == delay


@pytest.mark.parametrize("fields", [{"reason": ""}, {"when": "never"}, {"when": ""}])
def test_bad_input_is_said_at_the_field_and_nothing_is_done(
    enter: Enter, olive: Person, mia: Person, fields: dict[str, str]
) -> None:
    answer = enter(olive).post(reverse("offboard_person", args=[mia.pk]), FIELDS | fields)

    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == set(fields)
    assert not Offboarding.objects.exists()


@pytest.mark.parametrize(
    ("who", "status"), [("olive", 200), ("lena", 200), ("hugo", 403), ("ada", 403), ("mia", 403), ("oskar", 404)]
)
def test_who_may_see_the_plan(
    request: pytest.FixtureRequest, enter: Enter, mia: Person, core: Team, who: str, status: int
) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(reverse("offboard_person", args=[mia.pk])).status_code == status


def test_the_plan_of_a_lead_shows_nothing_of_other_teams_and_offers_nothing(
    enter: Enter, lena: Person, mia: Person, ledger_reader: IAMUser, acme_dev: Account, platform: Team
) -> None:
    factories.iam_user(acme_dev, "secret-name", team=platform, owner=mia)
    client = enter(lena)

    page = text(client, "offboard_person", mia.pk)

    assert "secret-name" not in page
    assert "An owner or admin has to decide it" in page
    assert 'data-kind="danger"' not in page
    assert client.post(reverse("offboard_person", args=[mia.pk]), FIELDS).status_code == 200
    assert not Offboarding.objects.exists()


def test_who_is_being_offboarded_already_is_shown(enter: Enter, olive: Person, mia: Person, begun: Offboarding) -> None:
    answer = enter(olive).get(reverse("offboard_person", args=[mia.pk]))

    assert answer["Location"] == reverse("offboarding", args=[begun.pk])


@pytest.mark.parametrize(("who", "offers"), [("olive", True), ("lena", True), ("hugo", False), ("mia", False)])
def test_an_iam_users_page_offers_it_to_those_who_may(
    request: pytest.FixtureRequest, enter: Enter, ledger_reader: IAMUser, mia: Person, who: str, offers: bool
) -> None:
    page = text(enter(request.getfixturevalue(who)), "iam_user", ledger_reader.pk)

    assert (reverse("offboard_person", args=[mia.pk]) in page) is offers


def test_and_says_that_it_is_begun(enter: Enter, olive: Person, ledger_reader: IAMUser, begun: Offboarding) -> None:
    page = text(enter(olive), "iam_user", ledger_reader.pk)

    assert f'<a href="{reverse("offboarding", args=[begun.pk])}">Being offboarded</a>' in page


# Its page


def test_the_page_polls_until_it_settles(enter: Enter, olive: Person, begun: Offboarding) -> None:
    client = enter(olive)

    page = text(client, "offboarding", begun.pk)
    assert reverse("offboarding_progress", args=[begun.pk]) in page
    assert "Disable IAM user" in page
    assert "Pending" in page

    Delivery.objects.update(state="done", done_at=timezone.now())
    part = text(client, "offboarding_progress", begun.pk)
    assert "hx-get" not in part
    assert "<html" not in part
    assert "Disabled" in part


def test_what_is_stuck_says_why_and_leads_to_try_again(enter: Enter, olive: Person, begun: Offboarding) -> None:
    Delivery.objects.update(state="stuck", stuck_kind="denied", error="AWS denied PutUserPolicy: not allowed.")
    page = text(enter(olive), "offboarding", begun.pk)

    assert "Stuck: AWS denied it" in page
    assert "AWS denied PutUserPolicy: not allowed." in page
    assert reverse("delivery", args=[Delivery.objects.get().pk]) in page
    assert "hx-get" not in page


def test_after_a_quarter_of_an_hour_it_is_an_alarm_here_and_at_home(
    enter: Enter, olive: Person, lena: Person, begun: Offboarding
) -> None:
    assert "after 15 minutes" not in text(enter(olive), "offboarding", begun.pk)
    assert "after 15 minutes" not in text(enter(olive), "home")

    began = begun.begun_at - timedelta(minutes=16)
    Offboarding.objects.update(begun_at=began)

    assert "AWS has not done all of it after 15 minutes" in text(enter(olive), "offboarding", begun.pk)
    home = text(enter(olive), "home")
    assert "AWS has not done all of it after 15 minutes" in home
    assert reverse("offboarding", args=[begun.pk]) in home
    assert "Not arrived in AWS" in text(enter(olive), "offboardings")
    assert "after 15 minutes" not in text(enter(lena), "home")


def test_an_application_needs_another_owner_until_it_has_one(
    enter: Enter, olive: Person, mia: Person, shop: IAMUser, begun: Offboarding
) -> None:
    assert "Needs another owner" in text(enter(olive), "offboarding", begun.pk)

    # An import hears a tag of somebody who left no more.
    IAMUser.objects.filter(pk=shop.pk).update(owner=None)
    assert "Needs another owner" in text(enter(olive), "offboarding", begun.pk)

    IAMUser.objects.filter(pk=shop.pk).update(owner=olive)
    assert "Has an owner" in text(enter(olive), "offboarding", begun.pk)


@pytest.mark.parametrize(
    ("who", "status"), [("olive", 200), ("lena", 200), ("hugo", 200), ("ada", 200), ("oskar", 404)]
)
def test_who_sees_it(
    request: pytest.FixtureRequest, enter: Enter, core: Team, begun: Offboarding, who: str, status: int
) -> None:
    client = enter(request.getfixturevalue(who))

    for name in ("offboarding", "offboarding_progress", "offboarding_proof", "offboarding_proof_facts"):
        assert client.get(reverse(name, args=[begun.pk])).status_code == status


def test_a_member_and_the_lead_of_another_team_do_not(enter: Enter, begun: Offboarding, platform: Team) -> None:
    max_ = factories.member("max@acme.test", Duty.MEMBER, of=begun.organization, team=platform)
    lea = factories.member("lea@acme.test", Duty.LEAD, of=begun.organization, team=platform)

    assert enter(max_).get(reverse("offboardings")).status_code == 403
    assert enter(lea).get(reverse("offboarding", args=[begun.pk])).status_code == 404
    assert "Mia" not in text(enter(lea), "offboardings")


def test_the_list_says_how_far_each_is(enter: Enter, olive: Person, begun: Offboarding) -> None:
    page = text(enter(olive), "offboardings")

    assert "Mia" in page
    assert "Disabled until deleted" in page
    assert reverse("offboarding", args=[begun.pk]) in page


def test_the_empty_list_says_how_to_begin(enter: Enter, olive: Person) -> None:
    assert "Begin on the page of one of their IAM users" in text(enter(olive), "offboardings")


# Undo


def test_an_application_of_somebody_who_stays_needs_no_other_owner(
    enter: Enter, olive: Person, shop: IAMUser, begun: Offboarding
) -> None:
    undo_offboarding(by=olive, offboarding=begun, reason="Stays", at=timezone.now())

    assert "Needs another owner" not in text(enter(olive), "offboarding", begun.pk)


def test_undoing_says_what_comes_back_and_what_does_not(
    enter: Enter, olive: Person, mia: Person, begun: Offboarding
) -> None:
    client = enter(olive)

    page = text(client, "undo_offboarding", begun.pk)
    assert "AKIALEDGERREADER0001" in page
    assert "Make a new one under Console access" in page

    answer = client.post(reverse("undo_offboarding", args=[begun.pk]), {"reason": "Stays"})
    assert answer["Location"] == reverse("offboarding", args=[begun.pk])
    begun.refresh_from_db()
    assert begun.state == "undone"
    assert Membership.objects.active().of(mia).exists()


def test_when_it_is_too_late_it_says_so(enter: Enter, olive: Person, begun: Offboarding) -> None:
    Offboarding.objects.update(state="deleting", deletion_decided_at=timezone.now())
    client, entries = enter(olive), Entry.objects.count()

    assert "Undo</a>" not in text(client, "offboarding", begun.pk)
    answer = client.post(reverse("undo_offboarding", args=[begun.pk]), {"reason": "Stays"}, follow=True)
    assert "cannot be undone any more" in answer.content.decode()
    assert Entry.objects.count() == entries


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_who_only_looks_is_not_offered_it_and_may_not(
    request: pytest.FixtureRequest, enter: Enter, begun: Offboarding, who: str
) -> None:
    client = enter(request.getfixturevalue(who))

    assert reverse("undo_offboarding", args=[begun.pk]) not in text(client, "offboarding", begun.pk)
    for name in ("undo_offboarding", "read_offboarding_again"):
        assert client.post(reverse(name, args=[begun.pk]), {"reason": "Why not"}).status_code == 403
    begun.refresh_from_db()
    assert begun.state == "started"
