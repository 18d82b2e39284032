"""The dialogs in which somebody asks for what they may not decide, and how the request's page shows it."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account, Duty, IAMPolicy, IAMUser, Organization, Person, Request, Team
from tests import factories
from tests.accounts.usecases.changes import limit, reading, wide
from tests.accounts.views.conftest import Enter

__all__ = ["limit", "reading", "wide"]


def ask(enter: Enter, person: Person, name: str, pk: int, **fields: Any) -> str:
    """Press "Request"; the text of the page that follows."""
    sent = {"reason": "On call", **fields}
    return enter(person).post(reverse(name, args=[pk]), sent, follow=True).content.decode()


def test_a_lead_is_led_from_the_path_to_asking_for_another(
    enter: Enter, lena: Person, olive: Person, ledger_writer: IAMUser
) -> None:
    client, address = enter(lena), reverse("request_path", args=[ledger_writer.pk])

    refused = client.post(reverse("change_path", args=[ledger_writer.pk]), {"path": "/elsewhere/"}).content.decode()

    assert "outside your team&#x27;s path" in refused
    assert address in refused
    assert address not in enter(olive).get(reverse("change_path", args=[ledger_writer.pk])).content.decode()
    page = ask(enter, lena, "request_path", ledger_writer.pk, path="/elsewhere/")
    assert "Change the path of ledger-writer to /elsewhere/" in page
    assert "<del>/</del> → <ins>/elsewhere/</ins>" in page


def test_a_lead_is_led_from_the_boundary_to_asking_for_another(
    enter: Enter, lena: Person, olive: Person, ledger_writer: IAMUser, limit: IAMPolicy, wide: IAMPolicy
) -> None:
    ledger_writer.attached_policy_arns, ledger_writer.permissions_boundary_arn = [wide.arn], limit.arn
    ledger_writer.save()
    address = reverse("request_boundary", args=[ledger_writer.pk])

    assert address in enter(lena).get(reverse("set_boundary", args=[ledger_writer.pk])).content.decode()
    nothing_chosen = ask(enter, lena, "request_boundary", ledger_writer.pk, permissions_boundary="")
    page = ask(enter, lena, "request_boundary", ledger_writer.pk, permissions_boundary="none")

    assert "This field is required" in nothing_chosen
    assert f"<del>{limit.arn}</del> → <ins>none</ins>" in page
    seen = enter(olive).get(reverse("request", args=[Request.objects.get().pk])).content.decode()
    assert "Take the boundary of ledger-writer away" in seen
    assert "This opens ways to more rights" in seen
    assert "What changes" in seen


def test_where_the_team_must_have_no_boundary_one_is_asked_for_from_the_page(
    enter: Enter, lena: Person, olive: Person, ledger_writer: IAMUser, wide: IAMPolicy
) -> None:
    address = reverse("request_boundary", args=[ledger_writer.pk])

    assert address in enter(lena).get(reverse("iam_user", args=[ledger_writer.pk])).content.decode()
    assert address not in enter(olive).get(reverse("iam_user", args=[ledger_writer.pk])).content.decode()
    page = ask(enter, lena, "request_boundary", ledger_writer.pk, permissions_boundary=wide.arn)
    assert f"<del>none</del> → <ins>{wide.arn}</ins>" in page


def test_a_lead_asks_for_a_move_which_takes_it_out_of_their_sight(
    enter: Enter, lena: Person, olive: Person, ledger_writer: IAMUser, platform: Team
) -> None:
    dialog = enter(lena).get(reverse("assign_iam_users"), {"iam_user": ledger_writer.pk}).content.decode()
    address = reverse("iam_user", args=[ledger_writer.pk])

    page = ask(enter, lena, "request_team", ledger_writer.pk, team=platform.pk)

    assert reverse("request_team", args=[ledger_writer.pk]) in dialog
    assert "<del>Payments</del> → <ins>Platform</ins>" in page
    assert address in page
    request = Request.objects.get()
    enter(olive).post(reverse("approve_request", args=[request.pk]), {"words": ""})
    seen = enter(lena).get(reverse("request", args=[request.pk])).content.decode()
    assert ledger_writer.arn in seen
    assert address not in seen


def test_teams_of_the_organization_alone_can_be_asked_for(
    enter: Enter, lena: Person, ledger_writer: IAMUser, platform: Team, payments: Team, core: Team
) -> None:
    client, address = enter(lena), reverse("request_team", args=[ledger_writer.pk])

    text = client.get(address).content.decode()

    assert "Platform</option>" in text
    assert "Payments</option>" not in text
    assert "Core" not in text
    for team in (payments, core):
        assert client.post(address, {"team": team.pk, "reason": "x"}).status_code == 404
    assert not Request.objects.exists()


def test_many_at_once_are_not_asked_for(
    enter: Enter, lena: Person, ledger_writer: IAMUser, acme_prod: Account, payments: Team
) -> None:
    second = factories.iam_user(acme_prod, "second", team=payments)

    both = {"iam_user": [ledger_writer.pk, second.pk]}
    dialog = enter(lena).get(reverse("assign_iam_users"), both).content.decode()

    assert "Request another team" not in dialog


@pytest.mark.parametrize("name", ["request_group", "request_policy"])
def test_nothing_is_chosen_beforehand(enter: Enter, lena: Person, ledger_writer: IAMUser, name: str) -> None:
    factories.iam_group(ledger_writer.account, "others")
    factories.iam_policy(ledger_writer.account, "others")

    assert "This field is required" in ask(enter, lena, name, ledger_writer.pk)
    assert not Request.objects.exists()


def test_a_duty_is_asked_for_on_the_persons_page(
    enter: Enter, lena: Person, mia: Person, acme: Organization, payments: Team
) -> None:
    page = ask(enter, lena, "request_duty", mia.pk, duty=Duty.LEAD, team=payments.pk)

    assert "Give Mia the duty lead of team Payments" in page


# Envelopes


def test_a_lead_asks_in_the_envelopes_own_form_and_an_owner_ticks_its_warnings(
    enter: Enter, lena: Person, olive: Person, payments: Team, acme_prod: Account, wide: IAMPolicy, envelope: None
) -> None:
    team_page = enter(lena).get(reverse("team_detail", args=[payments.pk])).content.decode()
    form = enter(lena).get(reverse("request_envelope", args=[payments.pk])).content.decode()
    sent = {"accounts": [acme_prod.pk], "policies": [wide.pk], "path": "/payments/", "version": 1}

    page = ask(enter, lena, "request_envelope", payments.pk, **sent)

    assert reverse("request_envelope", args=[payments.pk]) in team_page
    assert f'href="{reverse("change_envelope", args=[payments.pk])}"' not in team_page
    assert "Request change</span>" in form
    assert "Change the envelope of team Payments" in page
    assert "<del>/portal/acme/payments/</del> → <ins>/payments/</ins>" in page
    assert "Adds <ins>wide in acme-prod (111122223333)</ins>" in page
    assert "Takes away <del>ledger-writers in acme-prod (111122223333)</del>" in page
    assert "Somebody else decides about what you ask for: an owner of your organization." in page
    warning = "Policy wide in acme-prod (111122223333) lets an IAM user do everything, IAM included."
    client, address = enter(olive), reverse("approve_request", args=[Request.objects.get().pk])
    assert warning in client.get(reverse("request", args=[Request.objects.get().pk])).content.decode()
    assert warning in client.get(address).content.decode()
    assert "tick what you want all the same" in client.post(address, {"words": ""}).content.decode()
    assert Request.objects.get().is_open
    client.post(address, {"words": "", "acknowledged": [warning]})
    assert Request.objects.get().state == "approved"
    assert payments.envelope.policies.get() == wide


def test_without_a_reason_or_with_what_is_none_the_form_says_so(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, envelope: None
) -> None:
    sent = {"accounts": [acme_prod.pk], "version": 1}

    assert "This field is required" in ask(enter, lena, "request_envelope", payments.pk, **sent, path="/p/", reason="")
    assert "begins and ends with a slash" in ask(enter, lena, "request_envelope", payments.pk, **sent, path="p")
    assert not Request.objects.exists()


def test_the_fields_follow_the_accounts_for_those_who_ask_too(
    enter: Enter, lena: Person, payments: Team, acme_dev: Account, envelope: None
) -> None:
    factories.iam_group(acme_dev, "operators")
    address = reverse("envelope_fields", args=[payments.pk])

    assert "operators" in enter(lena).get(address, {"accounts": [acme_dev.pk]}).content.decode()
