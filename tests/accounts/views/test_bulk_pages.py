"""Changing many IAM users from the list, and the page that says how far it has come."""

import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, BulkChange, IAMUser, Person, Team
from accounts.usecases import bulk, bulk_rows
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

KINDS = ("add-to-group", "remove-from-group", "set-tag", "assign", "delete")
SENT = {
    "add-to-group": {"group": "ledger-writers"},
    "remove-from-group": {"group": "ledger-writers"},
    "set-tag": {"key": "stage", "value": "prod"},
    "assign": {"purpose": "Writes"},
    "delete": {"reason": "They leave"},
}


@pytest.fixture
def robots(acme_prod: Account, payments: Team) -> list[IAMUser]:
    return [factories.iam_user(acme_prod, f"robot-{number:02}", team=payments) for number in range(60)]


@pytest.fixture
def alien(globex_main: Account) -> IAMUser:
    return factories.iam_user(globex_main, "globex-robot")


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: the test decides the rows."""
    for module in (bulk, bulk_rows):
        monkeypatch.setattr(module, "ring", lambda pk: None)


def at(kind: str) -> str:
    return reverse("start_bulk_change", args=[kind])


def ids(rows: list[IAMUser]) -> list[int]:
    return [row.pk for row in rows]


def nothing_begun() -> bool:
    return not BulkChange.objects.exists() and not Entry.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ticked_is_asked_about_and_begun(enter: Enter, lena: Person, robots: list[IAMUser], kind: str) -> None:
    client = enter(lena)

    asked = client.get(at(kind), {"iam_user": ids(robots[:3])}).content.decode()
    answer = client.post(at(kind), {"iam_user": ids(robots[:3]), **SENT[kind]})

    assert "robot-00" in asked
    assert "3 IAM users" in asked
    begun = BulkChange.objects.get()
    assert answer.headers["Location"] == reverse("bulk_change", args=[begun.pk])
    assert (begun.by, begun.kind, begun.rows.count()) == (lena, kind.replace("-", "_"), 3)


def test_all_that_fit_are_begun_and_not_only_those_on_the_page(
    enter: Enter, lena: Person, robots: list[IAMUser], ledger_reader: IAMUser
) -> None:
    client = enter(lena)
    page = client.get(f"{reverse('team')}?{urlencode({'q': 'robot', 'select': 'all'})}").content.decode()
    sent = dict(re.findall(r'name="(fits|narrowing)" value="([^"]*)"', page))
    assert "All 60 that fit are selected." in page
    assert sent == {"fits": "60", "narrowing": "q=robot"}

    asked = client.get(at("set-tag"), sent).content.decode()
    client.post(at("set-tag"), sent | SENT["set-tag"])

    assert "and 52 more" in asked
    assert "ledger-reader" not in asked
    assert set(BulkChange.objects.get().rows.values_list("iam_user", flat=True)) == set(ids(robots))


def test_all_that_fit_are_no_more_than_those_that_were_shown(enter: Enter, lena: Person, robots: list[IAMUser]) -> None:
    text = enter(lena).post(at("set-tag"), {"fits": "59", "narrowing": "q=robot", **SENT["set-tag"]}).content.decode()

    assert "60 fit now, and 59 did" in text
    assert nothing_begun()


def test_a_narrowing_that_is_none_is_not_all_of_the_list(enter: Enter, lena: Person, robots: list[IAMUser]) -> None:
    sent = {"fits": "60", "narrowing": "team=987654", **SENT["set-tag"]}

    text = enter(lena).post(at("set-tag"), sent).content.decode()

    assert "cannot be narrowed so" in text
    assert nothing_begun()


def test_more_than_are_changed_at_once_are_refused(
    enter: Enter, lena: Person, robots: list[IAMUser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_MOST", 50)

    text = enter(lena).post(at("set-tag"), {"fits": "51", "narrowing": "", **SENT["set-tag"]}).content.decode()

    assert "More than 50 fit" in text
    assert nothing_begun()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, who: str, kind: str, method: str, ledger_reader: IAMUser
) -> None:
    client = enter(request.getfixturevalue(who))

    answer = getattr(client, method)(at(kind), {"iam_user": ledger_reader.pk, **SENT[kind]})

    assert answer.status_code == 403
    assert nothing_begun()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_one_of_another_organization_among_them_is_not_there(
    enter: Enter, olive: Person, robots: list[IAMUser], alien: IAMUser, kind: str, method: str
) -> None:
    sent = {"iam_user": [*ids(robots), alien.pk], **SENT[kind]}

    assert getattr(enter(olive), method)(at(kind), sent).status_code == 404
    assert nothing_begun()


@pytest.mark.parametrize("value", ["x", "-1", "1;2", "\u00b2", "9" * 18, "9" * 5000, "\x00", "<script>"])
def test_an_id_that_is_none_is_not_there(enter: Enter, olive: Person, robots: list[IAMUser], value: str) -> None:
    assert enter(olive).post(at("set-tag"), {"iam_user": value, **SENT["set-tag"]}).status_code == 404
    assert nothing_begun()


def test_a_kind_that_is_none_is_not_there(enter: Enter, olive: Person, robots: list[IAMUser]) -> None:
    for kind in ("csv", "rename", "set_tag"):
        assert enter(olive).get(at(kind), {"iam_user": ids(robots)}).status_code == 404


def test_nothing_selected_says_what_to_do(enter: Enter, lena: Person) -> None:
    for kind in KINDS:
        assert "Select at least one IAM user" in enter(lena).get(at(kind)).content.decode()


def test_a_refusal_keeps_what_was_typed_and_selected(enter: Enter, lena: Person, robots: list[IAMUser]) -> None:
    sent = {"iam_user": ids(robots[:2]), "key": "aws:stage", "value": "prod", "reason": "Why not"}

    text = enter(lena).post(at("set-tag"), sent).content.decode()

    assert "tags that begin so are not people&#x27;s to set" in text
    assert 'value="Why not"' in text
    assert len(re.findall(r'<input type="hidden" name="iam_user"', text)) == 2
    assert nothing_begun()


@pytest.mark.parametrize("method", ["get", "post"])
def test_deleting_takes_a_fresh_sign_in(enter: Enter, lena: Person, robots: list[IAMUser], method: str) -> None:
    # Of somebody without a password allauth has nothing to ask.
    lena.set_password("a password of hers")
    lena.save()

    answer = getattr(enter(lena), method)(at("delete"), {"iam_user": ids(robots), **SENT["delete"]})

    assert answer.status_code == 302
    assert reverse("account_reauthenticate") in answer.headers["Location"]
    assert nothing_begun()


def test_a_lead_is_suggested_the_groups_of_the_envelope_alone(
    enter: Enter, lena: Person, robots: list[IAMUser], administrators: object
) -> None:
    text = enter(lena).get(at("add-to-group"), {"iam_user": ids(robots)}).content.decode()

    assert '<option value="ledger-writers">' in text
    assert "administrators" not in text


def test_fields_that_are_not_its_own_change_nothing(
    enter: Enter, lena: Person, olive: Person, robots: list[IAMUser], platform: Team
) -> None:
    sent = {"iam_user": ids(robots[:1]), **SENT["set-tag"], "by": olive.pk, "state": "done", "kind": "delete"}

    enter(lena).post(at("set-tag"), sent | {"team": platform.pk})

    begun = BulkChange.objects.get()
    assert (begun.by, begun.state, begun.kind) == (lena, "running", "set_tag")
    assert begun.change == {"key": "stage", "value": "prod"}


# How far it has come


@pytest.fixture
def begun(lena: Person, robots: list[IAMUser]) -> BulkChange:
    change = {"group": "ledger-writers"}
    return bulk.start_bulk_change(
        by=lena,
        organization=robots[0].organization,
        kind="add_to_group",
        change=change,
        iam_users=ids(robots),
        at=timezone.now(),
    )


def progress(client: Client, begun: BulkChange, **query: str) -> str:
    return client.get(f"{reverse('bulk_change_progress', args=[begun.pk])}?{urlencode(query)}").content.decode()


def test_it_polls_while_something_moves_and_no_longer(enter: Enter, lena: Person, begun: BulkChange) -> None:
    client = enter(lena)

    waiting = client.get(reverse("bulk_change", args=[begun.pk])).content.decode()
    assert "60 wait their turn" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    bulk_rows.carry_on(bulk_change_id=begun.pk, at=timezone.now())
    assert "60 on their way" in progress(client, begun)
    Delivery.objects.update(state="done", done_at=timezone.now())
    arrived = progress(client, begun)

    assert "60 arrived" in arrived
    assert "hx-trigger" not in arrived


def test_a_row_says_where_it_stands_or_why_it_was_refused(enter: Enter, lena: Person, begun: BulkChange) -> None:
    IAMUser.objects.filter(user_name="robot-01").update(gone_at=timezone.now())
    bulk_rows.carry_on(bulk_change_id=begun.pk, at=timezone.now())
    Delivery.objects.filter(subject__endswith="robot-02").update(state="stuck", stuck_kind="denied")
    client = enter(lena)

    text, refused = progress(client, begun), progress(client, begun, rows="refused")

    assert "Stuck: AWS denied it" in text
    assert "AWS no longer holds this IAM user." in refused
    assert "robot-02" not in refused
    assert "1 refused" in refused


def test_more_rows_need_no_more_queries(enter: Enter, lena: Person, begun: BulkChange) -> None:
    client = enter(lena)
    bulk_rows.carry_on(bulk_change_id=begun.pk, at=timezone.now())
    with CaptureQueriesContext(connection) as for_many:
        progress(client, begun)
    begun.rows.filter(position__gt=2).delete()

    with CaptureQueriesContext(connection) as for_two:
        progress(client, begun)

    assert len(for_many) == len(for_two)


def test_another_lead_does_not_see_it(enter: Enter, begun: BulkChange, platform: Team) -> None:
    other = factories.member("other@acme.test", "lead", of=platform.organization, team=platform)  # type: ignore[arg-type]

    assert enter(other).get(reverse("bulk_change", args=[begun.pk])).status_code == 404


@pytest.mark.parametrize("who", ["lena", "olive"])
def test_home_shows_what_runs_to_whoever_may_see_it(
    request: pytest.FixtureRequest, enter: Enter, begun: BulkChange, who: str
) -> None:
    client = enter(request.getfixturevalue(who))

    assert reverse("bulk_change", args=[begun.pk]) in client.get("/").content.decode()

    BulkChange.objects.update(state="done", finished_at=timezone.now())
    assert reverse("bulk_change", args=[begun.pk]) not in client.get("/").content.decode()
