"""Changing many access keys from the key board and from the team's list, and undoing that."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, Account, BulkChange, IAMUser, Person, Team
from accounts.usecases import bulk, bulk_keys, bulk_rows
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

KINDS = ("ask-to-rotate", "rotate-key", "make-key-inactive")
NOW = timezone.now()


@pytest.fixture
def keys(acme_prod: Account, payments: Team, mia: Person) -> list[AccessKey]:
    """Never used, and old enough."""
    return [
        factories.access_key(
            factories.iam_user(acme_prod, f"robot-{number:02}", team=payments, owner=mia),
            create_date=NOW - timedelta(days=100), last_used_source="credential_report", last_used_read_at=NOW,
        )
        for number in range(60)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: the test decides the rows."""
    for module in (bulk, bulk_rows):
        monkeypatch.setattr(module, "ring", lambda pk: None)


def at(kind: str) -> str:
    return reverse("start_key_change", args=[kind])


def ids(rows: list[AccessKey]) -> list[int]:
    return [row.pk for row in rows]


def nothing_begun() -> bool:
    return not BulkChange.objects.exists() and not Entry.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ticked_is_asked_about_and_begun(enter: Enter, lena: Person, keys: list[AccessKey], kind: str) -> None:
    client = enter(lena)

    asked = client.get(at(kind), {"access_key": ids(keys[:3])}).content.decode()
    answer = client.post(at(kind), {"access_key": ids(keys[:3]), "reason": "Audit"})

    assert keys[0].access_key_id in asked
    assert "3 access keys" in asked
    begun = BulkChange.objects.get()
    assert answer.headers["Location"] == reverse("bulk_change", args=[begun.pk])
    assert (begun.by, begun.kind, begun.reason) == (lena, kind.replace("-", "_"), "Audit")
    assert [row.plan["access_key_id"] for row in begun.rows.order_by("position")] == [
        key.access_key_id for key in keys[:3]
    ]


def test_all_that_fit_are_begun_and_not_only_those_on_the_page(
    enter: Enter, lena: Person, keys: list[AccessKey], acme_prod: Account, payments: Team
) -> None:
    factories.access_key(factories.iam_user(acme_prod, "new", team=payments), create_date=NOW)
    client = enter(lena)
    page = client.get(f"{reverse('key_board')}?which=overdue&select=all").content.decode()
    sent = dict(re.findall(r'name="(fits|narrowing)" value="([^"]*)"', page))
    assert "All 60 that fit are selected." in page
    assert sent == {"fits": "60", "narrowing": "which=overdue"}

    asked = client.get(at("rotate-key"), sent).content.decode()
    client.post(at("rotate-key"), sent)

    assert "and 52 more" in asked
    assert BulkChange.objects.get().rows.count() == 60


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"fits": "59", "narrowing": ""}, "60 fit now, and 59 did"),
        ({"fits": "60", "narrowing": "team=987654"}, "cannot be narrowed so"),
        ({}, "Select at least one access key"),
    ],
)
def test_what_cannot_be_meant_begins_nothing(
    enter: Enter, lena: Person, keys: list[AccessKey], sent: dict[str, str], words: str
) -> None:
    client = enter(lena)

    assert words in client.post(at("rotate-key"), sent).content.decode()
    assert words in client.get(at("rotate-key"), sent).content.decode()
    assert nothing_begun()


def test_more_than_are_changed_at_once_are_refused(
    enter: Enter, lena: Person, keys: list[AccessKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_MOST", 50)

    assert "More than 50 fit" in enter(lena).post(at("rotate-key"), {"fits": "60", "narrowing": ""}).content.decode()
    assert nothing_begun()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, who: str, kind: str, keys: list[AccessKey]
) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(at(kind), {"access_key": keys[0].pk}).status_code == 403
    assert client.post(at(kind), {"access_key": keys[0].pk}).status_code == 403
    assert nothing_begun()


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 40])
def test_an_id_that_is_none_is_not_there(enter: Enter, lena: Person, keys: list[AccessKey], asked: str) -> None:
    assert enter(lena).post(at("rotate-key"), {"access_key": [keys[0].pk, asked]}).status_code == 404
    assert nothing_begun()


def test_one_of_another_team_or_organization_among_them_is_not_there(
    enter: Enter, lena: Person, olive: Person, keys: list[AccessKey], acme_dev: Account, platform: Team,
    globex_main: Account,
) -> None:  # fmt: skip
    theirs = factories.access_key(factories.iam_user(acme_dev, "platform-robot", team=platform))
    alien = factories.access_key(factories.iam_user(globex_main, "alien"))

    for by, key in ((lena, theirs), (olive, alien)):
        sent = {"access_key": [keys[0].pk, key.pk]}
        assert enter(by).get(at("rotate-key"), sent).status_code == 404
        assert enter(by).post(at("rotate-key"), sent).status_code == 404
    assert nothing_begun()


@pytest.mark.parametrize("kind", ["make-key-active", "delete", "nothing"])
def test_a_change_that_is_none_is_not_there(enter: Enter, lena: Person, keys: list[AccessKey], kind: str) -> None:
    assert enter(lena).post(at(kind), {"access_key": keys[0].pk}).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_the_teams_list_offers_the_same_for_its_iam_users(
    enter: Enter, lena: Person, keys: list[AccessKey], kind: str
) -> None:
    client, address = enter(lena), reverse("start_bulk_change", args=[kind])
    assert address in client.get(reverse("team")).content.decode()

    client.post(address, {"iam_user": [keys[0].iam_user_id, keys[1].iam_user_id]})
    begun = BulkChange.objects.get()
    bulk_rows.carry_on(bulk_change_id=begun.pk, at=NOW)

    assert [row.state for row in begun.rows.all()] == ["decided", "decided"]


def test_a_row_says_which_key_and_what_came_of_it(enter: Enter, lena: Person, keys: list[AccessKey]) -> None:
    AccessKey.objects.filter(pk=keys[1].pk).update(last_used_date=NOW)
    change = bulk_keys.start_key_change(
        by=lena, organization=keys[0].organization, kind="make_key_inactive", keys=ids(keys[:2]), at=NOW
    )
    bulk_rows.carry_on(bulk_change_id=change.pk, at=NOW)

    text = enter(lena).get(reverse("bulk_change", args=[change.pk])).content.decode()

    assert f"{keys[0].access_key_id}, robot-00 in acme-prod" in text
    assert "Pending" in text
    assert "was last used on" in text
    assert "Make active again" in text


def test_it_is_undone_from_its_page(enter: Enter, lena: Person, keys: list[AccessKey]) -> None:
    change = bulk_keys.start_key_change(
        by=lena, organization=keys[0].organization, kind="make_key_inactive", keys=ids(keys[:2]), at=NOW
    )
    bulk_rows.carry_on(bulk_change_id=change.pk, at=NOW)
    Delivery.objects.update(state="done", done_at=NOW)
    AccessKey.objects.filter(pk__in=ids(keys[:2])).update(status="Inactive")
    client, address = enter(lena), reverse("undo_bulk_change", args=[change.pk])

    assert "Make active" in client.get(address).content.decode()
    answer = client.post(address, {"reason": "The nightly job missed it"})

    undone = BulkChange.objects.get(kind="make_key_active")
    assert answer.headers["Location"] == reverse("bulk_change", args=[undone.pk])
    assert "being undone already" in client.post(address, {"reason": ""}).content.decode()
    bulk_rows.carry_on(bulk_change_id=undone.pk, at=NOW)
    assert set(undone.rows.values_list("state", flat=True)) == {"decided"}


def test_another_kind_of_change_offers_no_way_back(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    change = factories.bulk_change(lena, ledger_reader.organization)
    client = enter(lena)

    assert "Make active again" not in client.get(reverse("bulk_change", args=[change.pk])).content.decode()
    answer = client.post(reverse("undo_bulk_change", args=[change.pk]), {"reason": ""})
    assert "Only what was made inactive" in answer.content.decode()


def test_who_only_reads_is_offered_no_way_back(enter: Enter, ada: Person, lena: Person, keys: list[AccessKey]) -> None:
    change = factories.bulk_change(lena, keys[0].organization, kind="make_key_inactive", change={})

    assert "Make active again" not in enter(ada).get(reverse("bulk_change", args=[change.pk])).content.decode()
