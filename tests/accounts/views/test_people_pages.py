"""People, their duties and their invitations: who sees and does what, with which sign-in, and what more fields do."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Duty, IAMUser, Invitation, Membership, Organization, Person, Team
from accounts.usecases.memberships import grant_duty
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

PASSWORD = "correct horse battery staple"


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def fresh(enter: Enter, olive: Person) -> Client:
    """Olive's browser, in which she has just said her password again."""
    olive.set_password(PASSWORD)
    olive.save()
    client = enter(olive)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def of(person: Person) -> Membership:
    return Membership.objects.get(person=person)


# The list


def test_the_list_says_who_does_what_and_was_last_here(
    enter: Enter, olive: Person, lena: Person, mia: Person, oskar: Person
) -> None:
    Person.objects.filter(pk=mia.pk).update(is_active=False)
    factories.membership(lena, Duty.AUDITOR, of=of(lena).organization)

    page = text(enter(olive).get(reverse("people")))

    assert "Lead of Payments, Auditor" in page
    assert "Disabled" in page
    assert "Never here yet" in page
    assert "oskar@globex.test" not in page


@pytest.mark.parametrize(
    ("asked", "names"),
    [("q=LENA", ["Lena"]), ("q=mia@acme", ["Mia"]), ("duty=owner", ["Olive"]), ("q=zzz", []), ("duty=zzz", None),
     ("q=%00", None), ("q=" + "x" * 300, None), ("sort=-name", ["Olive", "Mia", "Lena"])],
)  # fmt: skip
def test_the_list_is_narrowed(
    enter: Enter, olive: Person, lena: Person, mia: Person, asked: str, names: list[str] | None
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = enter(olive).get(f"{reverse('people')}?{asked}", headers=headers)

        assert answer.status_code == 200
        if names is not None:
            assert [row.record.name for row in answer.context["table"].page.object_list] == names


def test_a_lead_sees_the_people_of_the_team_and_another_teams_do_not_exist(
    enter: Enter, lena: Person, mia: Person, hugo: Person, platform: Team, acme: Organization
) -> None:
    other = factories.member("paul@acme.test", Duty.MEMBER, of=acme, team=platform)
    factories.membership(mia, Duty.MEMBER, of=acme, team=platform)
    client = enter(lena)

    page = text(client.get(reverse("people")))

    assert "mia@acme.test" in page
    assert "Platform" not in page
    for stranger in (other, hugo):
        assert stranger.email not in page
        assert client.get(reverse("person", args=[stranger.pk])).status_code == 404


def test_a_member_has_no_such_pages(enter: Enter, mia: Person) -> None:
    client = enter(mia)

    for name in ("people", "invitations", "invite_person", "teams", "create_team"):
        assert client.get(reverse(name)).status_code == 403, name
    assert "People" not in text(client.get(reverse("home"))).split("</nav>")[0]


def test_the_list_takes_a_fixed_number_of_queries(enter: Enter, olive: Person, acme: Organization) -> None:
    client = enter(olive)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse("people")).status_code == 200
            assert client.get(reverse("teams")).status_code == 200
        return len(seen)

    def more(number: int) -> None:
        team = factories.team(acme, f"Team{number}")
        factories.member(f"person{number}@acme.test", Duty.LEAD, of=acme, team=team)
        factories.invitation(acme, f"guest{number}@acme.test", by=olive, team=team)

    more(0)
    few = queries()
    for number in range(1, 12):
        more(number)

    assert queries() == few


def test_names_are_shown_as_they_are(enter: Enter, olive: Person, acme: Organization) -> None:
    for number, name in enumerate(["<script>alert(1)</script>", "{0.__class__}", "{{ 7|add:7 }}", "%(x)s"]):
        factories.member(f"evil{number}@acme.test", Duty.MEMBER, of=acme, name=name)

    page = text(enter(olive).get(reverse("people")))

    assert "<script>alert" not in page
    for shown in ("&lt;script&gt;alert(1)", "{0.__class__}", "{{ 7|add:7 }}", "%(x)s"):
        assert shown in page


# One person


def test_the_page_of_a_person_shows_duties_iam_users_and_history(
    enter: Enter, olive: Person, mia: Person, acme: Organization, ledger_reader: IAMUser, platform_robot: IAMUser,
    globex_main: Account,
) -> None:  # fmt: skip
    IAMUser.objects.filter(pk=platform_robot.pk).update(owner=mia)
    factories.iam_user(globex_main, "bait-robot", owner=mia)
    grant_duty(by=olive, organization=acme, person=mia, duty="auditor", at=timezone.now(), reason="The audit")

    page = text(enter(olive).get(reverse("person", args=[mia.pk])))

    for words in ("Member of Payments", "ledger-reader", "platform-robot", "acme-dev", "Add duty", "The audit"):
        assert words in page
    assert "bait-robot" not in page


def test_of_a_person_of_two_organizations_each_shows_its_own(
    enter: Enter, olive: Person, oskar: Person, mia: Person, acme: Organization, globex: Organization
) -> None:
    factories.membership(mia, Duty.ADMIN, of=globex)
    factories.membership(oskar, Duty.HELPDESK, of=acme)
    address = reverse("person", args=[mia.pk])

    at_acme = text(enter(olive).get(address))
    client = enter(oskar)
    first = text(client.get(address))
    client.post(reverse("switch_organization", args=["globex"]))
    second = text(client.get(address))

    for page in (at_acme, first):
        assert "Member of Payments" in page
        assert "<b>Admin</b>" not in page
    assert "<b>Admin</b>" in second
    assert "Payments" not in second


def test_a_person_of_two_organizations_has_the_duty_of_each_in_it(
    enter: Enter, olive: Person, globex: Organization, oskar: Person, lena: Person
) -> None:
    factories.membership(olive, Duty.MEMBER, of=globex)
    client = enter(olive)
    assert client.get(reverse("people")).status_code == 200

    client.post(reverse("switch_organization", args=["globex"]))

    assert client.get(reverse("people")).status_code == 403
    assert client.get(reverse("person", args=[lena.pk])).status_code in (403, 404)
    Membership.objects.filter(organization=globex, person=olive).update(ended_at=timezone.now())
    assert client.get(reverse("people")).context["request"].organization.name == "Acme"


# Inviting


def test_who_invites_sees_it_on_its_way(enter: Enter, olive: Person, acme: Organization) -> None:
    client = enter(olive)

    answer = client.post(reverse("invite_person"), {"email": "Nora@New.test", "duty": "admin"})

    assert answer.headers["Location"] == reverse("people")
    page = text(client.get(reverse("people")))
    assert "nora@new.test" in page
    assert "Mail on its way" in page
    assert 'hx-trigger="every 2s"' in page
    Invitation.objects.update(sent_at=timezone.now())
    part = text(client.get(reverse("invitations")))
    assert "Mail sent" in part
    assert "every 2s" not in part
    Invitation.objects.update(created_at=factories.READ_AT, expires_at=timezone.now())
    assert "Expired" in text(client.get(reverse("invitations")))


def test_the_form_offers_a_lead_the_own_team_and_members_alone(
    enter: Enter, lena: Person, payments: Team, platform: Team
) -> None:
    client = enter(lena)
    page = text(client.get(reverse("invite_person")))
    assert "Payments" in page
    assert "Platform" not in page
    assert "Owner" not in page

    for sent in ({"duty": "owner"}, {"duty": "lead", "team": payments.pk}, {"duty": "member"}):
        answer = client.post(reverse("invite_person"), {"email": "nora@new.test"} | sent)
        assert answer.status_code == 200
    assert client.post(
        reverse("invite_person"), {"email": "n@new.test", "duty": "member", "team": platform.pk}
    ).status_code == 404  # fmt: skip
    assert not Invitation.objects.exists()


def test_other_fields_change_nothing_of_an_invitation(
    enter: Enter, lena: Person, olive: Person, payments: Team, globex: Organization
) -> None:
    sent = {
        "email": "nora@new.test", "duty": "member", "team": payments.pk, "organization": globex.pk,
        "invited_by": olive.pk, "by": olive.pk, "token_hash": "x" * 64, "expires_at": "2099-01-01", "accepted_at": "1",
        "sent_at": "2020-01-01", "at": "2020-01-01",
    }  # fmt: skip

    enter(lena).post(reverse("invite_person"), sent)

    invitation = Invitation.objects.get()
    assert (invitation.organization.name, invitation.invited_by, invitation.token_hash) == ("Acme", lena, "")
    assert (invitation.accepted_at, invitation.sent_at) == (None, None)
    assert (invitation.expires_at - timezone.now()).days < 7


def test_a_form_sent_twice_invites_once(enter: Enter, olive: Person, acme: Organization) -> None:
    client, sent = enter(olive), {"email": "nora@new.test", "duty": "member"}

    first, second = (client.post(reverse("invite_person"), sent) for _ in range(2))

    assert (first.status_code, second.status_code) == (302, 200)
    assert "invited already" in text(second)
    assert Invitation.objects.count() == Entry.objects.count() == 1


def test_an_invitation_is_sent_again_and_revoked(enter: Enter, olive: Person, acme: Organization) -> None:
    invitation, client = factories.invitation(acme, "nora@new.test", by=olive, token_hash="x" * 64), enter(olive)

    client.post(reverse("send_invitation_again", args=[invitation.pk]))
    assert Invitation.objects.get().token_hash == ""
    client.post(reverse("send_invitation_again", args=[invitation.pk]))
    assert "Wait a minute" in text(client.get(reverse("people")))
    client.post(reverse("revoke_invitation", args=[invitation.pk]), {"reason": "Not coming"})

    assert Invitation.objects.get().revoked_at is not None
    assert "nora@new.test" not in text(client.get(reverse("people")))
    assert [entry.kind for entry in Entry.objects.order_by("sequence")] == [
        "accounts.person.invited", "accounts.invitation.revoked",
    ]  # fmt: skip


def test_who_may_not_is_offered_no_button(
    enter: Enter, lena: Person, hugo: Person, olive: Person, acme: Organization, payments: Team
) -> None:
    factories.invitation(acme, "lead@new.test", by=olive, duty=Duty.LEAD, team=payments)

    for somebody in (lena, hugo):
        page = text(enter(somebody).get(reverse("people")))
        assert "lead@new.test" in page
        assert "Send again" not in page


# Duties


def test_a_duty_is_given_and_ended_after_a_fresh_sign_in(fresh: Client, mia: Person, payments: Team) -> None:
    fresh.post(reverse("grant_duty", args=[mia.pk]), {"duty": "lead", "team": payments.pk, "reason": "Leads now"})
    assert Membership.objects.filter(person=mia, duty=Duty.LEAD, team=payments).exists()

    membership = Membership.objects.get(person=mia, duty=Duty.MEMBER)
    page = text(fresh.get(reverse("end_membership", args=[mia.pk, membership.pk])))
    assert "End a duty of Mia: Member of Payments" in page
    fresh.post(reverse("end_membership", args=[mia.pk, membership.pk]), {"reason": ""})

    membership.refresh_from_db()
    assert membership.ended_at is not None


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_fresh_sign_in_no_duty_changes(enter: Enter, olive: Person, mia: Person, method: str) -> None:
    olive.set_password(PASSWORD)
    olive.save()
    client = enter(olive)

    for address in (
        reverse("grant_duty", args=[mia.pk]), reverse("end_membership", args=[mia.pk, of(mia).pk]),
    ):  # fmt: skip
        answer = getattr(client, method)(address, {"duty": "owner"})
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert Membership.objects.filter(person=mia, ended_at__isnull=True).count() == 1
    assert not Entry.objects.exists()


def test_who_may_not_is_told_before_being_asked_for_a_password(
    enter: Enter, lena: Person, hugo: Person, mia: Person, acme: Organization
) -> None:
    anna = factories.member("anna@acme.test", Duty.ADMIN, of=acme)

    for somebody in (lena, hugo, anna):
        client = enter(somebody)
        assert client.post(reverse("grant_duty", args=[mia.pk]), {"duty": "owner"}).status_code == 403
        assert client.post(reverse("end_membership", args=[mia.pk, of(mia).pk])).status_code == 403
    assert not Entry.objects.exists()


def test_the_last_owner_is_told_why_not(fresh: Client, olive: Person) -> None:
    answer = fresh.post(reverse("end_membership", args=[olive.pk, of(olive).pk]), {"reason": ""})

    assert "is the last owner of Acme" in text(answer)
    assert of(olive).ended_at is None


def test_nobody_gives_themselves_a_duty_by_the_form(fresh: Client, olive: Person, payments: Team) -> None:
    answer = fresh.post(reverse("grant_duty", args=[olive.pk]), {"duty": "lead", "team": payments.pk})

    assert "Nobody gives themselves a duty" in text(answer)
    assert Membership.objects.filter(person=olive).count() == 1


def test_the_membership_of_another_person_is_not_ended_under_this_one(
    fresh: Client, mia: Person, lena: Person, oskar: Person
) -> None:
    for other in (lena, oskar):
        assert fresh.post(reverse("end_membership", args=[mia.pk, of(other).pk])).status_code == 404
        assert of(other).ended_at is None


def test_who_is_ended_sees_nothing_at_the_next_click(fresh: Client, enter: Enter, lena: Person) -> None:
    theirs = enter(lena)
    assert theirs.get(reverse("team")).status_code == 200

    fresh.post(reverse("end_membership", args=[lena.pk, of(lena).pk]), {"reason": ""})

    assert theirs.get(reverse("team")).status_code == 404
    assert "Acme" not in text(theirs.get(reverse("home")))
    assert fresh.get(reverse("person", args=[lena.pk])).status_code == 404


def test_other_fields_change_nothing_of_a_duty(fresh: Client, mia: Person, oskar: Person, globex: Organization) -> None:
    fresh.post(
        reverse("grant_duty", args=[mia.pk]),
        {"duty": "auditor", "person": oskar.pk, "organization": globex.pk, "by": oskar.pk, "ended_at": "2020-01-01"},
    )

    membership = Membership.objects.get(duty=Duty.AUDITOR)
    assert (membership.person, membership.organization.name, membership.ended_at) == (mia, "Acme", None)


@pytest.mark.parametrize("value", ["\x00", "9" * 5000, "-1", "²", "1;2", "{0.__class__}"])
def test_a_team_that_is_none_is_not_there(fresh: Client, mia: Person, value: str, core: Team) -> None:
    address = reverse("grant_duty", args=[mia.pk])

    for told in (value, str(core.pk)):
        assert fresh.post(address, {"duty": "lead", "team": told}).status_code == 404
    assert Membership.objects.filter(person=mia).count() == 1
