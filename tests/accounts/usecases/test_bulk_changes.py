"""One change of many IAM users: begun by a person, decided row by row in their name."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import access
from accounts.kinds import Kind
from accounts.models import Account, BulkChange, BulkRow, IAMGroup, IAMUser, Membership, Organization, Person, Team
from accounts.usecases import bulk, bulk_rows, iam_users
from accounts.usecases.bulk import start_bulk_change
from portal.ledger.models import Delivery, Entry
from tests import factories

pytestmark = pytest.mark.usefixtures("envelope")

AT = timezone.now()


@pytest.fixture
def writers(acme_prod: Account, payments: Team) -> list[IAMUser]:
    """Three IAM users of Payments."""
    return [factories.iam_user(acme_prod, f"writer-{number}", team=payments) for number in range(3)]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bulk changes of which workers were told: none of these tests has a broker to ask."""
    told: list[int] = []
    for module in (bulk, bulk_rows):
        monkeypatch.setattr(module, "ring", told.append)
    return told


def start(by: Person, rows: list[IAMUser], kind: str = "add_to_group", **more: Any) -> BulkChange:
    change = more.pop("change", {"group": "ledger-writers"})
    return start_bulk_change(
        by=by,
        organization=rows[0].organization,
        kind=kind,
        change=change,
        iam_users=[row.pk for row in rows],
        at=AT,
        **more,
    )


def carry_on(bulk_change: BulkChange) -> None:
    bulk_rows.carry_on(bulk_change_id=bulk_change.pk, at=AT)
    bulk_change.refresh_from_db()


def outcomes(bulk_change: BulkChange) -> list[tuple[str, str]]:
    return list(bulk_change.rows.order_by("position").values_list("state", "sentence"))


# Beginning


def test_it_is_begun_with_an_entry_and_a_row_each(lena: Person, writers: list[IAMUser]) -> None:
    bulk_change = start(lena, writers, reason=" They write the ledger ")

    assert (bulk_change.state, bulk_change.by, bulk_change.reason) == ("running", lena, "They write the ledger")
    assert [(row.iam_user, row.name, row.state) for row in bulk_change.rows.order_by("position")] == [
        (writer, f"{writer} in acme-prod", "pending") for writer in writers
    ]
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_name, entry.reason) == (Kind.BULK_STARTED, "Lena", "They write the ledger")
    assert entry.details == {
        "kind": "add_to_group",
        "change": [{"key": "group", "value": "ledger-writers"}],
        "rows": 3,
    }


def test_workers_are_told_once_it_is_committed(
    lena: Person, writers: list[IAMUser], rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as on_commit:
        bulk_change = start(lena, writers)
    assert rung == []

    for callback in on_commit:
        callback()

    assert rung == [bulk_change.pk]


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
@pytest.mark.parametrize("kind", ["add_to_group", "remove_from_group", "set_tag", "assign", "delete"])
def test_those_without_the_duty_begin_none(
    request: pytest.FixtureRequest, who: str, kind: str, ledger_writer: IAMUser
) -> None:
    with pytest.raises(access.NotAllowed):
        start(request.getfixturevalue(who), [ledger_writer], kind, change={}, reason="x")

    assert not BulkChange.objects.exists()
    assert not Entry.objects.exists()


def test_one_that_is_not_theirs_to_see_is_not_there(
    lena: Person, writers: list[IAMUser], acme_dev: Account, platform: Team
) -> None:
    other = factories.iam_user(acme_dev, "platform-robot", team=platform)

    with pytest.raises(access.NotThere):
        start(lena, [*writers, other])

    assert not BulkChange.objects.exists()


def test_one_of_another_organization_is_not_there(olive: Person, writers: list[IAMUser], globex_main: Account) -> None:
    factories.membership(olive, "owner", of=globex_main.organization)  # type: ignore[arg-type]

    with pytest.raises(access.NotThere):
        start(olive, [*writers, factories.iam_user(globex_main, "alien")])

    assert not BulkChange.objects.exists()


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("add_to_group", {"group": " "}, "which group"),
        ("set_tag", {"key": "aws:x", "value": "y"}, "not people's to set"),
        ("set_tag", {"key": "stage", "value": "?"}, "letters, digits"),
        ("assign", {"team": None, "owner": None}, "Choose a team"),
        ("delete", {}, "Say why"),
    ],
)
def test_a_change_that_is_none_is_not_begun(
    olive: Person, writers: list[IAMUser], kind: str, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words), transaction.atomic():
        start(olive, writers, kind, change=change)

    assert not BulkChange.objects.exists()


def test_more_than_it_takes_are_refused(lena: Person, writers: list[IAMUser], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_MOST", 2)

    with pytest.raises(ValidationError, match="at most 2 IAM users"):
        start(lena, writers)

    assert not BulkChange.objects.exists()


def test_nothing_chosen_is_refused(lena: Person, acme: Organization) -> None:
    with pytest.raises(ValidationError, match="at least one"):
        start_bulk_change(by=lena, organization=acme, kind="delete", change={}, iam_users=[], at=AT, reason="x")


# Deciding


def test_each_row_is_decided_by_the_usual_use_case_behind_what_people_wait_for(
    lena: Person, writers: list[IAMUser]
) -> None:
    bulk_change = start(lena, writers, reason="They write the ledger")

    carry_on(bulk_change)

    assert outcomes(bulk_change) == [("decided", "")] * 3
    assert (bulk_change.state, bulk_change.finished_at) == ("done", AT)
    for row in bulk_change.rows.all():
        entry = row.entries.get()
        assert (entry.kind, entry.by_name) == (Kind.IAM_USER_ADDED_TO_GROUP, "Lena")
        assert (entry.subject_id, entry.reason) == (str(row.iam_user_id), "They write the ledger")
        assert entry.deliveries.get().queue == Delivery.Queue.BULK


def test_a_row_that_is_refused_says_why_and_the_others_go_on(
    lena: Person, writers: list[IAMUser], ledger_writers: IAMGroup
) -> None:
    iam_users.add_iam_user_to_group(by=lena, iam_user=writers[1], group_name="ledger-writers", at=AT)
    bulk_change = start(lena, writers)

    carry_on(bulk_change)

    assert [state for state, _ in outcomes(bulk_change)] == ["decided", "refused", "decided"]
    assert "is in ledger-writers already" in outcomes(bulk_change)[1][1]
    assert not bulk_change.rows.get(position=2).entries.exists()


def test_a_group_outside_the_envelope_is_refused_row_by_row(
    lena: Person, writers: list[IAMUser], administrators: IAMGroup
) -> None:
    bulk_change = start(lena, writers, change={"group": "administrators"})

    carry_on(bulk_change)

    assert {state for state, _ in outcomes(bulk_change)} == {"refused"}
    assert Entry.objects.count() == 1


def test_a_duty_that_ends_meanwhile_ends_the_rest(lena: Person, writers: list[IAMUser]) -> None:
    bulk_change = start(lena, writers)
    Membership.objects.filter(person=lena).update(ended_at=AT)

    carry_on(bulk_change)

    assert outcomes(bulk_change) == [("refused", bulk_rows.NOT_THERE)] * 3
    assert not Delivery.objects.exists()


def test_who_is_disabled_meanwhile_decides_nothing_more(lena: Person, writers: list[IAMUser]) -> None:
    bulk_change = start(lena, writers)
    Person.objects.filter(pk=lena.pk).update(is_active=False)

    carry_on(bulk_change)

    assert {state for state, _ in outcomes(bulk_change)} == {"refused"}


def test_one_that_may_be_seen_and_not_changed_is_refused(
    lena: Person, writers: list[IAMUser], acme_dev: Account, platform: Team
) -> None:
    own = factories.iam_user(acme_dev, "own", owner=lena, team=platform)
    bulk_change = start(lena, [*writers, own], "set_tag", change={"key": "stage", "value": "prod"})

    carry_on(bulk_change)

    found = {row.name: (row.state, row.sentence) for row in bulk_change.rows.all()}
    assert found["own in acme-dev"][0] == "refused"
    assert "Your duty does not include this" in found["own in acme-dev"][1]
    assert [state for state, _ in found.values()].count("decided") == 3


def test_a_tag_is_set_beside_the_others_and_keeps_how_its_key_is_written(lena: Person, writers: list[IAMUser]) -> None:
    IAMUser.objects.filter(pk=writers[0].pk).update(tags={"Stage": "test", "cost-center": "4711"})
    bulk_change = start(lena, writers[:1], "set_tag", change={"key": "stage", "value": "prod"})

    carry_on(bulk_change)

    details = bulk_change.rows.get().entries.get().details
    assert (details["put"], details["removed"]) == ([{"key": "Stage", "value": "prod"}], [])


def test_groups_are_left_and_owners_named_and_users_deleted(
    olive: Person, mia: Person, payments: Team, writers: list[IAMUser], ledger_writers: IAMGroup
) -> None:
    for writer in writers:
        factories.group_membership(writer, ledger_writers)
    assigned = {"team": payments.pk, "owner": mia.pk, "kind": "", "purpose": ""}

    for kind, change in (("remove_from_group", {"group": "ledger-writers"}), ("assign", assigned), ("delete", {})):
        bulk_change = start(olive, writers, kind, change=change, reason="They leave")
        carry_on(bulk_change)
        assert outcomes(bulk_change) == [("decided", "")] * 3, kind

    assert set(IAMUser.objects.values_list("owner", flat=True)) == {mia.pk}
    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert kinds >= {Kind.IAM_USER_REMOVED_FROM_GROUP, Kind.IAM_USER_ASSIGNED, Kind.IAM_USER_DELETED}
    assert set(Delivery.objects.values_list("queue", flat=True)) == {"bulk"}


# Again, and by whom


def test_it_is_decided_a_few_at_a_time(
    lena: Person, writers: list[IAMUser], rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_rows, "ROWS_AT_ONCE", 2)
    bulk_change = start(lena, writers)

    carry_on(bulk_change)
    assert ([state for state, _ in outcomes(bulk_change)], bulk_change.state) == (
        ["decided", "decided", "pending"],
        "running",
    )
    carry_on(bulk_change)

    assert (rung, bulk_change.state) == ([bulk_change.pk], "done")


def test_a_message_that_comes_twice_decides_nothing_twice(lena: Person, writers: list[IAMUser]) -> None:
    bulk_change = start(lena, writers)

    for _ in range(2):
        carry_on(bulk_change)

    assert Delivery.objects.count() == 3


def test_a_row_that_somebody_else_claimed_is_left_to_them(lena: Person, writers: list[IAMUser]) -> None:
    bulk_change = start(lena, writers)
    BulkRow.objects.filter(position=2).update(state="decided")

    bulk_rows._decide(bulk_change.rows.get(position=2).pk, AT)

    assert not Delivery.objects.exists()


def test_a_worker_that_dies_in_the_middle_leaves_the_row_as_it_was(
    lena: Person, writers: list[IAMUser], monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk_change = start(lena, writers)
    usual = bulk_rows.DECISIONS[BulkChange.Kind.ADD_TO_GROUP]

    def dying(row: BulkRow, iam_user: IAMUser, at: Any) -> None:
        usual(row, iam_user, at)
        if row.position == 2:
            raise SystemExit

    monkeypatch.setitem(bulk_rows.DECISIONS, BulkChange.Kind.ADD_TO_GROUP, dying)
    with pytest.raises(SystemExit):
        carry_on(bulk_change)
    assert [state for state, _ in outcomes(bulk_change)] == ["decided", "pending", "pending"]
    assert Delivery.objects.count() == 1
    monkeypatch.undo()

    carry_on(bulk_change)

    assert outcomes(bulk_change) == [("decided", "")] * 3
    assert Delivery.objects.count() == 3


def test_a_row_at_which_the_portal_fails_does_not_stop_the_rest(
    lena: Person, writers: list[IAMUser], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bulk_change = start(lena, writers)
    usual = bulk_rows.DECISIONS[BulkChange.Kind.ADD_TO_GROUP]

    def failing(row: BulkRow, iam_user: IAMUser, at: Any) -> None:
        usual(row, iam_user, at)
        if row.position == 2:
            raise KeyError("x")

    monkeypatch.setitem(bulk_rows.DECISIONS, BulkChange.Kind.ADD_TO_GROUP, failing)
    carry_on(bulk_change)

    assert outcomes(bulk_change) == [("decided", ""), ("refused", bulk_rows.FAILED), ("decided", "")]
    assert Delivery.objects.count() == 2
    assert "could not be decided" in caplog.text


def test_beat_rings_for_what_nobody_is_at_and_for_nothing_else(
    lena: Person, writers: list[IAMUser], rung: list[int]
) -> None:
    left, held, done = (start(lena, [writer]) for writer in writers)
    carry_on(done)
    BulkChange.objects.filter(pk=held.pk).update(lease_until=AT + timedelta(minutes=1))
    BulkChange.objects.filter(pk=left.pk).update(lease_until=AT - timedelta(minutes=1))

    bulk_rows.tend(at=AT)

    assert rung == [left.pk]


# Who sees it


def test_it_is_seen_by_whoever_began_it_and_by_those_who_see_the_organization(
    lena: Person, olive: Person, ada: Person, mia: Person, oskar: Person, writers: list[IAMUser]
) -> None:
    start(lena, writers)

    seen = {str(person): BulkChange.objects.visible_to(person).exists() for person in (lena, olive, ada, mia, oskar)}
    assert seen == {"Lena": True, "Olive": True, "Ada": True, "Mia": False, "Oskar": False}
    assert BulkRow.objects.visible_to(oskar).count() == 0
    assert BulkRow.objects.visible_to(lena).count() == 3


def test_who_has_left_the_organization_sees_what_they_began_no_more(lena: Person, writers: list[IAMUser]) -> None:
    start(lena, writers)
    Membership.objects.filter(person=lena).update(ended_at=AT)

    assert not BulkChange.objects.visible_to(lena).exists()


def test_what_is_on_its_way_is_counted_by_row(lena: Person, writers: list[IAMUser]) -> None:
    bulk_change = start(lena, writers)
    carry_on(bulk_change)
    first, second, third = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="done", done_at=AT)
    Delivery.objects.filter(pk=second.pk).update(state="stuck", stuck_kind="denied")

    assert bulk_change.rows.all().count_on_their_way() == {"stuck": 1, "pending": 1}
    assert third.is_open


@pytest.mark.parametrize("who", ["olive", "lena", "hugo", "ada", "mia", "oskar"])
def test_what_is_seen_in_one_organization_is_what_is_visible(
    request: pytest.FixtureRequest, who: str, acme: Organization, acme_dev: Account, mia: Person, writers: list[IAMUser]
) -> None:
    person = request.getfixturevalue(who)
    factories.iam_user(acme_dev, "mias", owner=mia)
    factories.iam_user(acme_dev, "nobodys")

    seen = IAMUser.objects.seen_in(acme, by=person)

    assert set(seen) == set(IAMUser.objects.visible_to(person).in_organization(acme))
