"""The pages of requests: who sees which, and what each may press."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Duty, Envelope, GroupGrant, IAMGroup, IAMUser, Organization, Person, Request
from accounts.usecases.group_grants import grant_group
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.usecases.test_make_request import ask
from tests.accounts.views.conftest import Enter


@pytest.fixture
def asked(olive: Person, lena: Person, ledger_writer: IAMUser, administrators: IAMGroup) -> Request:
    return ask(lena, ledger_writer)


def tabs(answer: Any) -> list[str]:
    return [tab["words"] for tab in answer.context["tabs"]]


def test_each_sees_the_tabs_and_rows_that_are_theirs(
    enter: Enter, olive: Person, lena: Person, ada: Person, asked: Request
) -> None:
    words = "Add ledger-writer to administrators"
    for person, has in ((olive, ["To decide", "Mine", "All"]), (lena, ["Mine", "All"]), (ada, ["Mine", "All"])):
        answer = enter(person).get(reverse("requests"))
        assert tabs(answer) == has
        assert (words in answer.content.decode()) == (person != ada)

    assert words in enter(ada).get(reverse("requests") + "?tab=all").content.decode()
    assert "You have asked for nothing" in enter(olive).get(reverse("requests") + "?tab=mine").content.decode()


def test_what_somebody_cannot_decide_does_not_wait_for_them(enter: Enter, acme: Organization, asked: Request) -> None:
    newcomer = factories.member("newcomer@acme.test", Duty.ADMIN, of=acme)

    text = enter(newcomer).get(reverse("requests")).content.decode()

    assert "Nothing waits for you" in text
    page = enter(newcomer).get(reverse("request", args=[asked.pk])).content.decode()
    assert "could decide when this was asked for" in page
    assert "Approve" not in page


@pytest.mark.parametrize("who", ["hugo", "mia"])
def test_they_are_not_for_everybody(request: pytest.FixtureRequest, enter: Enter, asked: Request, who: str) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(reverse("requests")).status_code == 403
    for name in ("request", "approve_request", "decline_request", "withdraw_request"):
        assert client.get(reverse(name, args=[asked.pk])).status_code == 404


def test_an_auditor_looks_and_decides_nothing(enter: Enter, ada: Person, asked: Request) -> None:
    client = enter(ada)

    page = client.get(reverse("request", args=[asked.pk])).content.decode()

    assert "Who asks, and why" in page
    assert "Approve" not in page
    assert "Withdraw" not in page
    for name in ("approve_request", "decline_request", "withdraw_request"):
        assert client.post(reverse(name, args=[asked.pk]), {"reason": "No", "words": ""}).status_code == 403
    asked.refresh_from_db()
    assert asked.state == "open"


def test_a_lead_asks_on_the_iam_users_page_and_withdraws(
    enter: Enter, lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    client = enter(lena)
    dialog = client.get(reverse("add_to_group", args=[ledger_writer.pk])).content.decode()
    address = reverse("request_group", args=[ledger_writer.pk])
    assert address in dialog

    refused = client.post(address, {"groups": "ledger-writers", "until": "", "reason": "x"})
    assert "You may decide this yourself" in refused.content.decode()
    answer = client.post(address, {"groups": "administrators", "until": "", "reason": "On call"})

    request = Request.objects.get()
    assert answer.headers["Location"] == reverse("request", args=[request.pk])
    assert "On call" in client.get(answer.headers["Location"]).content.decode()
    client.post(reverse("withdraw_request", args=[request.pk]))
    request.refresh_from_db()
    assert request.state == "withdrawn"


def test_approving_takes_a_fresh_sign_in(enter: Enter, olive: Person, asked: Request) -> None:
    olive.set_password("correct horse battery")
    olive.save()

    answer = enter(olive).post(reverse("approve_request", args=[asked.pk]), {"words": ""})

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    asked.refresh_from_db()
    assert asked.state == "open"


def test_an_owner_approves(enter: Enter, olive: Person, asked: Request) -> None:
    answer = enter(olive).post(reverse("approve_request", args=[asked.pk]), {"words": "Go on"})

    assert answer.headers["Location"] == reverse("request", args=[asked.pk])
    asked.refresh_from_db()
    assert (asked.state, asked.words) == ("approved", "Go on")
    assert Delivery.objects.count() == 1


def test_what_lapsed_is_said(enter: Enter, olive: Person, asked: Request) -> None:
    Envelope.objects.update(version=5)

    page = enter(olive).post(reverse("approve_request", args=[asked.pk]), {"words": "Go on"}, follow=True)

    assert "It was not approved: What it would change is not what it was any more." in page.content.decode()


def test_an_owner_declines_with_a_reason(enter: Enter, olive: Person, asked: Request) -> None:
    client, address = enter(olive), reverse("decline_request", args=[asked.pk])
    assert "This field is required" in client.post(address, {"reason": ""}).content.decode()

    client.post(address, {"reason": "Use the pipeline"})

    assert "Use the pipeline" in client.get(reverse("request", args=[asked.pk])).content.decode()


def test_the_page_names_the_ways_that_it_opens(
    enter: Enter, olive: Person, lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    IAMGroup.objects.filter(pk=administrators.pk).update(inline_policies={"all": document})
    request = ask(lena, ledger_writer, until=timezone.now() + timedelta(days=3))

    page = enter(olive).get(reverse("request", args=[request.pk])).content.decode()

    assert "This opens ways to more rights" in page
    assert "all (inline)" in page


def test_a_group_is_given_until_a_time_extended_and_given_back(
    enter: Enter, lena: Person, ledger_writer: IAMUser, ledger_writers: IAMGroup
) -> None:
    client, until = enter(lena), timezone.now() + timedelta(days=3)
    fields = {"groups": "ledger-writers", "until": until.strftime("%Y-%m-%dT%H:%M"), "reason": ""}
    client.post(reverse("add_to_group", args=[ledger_writer.pk]), fields)
    grant = GroupGrant.objects.get()
    factories.group_membership(ledger_writer, ledger_writers)
    Delivery.objects.update(state="done", done_at=timezone.now())

    page = client.get(reverse("iam_user", args=[ledger_writer.pk])).content.decode()
    assert f'until <time datetime="{grant.until.isoformat()}">' in page
    extend = reverse("extend_group_grant", args=[ledger_writer.pk, grant.pk])
    give_back = reverse("give_back_group_grant", args=[ledger_writer.pk, grant.pk])
    assert extend in page
    assert give_back in page

    refused = client.post(extend, {"until": fields["until"], "reason": ""})
    assert "Choose a later time" in refused.content.decode()
    later = (until + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    client.post(extend, {"until": later, "reason": ""})
    grant.refresh_from_db()
    assert grant.until.strftime("%Y-%m-%dT%H:%M") == later

    client.post(give_back, {"reason": "Done"})
    grant.refresh_from_db()
    assert grant.ended_why == "given_back"


def test_the_owner_of_the_iam_user_may_give_back_alone(
    enter: Enter, lena: Person, mia: Person, ledger_writer: IAMUser, ledger_writers: IAMGroup
) -> None:
    now = timezone.now()
    until = now + timedelta(days=3)
    grant = grant_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", until=until, at=now)
    factories.group_membership(ledger_writer, ledger_writers)
    Delivery.objects.update(state="done", done_at=now)
    IAMUser.objects.update(owner=mia)
    client = enter(mia)

    page = client.get(reverse("iam_user", args=[ledger_writer.pk])).content.decode()

    extend = reverse("extend_group_grant", args=[ledger_writer.pk, grant.pk])
    give_back = reverse("give_back_group_grant", args=[ledger_writer.pk, grant.pk])
    assert (extend in page, give_back in page) == (False, True)
    assert client.post(extend, {"until": "2027-01-01T00:00", "reason": ""}).status_code == 403
    assert client.post(give_back, {"reason": "Done"}).status_code == 302
