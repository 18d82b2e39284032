"""The pages of drift: the plan of an account, deciding, and what became of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Drift, IAMUser, IAMUserRecord, Person, Team
from accounts.usecases.drift import adopt_drift, revert_drift
from accounts.views import differences
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

WHY = {"reason": "Agreed with the team"}


@pytest.fixture
def drift(ledger_reader: IAMUser) -> Drift:
    """A tag of Payments' `ledger-reader` that somebody changed in AWS."""
    factories.iam_user_record(ledger_reader, tags={"cost-center": "4710"})
    return factories.drift(ledger_reader, decided={"cost-center": "4710"}, held={"cost-center": "4711"})


@pytest.fixture
def elsewhere(platform_robot: IAMUser) -> Drift:
    """Drift of another team, in another account."""
    factories.iam_user_record(platform_robot, path="/decided/")
    return factories.drift(platform_robot, attribute="path", decided="/decided/", held="/")


def page(client: Client, drift: Drift, **query: Any) -> str:
    return client.get(reverse("drift", args=[drift.account_id]), query).content.decode()


def address(name: str, *drifts: Drift, more: str = "") -> str:
    chosen = "&".join(f"drift={drift.pk}" for drift in drifts)
    return f"{reverse(name, args=[drifts[0].account_id])}?{chosen}{more}"


def seen(drift: Drift) -> dict[str, str]:
    assert drift.read_at is not None
    return WHY | {"seen_at": drift.read_at.isoformat()}


@pytest.mark.parametrize("who", ["olive", "lena"])
def test_the_plan_says_in_words_what_differs(
    request: pytest.FixtureRequest, enter: Enter, drift: Drift, who: str
) -> None:
    text = page(enter(request.getfixturevalue(who)), drift)

    assert "<del>4710</del> → <ins>4711</ins>" in text
    assert "<code>cost-center</code>" in text
    assert "Adopt selected" in text
    assert f'href="adopt/?drift={drift.pk}"' in text


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_those_who_only_look_are_offered_no_decision(
    request: pytest.FixtureRequest, enter: Enter, drift: Drift, who: str
) -> None:
    client = enter(request.getfixturevalue(who))

    text = page(client, drift)

    assert "4711" in text
    assert "Adopt" not in text
    assert 'type="checkbox"' not in text
    for name in ("adopt_drift", "revert_drift"):
        assert client.get(address(name, drift)).status_code == 403
        assert client.post(address(name, drift), seen(drift)).status_code == 403


def test_a_lead_sees_and_decides_nothing_of_another_team(
    enter: Enter, lena: Person, drift: Drift, elsewhere: Drift, acme_prod: Account, platform: Team
) -> None:
    others = factories.iam_user(acme_prod, "others", team=platform)
    theirs = factories.drift(others)
    client = enter(lena)

    assert "others" not in page(client, drift)
    assert client.get(reverse("drift", args=[elsewhere.account_id])).status_code == 404
    for name in ("adopt_drift", "revert_drift"):
        assert client.post(address(name, drift, theirs), seen(drift)).status_code == 404
        assert client.post(address(name, elsewhere), seen(drift)).status_code == 404
    assert not Entry.objects.exists()


def test_a_member_has_no_page_of_it(enter: Enter, mia: Person, drift: Drift) -> None:
    client = enter(mia)

    assert client.get(reverse("drift", args=[drift.account_id])).status_code == 403
    assert "4710" in client.get(reverse("iam_user", args=[drift.iam_user_id])).content.decode()


@pytest.mark.parametrize("query", ["drift=987654", "drift=x", "drift=1&drift=-1", f"drift={'9' * 30}", "drift=%00"])
def test_an_id_that_is_nobodys_does_not_exist(enter: Enter, olive: Person, drift: Drift, query: str) -> None:
    client = enter(olive)

    assert client.get(f"{reverse('adopt_drift', args=[drift.account_id])}?{query}").status_code == 404


def test_of_another_account_it_does_not_exist(enter: Enter, olive: Person, drift: Drift, elsewhere: Drift) -> None:
    client = enter(olive)

    assert client.post(address("adopt_drift", drift, elsewhere), seen(drift)).status_code == 404


def test_it_is_adopted_with_a_reason(enter: Enter, lena: Person, drift: Drift) -> None:
    client = enter(lena)
    asked = client.get(address("adopt_drift", drift)).content.decode()
    assert "Adopt 1 difference" in asked
    assert "Nothing changes in AWS" in asked
    assert "4711" in asked

    answer = client.post(address("adopt_drift", drift), seen(drift))

    assert answer.headers["Location"] == reverse("drift", args=[drift.account_id])
    assert Entry.objects.get().kind == "accounts.drift.adopted"
    text = page(client, drift)
    assert "Nothing waits for a decision" in text
    assert "Adopted" in text
    assert "Lena" in text


def test_it_is_reverted_and_pending_until_it_arrives(enter: Enter, lena: Person, drift: Drift) -> None:
    client = enter(lena)

    client.post(address("revert_drift", drift), seen(drift))

    assert Delivery.objects.get().entry.kind == "accounts.drift.reverted"
    text = page(client, drift)
    assert "Pending" in text
    assert "every 2s" in text
    Delivery.objects.update(state="done", done_at=timezone.now())
    text = client.get(reverse("drift_past", args=[drift.account_id])).content.decode()
    assert "Reverted" in text
    assert "every 2s" not in text


def test_several_are_decided_at_once(enter: Enter, olive: Person, drift: Drift, ledger_reader: IAMUser) -> None:
    IAMUserRecord.objects.update(attached_policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"])
    other = factories.drift(
        ledger_reader,
        attribute="attached_policy_arns",
        decided=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        held=[],
    )
    client = enter(olive)
    assert "Adopt 2 differences" in client.get(address("adopt_drift", drift, other)).content.decode()

    client.post(address("adopt_drift", drift, other), seen(drift))

    assert not Drift.objects.open().exists()


def test_what_changed_since_it_was_shown_is_said_and_not_adopted(enter: Enter, lena: Person, drift: Drift) -> None:
    shown = seen(drift)
    Drift.objects.update(read_at=timezone.now())

    text = enter(lena).post(address("adopt_drift", drift), shown).content.decode()

    assert "has changed since you looked" in text
    assert Drift.objects.open().exists()


@pytest.mark.parametrize("form", [{}, {"reason": "x"}, {"reason": "x", "seen_at": "yesterday"}, {"reason": " "}])
def test_without_a_reason_or_a_time_nothing_is_decided(
    enter: Enter, lena: Person, drift: Drift, form: dict[str, str]
) -> None:
    assert enter(lena).post(address("adopt_drift", drift), form).status_code == 200
    assert Drift.objects.open().exists()


def test_what_lies_outside_the_envelope_is_said_in_the_form(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    IAMUser.objects.update(attached_policy_arns=["arn:x"])
    ledger_reader.refresh_from_db()
    factories.iam_user_record(ledger_reader, attached_policy_arns=[])
    drift = factories.drift(ledger_reader, attribute="attached_policy_arns", decided=[], held=["arn:x"])

    text = enter(lena).post(address("adopt_drift", drift), seen(drift)).content.decode()

    assert "is not a policy that you may hand out" in text


@pytest.mark.parametrize("is_htmx", [True, False])
def test_who_selected_nothing_is_told_what_to_do(enter: Enter, lena: Person, drift: Drift, is_htmx: bool) -> None:
    headers = {"HX-Request": "true"} if is_htmx else {}

    answer = enter(lena).get(reverse("adopt_drift", args=[drift.account_id]), headers=headers, follow=True)

    assert "Tick the differences" in answer.content.decode()


def test_all_of_a_page_are_selected_without_a_script(enter: Enter, lena: Person, drift: Drift) -> None:
    client = enter(lena)

    assert "checked" not in page(client, drift)
    assert "checked" in page(client, drift, choose="all")


def test_one_that_is_gone_says_what_cannot_come_back(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    IAMUser.objects.update(gone_at=timezone.now())
    record = factories.iam_user_record(ledger_reader)
    drift = factories.drift(ledger_reader, kind="gone", attribute="", decided=record.attributes.stored(), held=None)
    client = enter(lena)

    assert "AWS no longer holds it" in page(client, drift)
    assert "cannot come back" in client.get(address("revert_drift", drift)).content.decode()
    assert "cannot come back" not in client.get(address("adopt_drift", drift)).content.decode()
    assert "AWS no longer holds it" in client.get(reverse("iam_user", args=[ledger_reader.pk])).content.decode()

    client.post(address("revert_drift", drift), seen(drift))
    assert IAMUser.objects.present().get().user_name == "ledger-reader"


def test_the_page_of_the_iam_user_shows_it_and_leads_back_to_it(enter: Enter, lena: Person, drift: Drift) -> None:
    client, user = enter(lena), reverse("iam_user", args=[drift.iam_user_id])

    text = client.get(user).content.decode()
    assert "Drifted" in text
    assert "AWS differs from what was decided here" in text
    answer = client.post(address("adopt_drift", drift, more="&on=iam_user"), seen(drift))

    assert answer.headers["Location"] == user
    text = client.get(user).content.decode()
    assert "Drifted" not in text
    assert "Tags" in text


def test_the_list_says_drifted(enter: Enter, lena: Person, drift: Drift) -> None:
    client = enter(lena)

    badge = '<span class="badge" data-tone="waiting">Drifted</span>'

    assert badge in client.get(reverse("team")).content.decode()
    Drift.objects.update(state="ended", ended_at=timezone.now())
    assert badge not in client.get(reverse("team")).content.decode()


@pytest.mark.parametrize(("who", "is_told"), [("olive", True), ("lena", True), ("hugo", False), ("mia", False)])
def test_home_says_how_many_wait_to_those_who_decide(
    request: pytest.FixtureRequest, enter: Enter, drift: Drift, elsewhere: Drift, who: str, is_told: bool
) -> None:
    text = enter(request.getfixturevalue(who)).get(reverse("home")).content.decode()

    assert ("1 difference in acme-prod" in text) is is_told
    assert ("1 difference in acme-dev" in text) is (who == "olive")


def test_the_account_says_how_many_wait(enter: Enter, olive: Person, drift: Drift) -> None:
    text = enter(olive).get(reverse("account", args=[drift.account_id])).content.decode()

    assert "1 difference between AWS and what was decided here waits for a decision" in text
    assert reverse("drift", args=[drift.account_id]) in text


def test_groups_that_are_being_put_back_are_shown_in_place(
    enter: Enter, olive: Person, ledger_reader: IAMUser, administrators: Any
) -> None:
    factories.iam_user_record(ledger_reader, group_names=["administrators"])
    drift = factories.drift(ledger_reader, attribute="group_names", decided=["administrators"], held=["ledger-writers"])
    revert_drift(by=olive, drifts=[drift], reason="x", at=timezone.now())

    text = enter(olive).get(reverse("iam_user", args=[ledger_reader.pk])).content.decode()

    assert "Being added" in text
    assert "Being removed" in text


def test_a_hostile_name_is_shown_as_it_is(enter: Enter, olive: Person, drift: Drift) -> None:
    Drift.objects.update(held={"<script>alert(1)</script>": "{{ 7|add:1 }}", "cost-center": "\u202egpj.exe"})

    text = page(enter(olive), drift)

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7|add:1 }}" in text


def test_what_was_adopted_by_itself_names_nobody(enter: Enter, olive: Person, ledger_reader: IAMUser) -> None:
    row = factories.drift(ledger_reader, kind="new", attribute="", held=None, state="adopted", ended_at=timezone.now())

    text = page(enter(olive), row)

    assert "Adopted by itself" in text
    assert "New in AWS" in text


def test_a_thousand_of_them_are_paged_and_asked_for_in_a_fixed_number_of_questions(
    enter: Enter, olive: Person, drift: Drift, acme_prod: Account
) -> None:
    client = enter(olive)

    def questions() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, drift)
        return len(queries)

    few = questions()
    made = IAMUser.objects.bulk_create(
        IAMUser(organization=acme_prod.organization, account=acme_prod, user_name=f"user-{number}")
        for number in range(1000)
    )
    for ended_at in (None, timezone.now()):
        state = "ended" if ended_at else "open"
        Drift.objects.bulk_create(
            Drift(
                organization=acme_prod.organization, account=acme_prod, iam_user=row, kind="changed", attribute="path",
                decided="/", held="/x/", state=state, ended_at=ended_at, source="get_user", read_at=timezone.now(),
            )
            for row in made
        )  # fmt: skip

    text = page(client, drift)

    assert "1001</b> differences" in text
    assert "1 to 25 of 1001" in text
    assert len(text) < 60 * 1024
    assert questions() <= few + 3


def test_who_decided_is_told_once_for_each(
    enter: Enter, olive: Person, lena: Person, drift: Drift, ledger_reader: IAMUser
) -> None:
    adopt_drift(by=lena, drifts=[drift], reason="x", at=timezone.now())
    IAMUser.objects.update(tags={"cost-center": "4712"})
    again = factories.drift(ledger_reader, decided={"cost-center": "4711"}, held={"cost-center": "4712"})
    adopt_drift(by=olive, drifts=[again], reason="x", at=timezone.now() + timedelta(seconds=1))

    text = enter(olive).get(reverse("drift_past", args=[drift.account_id])).content.decode()

    assert "Lena" in text
    assert "Olive" in text


@pytest.mark.parametrize(
    ("attribute", "decided", "held", "words"),
    [
        ("user_name", "a", "b", [("User name", "", "a", "b", "")]),
        ("permissions_boundary_arn", "arn:x", "", [("Permissions boundary", "", "arn:x", "none", "")]),
        ("tags", {"a": ""}, {}, [("Tag", "a", "empty", "none", "")]),
        ("tags", {"Stage": "x"}, {"stage": "y"}, [("Tag", "stage", "x", "y", "")]),
        ("group_names", ["a", "B"], ["b", "c"], [("Group", "a", "", "", "lost"), ("Group", "c", "", "", "gained")]),
        ("attached_policy_arns", ["arn:a"], [], [("Policy", "arn:a", "", "", "detached")]),
        ("inline_policies", {"p": "text"}, {"p": {}}, [("Inline policy", "p", "", "", "changed")]),
        ("inline_policies", {}, {"p": {}}, [("Inline policy", "p", "", "", "added")]),
        ("inline_policies", {"p": {}}, {}, [("Inline policy", "p", "", "", "removed")]),
    ],
)
def test_each_attribute_has_its_words(attribute: str, decided: Any, held: Any, words: list[tuple[str, ...]]) -> None:
    lines = differences.of(Drift(kind="changed", attribute=attribute, decided=decided, held=held)).lines

    assert [(line.label, line.name, line.decided, line.held, line.remark) for line in lines] == words
