"""The page behind an invitation's link: for who is new, for who is here, and for who is somebody else."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import Duty, Invitation, Membership, Organization, Person, Team
from accounts.tasks import send_invitation
from accounts.usecases.invitations import invite_person, revoke_invitation
from portal.ledger.clock import database_now
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter, plain

PASSWORD = "seven purple gate posts"
PAGE = "/invitation/"


def link(by: Person, organization: Organization, email: str, **what: Any) -> str:
    """The path of the link in the mail."""
    given: dict[str, Any] = {"duty": Duty.MEMBER, "at": database_now()}
    invitation = invite_person(by=by, organization=organization, email=email, **given | what)
    send_invitation(invitation.pk)
    (path,) = re.findall(r"(/invitation/\S+/)", str(mail.outbox[-1].body))
    return path


@pytest.fixture
def noras(olive: Person, acme: Organization, payments: Team) -> str:
    return link(olive, acme, "nora@new.test", team=payments, name="Nora")


def joined(client: Client, **changes: str) -> Any:
    return client.post(PAGE, {"name": "Nora", "password": PASSWORD} | changes)


def test_from_the_mail_to_the_first_sign_in(client: Client, noras: str, acme: Organization) -> None:
    form = client.get(noras, follow=True)
    assert (form.status_code, form.redirect_chain) == (200, [(PAGE, 302)])
    assert "Join Acme" in form.content.decode()
    assert 'value="Nora"' in form.content.decode()

    assert joined(client).headers["Location"] == "/auth/login/"
    client.post("/auth/login/", {"login": "Nora@New.test", "password": PASSWORD})

    home = client.get("/")
    assert home.status_code == 200
    assert home.context["request"].organization == acme


def test_the_token_is_in_no_address_after_the_first_and_in_no_session(client: Client, noras: str) -> None:
    token = noras.split("/")[2]

    first = client.get(noras)
    form = client.get(PAGE)

    assert (first.headers["Location"], first.headers["Referrer-Policy"]) == (PAGE, "no-referrer")
    assert "no-store" in first.headers["Cache-Control"]
    assert "no-store" in form.headers["Cache-Control"]
    assert token not in form.content.decode()
    assert token not in str(dict(client.session))


def test_a_scanner_that_follows_the_link_uses_nothing_up(noras: str) -> None:
    for _ in range(3):
        Client().get(noras, follow=True)

    client = Client()
    client.get(noras)
    assert joined(client).status_code == 302


def gone(client: Client, path: str) -> bytes:
    answer = client.get(path, follow=True)
    assert answer.status_code == 410
    return plain(answer)


def test_used_expired_revoked_old_and_unknown_links_answer_alike(olive: Person, acme: Organization, noras: str) -> None:
    unknown = gone(Client(), "/invitation/never-was/")
    nothing = gone(Client(), PAGE)
    joined_once = Client()
    joined_once.get(noras)
    joined(joined_once)
    expired = link(olive, acme, "late@new.test")
    Invitation.objects.filter(email="late@new.test").update(created_at=factories.READ_AT, expires_at=database_now())
    revoked = link(olive, acme, "not@new.test")
    invitation = Invitation.objects.get(email="not@new.test")
    revoke_invitation(by=olive, invitation=invitation, at=database_now())
    old = link(olive, acme, "twice@new.test")
    Invitation.objects.filter(email="twice@new.test").update(sent_at=None, lease_until=factories.READ_AT)
    send_invitation(Invitation.objects.get(email="twice@new.test").pk)

    assert "send it again" in unknown.decode()
    assert {gone(Client(), path) for path in (noras, expired, revoked, old)} == {unknown} == {nothing}


def test_a_form_sent_twice_joins_once(client: Client, noras: str) -> None:
    client.get(noras)

    first, second = joined(client), joined(client)

    assert (first.status_code, second.status_code) == (302, 410)
    assert Membership.objects.filter(person__email="nora@new.test").count() == 1


def test_a_link_that_was_used_between_form_and_button_is_gone(client: Client, noras: str) -> None:
    client.get(noras)
    Invitation.objects.update(revoked_at=database_now())

    assert joined(client).status_code == 410
    assert not Person.objects.filter(email="nora@new.test").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"password": "short"}, "too short"), ({"password": "password123456"}, ""), ({"name": " "}, "required"),
     ({"name": "\u202eevil"}, "can be seen"), ({"password": "x" * 5000}, "at most")],
)  # fmt: skip
def test_what_will_not_do_is_said_at_the_field_and_the_rest_is_kept(
    client: Client, noras: str, changes: dict[str, str], words: str
) -> None:
    client.get(noras)

    answer = joined(client, **changes)

    if changes == {"password": "password123456"}:
        assert answer.status_code in (200, 302)
        return
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
    assert not Person.objects.filter(email="nora@new.test").exists()


def test_other_fields_change_nothing(client: Client, noras: str, globex: Organization) -> None:
    client.get(noras)

    joined(
        client, duty="owner", organization=str(globex.pk), email="evil@evil.test", is_active="", team="", by="1",
        token_hash="x", is_staff="on", person="1",
    )  # fmt: skip

    membership = Membership.objects.get(person__email="nora@new.test")
    assert (membership.duty, membership.organization.name, str(membership.team)) == ("member", "Acme", "Payments")
    assert not Person.objects.filter(email="evil@evil.test").exists()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{0.__class__}", "{{ 7|add:7 }}"])
def test_names_are_shown_as_they_are(client: Client, olive: Person, acme: Organization, name: str) -> None:
    Organization.objects.update(name=name)
    acme.refresh_from_db()
    page = client.get(link(olive, acme, "nora@new.test", name=name), follow=True).content.decode()

    assert "<script>alert" not in page
    assert "{0.__class__}" in page or name != "{0.__class__}"


# Who is here already


def test_who_has_a_sign_in_signs_in_and_accepts(
    client: Client, olive: Person, acme: Organization, oskar: Person, globex: Organization
) -> None:
    path = link(olive, acme, "Oskar@Globex.test")

    asked = client.get(path, follow=True)
    assert asked.redirect_chain[-1][0] == f"/auth/login/?next={PAGE.replace('/', '%2F')}"
    client.force_login(oskar)
    client.get(path)
    assert b"password" not in client.get(PAGE).content
    accepted = client.post(PAGE, {"accept": "yes"})

    assert accepted.headers["Location"] == "/"
    assert set(Organization.objects.of(oskar)) == {acme, globex}
    assert client.get("/").context["request"].organization == acme


def test_the_invitation_waits_behind_the_sign_in(
    client: Client, olive: Person, acme: Organization, oskar: Person
) -> None:
    oskar.set_password(PASSWORD)
    oskar.save()
    EmailAddress.objects.create(user=oskar, email=oskar.email, verified=True, primary=True)
    client.get(link(olive, acme, oskar.email), follow=True)

    page = client.post("/auth/login/", {"login": oskar.email, "password": PASSWORD, "next": PAGE}, follow=True)

    assert page.redirect_chain == [(PAGE, 302)]
    assert "Join Acme" in page.content.decode()
    client.post(PAGE, {"accept": "yes"})
    assert oskar.belongs_to(acme)


def test_nobody_sets_a_password_for_somebody_who_is_here(
    client: Client, olive: Person, acme: Organization, oskar: Person
) -> None:
    before = oskar.password
    client.get(link(olive, acme, "oskar@globex.test"))

    answer = joined(client)

    assert answer.headers["Location"].startswith("/auth/login/")
    oskar.refresh_from_db()
    assert oskar.password == before
    assert not oskar.belongs_to(acme)


def test_somebody_else_is_told_so(enter: Enter, mia: Person, oskar: Person, noras: str) -> None:
    for somebody in (mia, oskar):
        client = enter(somebody)
        page = client.get(noras, follow=True)
        assert "for <b>nora@new.test</b>, and you are signed in as" in page.content.decode()

        assert joined(client).status_code == 200
        assert not Membership.objects.filter(person=oskar, organization__name="Acme").exists()
    assert Invitation.objects.open().count() == 1


def test_the_e_mail_of_another_case_is_the_same_person(
    enter: Enter, olive: Person, acme: Organization, oskar: Person
) -> None:
    client = enter(oskar)
    client.get(link(olive, acme, "OSKAR@GLOBEX.TEST"))

    assert client.post(PAGE, {"accept": "yes"}).headers["Location"] == "/"


def test_a_cross_site_form_is_refused(noras: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(noras)

    assert joined(client).status_code == 403


def test_the_address_takes_so_many_a_minute_from_one_place(client: Client, db: None) -> None:
    codes = [client.get(f"/invitation/guess-{number}/", follow=True).status_code for number in range(33)]

    assert codes == [410] * 30 + [429] * 3
    assert client.post(PAGE, {}).status_code == 429
    assert Client().get("/invitation/guess/", REMOTE_ADDR="203.0.113.9", follow=True).status_code == 410


def test_no_log_has_the_token(client: Client, noras: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(40):
        client.get(noras, follow=True)

    assert "Too Many Requests: /invitation/" in caplog.text
    assert noras.split("/")[2] not in caplog.text


def test_nothing_of_it_stands_in_the_ledger_but_who_came(client: Client, noras: str) -> None:
    client.get(noras)
    joined(client)

    told = str(list(Entry.objects.values()))
    assert noras.split("/")[2] not in told
    assert PASSWORD not in told
    assert Entry.objects.order_by("-sequence")[0].kind == "accounts.invitation.accepted"
