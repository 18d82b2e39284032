"""Many access keys at once: rotated, made inactive where nobody uses them, and made active again."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import access
from accounts.kinds import Kind
from accounts.models import AccessKey, Account, BulkChange, IAMUser, Organization, Person, Rotation, Team
from accounts.usecases import access_keys, bulk, bulk_keys, bulk_rows
from portal.ledger.models import Delivery, Entry
from tests import factories

pytestmark = pytest.mark.usefixtures("envelope")

AT = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: the test decides the rows."""
    for module in (bulk, bulk_rows):
        monkeypatch.setattr(module, "ring", lambda pk: None)


def key_of(account: Account, name: str, team: Team, owner: Person | None, **fields: Any) -> AccessKey:
    iam_user = factories.iam_user(account, name, team=team, owner=owner)
    given = {"create_date": AT - 100 * DAY, "last_used_source": "credential_report", "last_used_read_at": AT}
    return factories.access_key(iam_user, **given | fields)


@pytest.fixture
def unused(acme_prod: Account, payments: Team, mia: Person) -> list[AccessKey]:
    """One used long ago, one never."""
    return [
        key_of(acme_prod, "a-long-ago", payments, mia, last_used_date=AT - 46 * DAY),
        key_of(acme_prod, "b-never", payments, mia),
    ]


def start(by: Person, keys: list[AccessKey], kind: str, **more: Any) -> BulkChange:
    return bulk_keys.start_key_change(
        by=by, organization=keys[0].organization, kind=kind, keys=[key.pk for key in keys], at=AT, **more
    )


def carried(change: BulkChange, at: Any = AT) -> BulkChange:
    bulk_rows.carry_on(bulk_change_id=change.pk, at=at)
    change.refresh_from_db()
    return change


def outcomes(change: BulkChange) -> list[tuple[str, str]]:
    return list(change.rows.order_by("position").values_list("state", "sentence"))


def arrived(status: str) -> None:
    """Let all that was decided have reached AWS."""
    Delivery.objects.update(state="done", done_at=AT, not_before=None)
    ids = [entry.details["access_key_id"] for entry in Entry.objects.filter(kind__startswith="accounts.access_key")]
    AccessKey.objects.filter(access_key_id__in=ids).update(status=status)


# Rotating


def test_each_key_begins_a_rotation_for_its_owner_behind_what_people_wait_for(
    lena: Person, unused: list[AccessKey], mia: Person
) -> None:
    change = carried(start(lena, unused, "rotate_key", reason="Audit"))

    assert outcomes(change) == [("decided", "")] * 2
    rotations = Rotation.objects.order_by("pk")
    assert [(row.old_key, row.recipient, row.started_by) for row in rotations] == [(key, mia, lena) for key in unused]
    assert [row.entries.get().kind for row in change.rows.all()] == [Kind.ROTATION_STARTED] * 2
    assert set(Delivery.objects.values_list("queue", flat=True)) == {"bulk"}


def test_a_second_key_of_the_same_iam_user_is_refused_and_names_the_open_rotation(
    lena: Person, unused: list[AccessKey]
) -> None:
    second = factories.access_key(unused[0].iam_user, status="Active", gone_at=None)
    AccessKey.objects.filter(pk=second.pk).update(gone_at=AT)
    carried(start(lena, unused[:1], "rotate_key"))

    again = carried(start(lena, unused[:1], "rotate_key"))

    assert outcomes(again)[0][0] == "refused"
    assert "is open already" in outcomes(again)[0][1]


def test_begun_with_iam_users_it_rotates_the_oldest_active_key(lena: Person, unused: list[AccessKey]) -> None:
    idle = factories.iam_user(unused[0].account, "c-idle", team=unused[0].iam_user.team)
    factories.access_key(unused[0].iam_user, create_date=AT - 300 * DAY, status="Inactive", gone_at=AT)
    change = bulk.start_bulk_change(
        by=lena, organization=idle.organization, kind="rotate_key", change={}, at=AT,
        iam_users=[unused[0].iam_user_id, idle.pk],
    )  # fmt: skip

    carried(change)

    assert Rotation.objects.get().old_key == unused[0]
    assert outcomes(change) == [("decided", ""), ("refused", "c-idle has no active access key.")]


# Making inactive


def test_unused_keys_are_made_inactive_if_aws_still_shows_no_use(lena: Person, unused: list[AccessKey]) -> None:
    change = carried(start(lena, unused, "make_key_inactive", reason="Nobody uses them"))

    assert outcomes(change) == [("decided", "")] * 2
    entries = Entry.objects.filter(kind=Kind.ACCESS_KEY_DEACTIVATED).order_by("sequence")
    assert [entry.details["access_key_id"] for entry in entries] == [key.access_key_id for key in unused]
    assert {entry.details["unused_since"] for entry in entries} == {(AT - 45 * DAY).isoformat()}
    assert {entry.reason for entry in entries} == {"Nobody uses them"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"last_used_date": AT - 44 * DAY}, "was last used on"),
        ({"create_date": AT - 44 * DAY}, "not 45 days old yet"),
        ({"last_used_source": "", "last_used_read_at": None}, "not known yet when"),
        ({"status": "Inactive"}, "inactive already"),
    ],
)
def test_one_that_may_be_needed_is_refused_and_the_others_go_on(
    lena: Person, unused: list[AccessKey], acme_prod: Account, payments: Team, fields: dict[str, Any], words: str
) -> None:
    needed = key_of(acme_prod, "c-needed", payments, None, **fields)

    change = carried(start(lena, [*unused, needed], "make_key_inactive"))

    assert [state for state, _ in outcomes(change)] == ["decided", "decided", "refused"]
    assert words in outcomes(change)[2][1]
    ids = {entry.details["access_key_id"] for entry in Entry.objects.filter(kind=Kind.ACCESS_KEY_DEACTIVATED)}
    assert needed.access_key_id not in ids


def test_what_is_listed_as_unused_is_what_may_be_made_inactive(
    unused: list[AccessKey], acme_prod: Account, payments: Team
) -> None:
    needed: list[dict[str, Any]] = [
        {"last_used_date": AT - 44 * DAY},
        {"create_date": AT - 44 * DAY},
        {"last_used_source": "", "last_used_read_at": None},
        {"gone_at": AT},
    ]
    for number, fields in enumerate(needed):
        key_of(acme_prod, f"needed-{number}", payments, None, **fields)

    assert set(AccessKey.objects.unused(at=AT)) == set(unused)
    assert {key for key in AccessKey.objects.present() if key.is_unused(at=AT)} == set(unused)


def test_begun_with_an_iam_user_its_unused_keys_go_and_the_row_says_which_do_not(
    lena: Person, unused: list[AccessKey]
) -> None:
    iam_user = unused[0].iam_user
    used = factories.access_key(
        iam_user, create_date=AT - 90 * DAY, last_used_date=AT - DAY, last_used_source="credential_report",
        last_used_read_at=AT,
    )  # fmt: skip
    change = bulk.start_bulk_change(
        by=lena, organization=iam_user.organization, kind="make_key_inactive", change={}, at=AT,
        iam_users=[iam_user.pk],
    )  # fmt: skip

    carried(change)

    [(state, sentence)] = outcomes(change)
    assert (state, used.access_key_id in sentence) == ("decided", True)
    assert Entry.objects.get(kind=Kind.ACCESS_KEY_DEACTIVATED).details["access_key_id"] == unused[0].access_key_id


def test_a_key_of_an_open_rotation_is_refused(lena: Person, unused: list[AccessKey]) -> None:
    factories.rotation(unused[0])

    change = carried(start(lena, unused, "make_key_inactive"))

    assert [state for state, _ in outcomes(change)] == ["refused", "decided"]
    assert "belongs to a rotation" in outcomes(change)[0][1]


# Undoing


@pytest.fixture
def made_inactive(lena: Person, unused: list[AccessKey]) -> BulkChange:
    """The unused ones, in AWS too."""
    change = carried(start(lena, unused, "make_key_inactive"))
    arrived("Inactive")
    return change


def undo(by: Person, change: BulkChange, at: Any = AT + DAY) -> BulkChange:
    return bulk_keys.undo_key_change(by=by, bulk_change=change, at=at)


def test_undoing_makes_active_what_it_made_inactive_and_nothing_else(
    lena: Person, made_inactive: BulkChange, unused: list[AccessKey], acme_prod: Account, payments: Team
) -> None:
    key_of(acme_prod, "other", payments, None, status="Inactive")

    change = carried(undo(lena, made_inactive))

    assert (change.kind, change.change) == ("make_key_active", {"undoes": made_inactive.pk})
    assert outcomes(change) == [("decided", "")] * 2
    entries = Entry.objects.filter(kind=Kind.ACCESS_KEY_ACTIVATED)
    assert {entry.details["access_key_id"] for entry in entries} == {key.access_key_id for key in unused}
    assert set(Delivery.objects.filter(entry__in=entries).values_list("queue", flat=True)) == {"bulk"}


def test_what_somebody_made_inactive_since_is_left_so(
    lena: Person, olive: Person, made_inactive: BulkChange, unused: list[AccessKey]
) -> None:
    access_keys.make_key_active(by=olive, access_key=unused[0], at=AT)
    arrived("Active")
    access_keys.make_key_inactive(by=olive, access_key=unused[0], at=AT, reason="It was found on the web")
    arrived("Inactive")

    change = carried(undo(lena, made_inactive))

    assert [state for state, _ in outcomes(change)] == ["refused", "decided"]
    assert "made inactive again since" in outcomes(change)[0][1]


def test_what_has_not_arrived_waits(lena: Person, unused: list[AccessKey]) -> None:
    made = carried(start(lena, unused, "make_key_inactive"))

    change = carried(undo(lena, made))

    assert {state for state, _ in outcomes(change)} == {"refused"}
    assert "on its way" in outcomes(change)[0][1]


def test_twice_at_once_is_refused(lena: Person, made_inactive: BulkChange) -> None:
    undo(lena, made_inactive)

    with pytest.raises(ValidationError, match="being undone already"):
        undo(lena, made_inactive)

    assert BulkChange.objects.filter(kind="make_key_active").count() == 1


def test_one_that_runs_or_did_nothing_or_is_of_another_kind_cannot_be_undone(
    lena: Person, unused: list[AccessKey], acme: Organization
) -> None:
    ended = {"state": "done", "finished_at": AT, "change": {}}
    running = start(lena, unused, "make_key_inactive")
    nothing = factories.bulk_change(lena, acme, kind="make_key_inactive", **ended)
    other = factories.bulk_change(lena, acme, kind="rotate_key", **ended)

    for change, words in ((running, "still running"), (nothing, "nothing to undo"), (other, "Only what was made")):
        with pytest.raises(ValidationError, match=words):
            undo(lena, change)
    assert not BulkChange.objects.filter(kind="make_key_active").exists()


@pytest.mark.parametrize(("who", "refusal"), [("hugo", "NotAllowed"), ("ada", "NotAllowed"), ("mia", "NotThere")])
def test_those_without_the_duty_undo_nothing(
    request: pytest.FixtureRequest, who: str, refusal: str, made_inactive: BulkChange
) -> None:
    with pytest.raises(getattr(access, refusal)):
        undo(request.getfixturevalue(who), made_inactive)


def test_one_that_undoes_nothing_is_refused_row_by_row(lena: Person, made_inactive: BulkChange) -> None:
    change = bulk.start_bulk_change(
        by=lena, organization=made_inactive.organization, kind="make_key_active", change={}, at=AT,
        iam_users=[IAMUser.objects.get(user_name="b-never").pk],
    )  # fmt: skip

    assert [state for state, _ in outcomes(carried(change))] == ["refused"]


# Beginning


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
@pytest.mark.parametrize("kind", ["rotate_key", "make_key_inactive"])
def test_those_without_the_duty_begin_none(
    request: pytest.FixtureRequest, who: str, kind: str, unused: list[AccessKey]
) -> None:
    with pytest.raises(access.NotAllowed):
        start(request.getfixturevalue(who), unused, kind)

    assert not BulkChange.objects.exists()


def test_one_of_another_team_or_organization_is_not_there(
    lena: Person, olive: Person, unused: list[AccessKey], acme_dev: Account, platform: Team, globex_main: Account
) -> None:
    theirs = factories.access_key(factories.iam_user(acme_dev, "platform-robot", team=platform))
    alien = factories.access_key(factories.iam_user(globex_main, "alien"))

    for by, key in ((lena, theirs), (olive, alien)):
        with pytest.raises(access.NotThere):
            start(by, [*unused, key], "rotate_key")
    assert not BulkChange.objects.exists()


def test_what_is_no_change_of_keys_or_of_none_is_refused(lena: Person, unused: list[AccessKey]) -> None:
    with pytest.raises(ValidationError, match="no change of access keys"):
        start(lena, unused, "delete")
    with pytest.raises(ValidationError, match="at least one"):
        bulk_keys.start_key_change(by=lena, organization=unused[0].organization, kind="rotate_key", keys=[], at=AT)


def test_more_than_it_takes_are_refused(lena: Person, unused: list[AccessKey], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_keys, "ROWS_AT_MOST", 1)

    with pytest.raises(ValidationError, match="at most 1 access keys"):
        start(lena, unused, "rotate_key")


def test_keys_are_seen_as_their_iam_users_are(
    lena: Person, olive: Person, mia: Person, oskar: Person, unused: list[AccessKey], acme: Organization,
    acme_dev: Account, platform: Team, globex: Organization, globex_main: Account,
) -> None:  # fmt: skip
    factories.access_key(factories.iam_user(acme_dev, "platform-robot", team=platform))
    factories.access_key(factories.iam_user(globex_main, "alien"))

    for person in (lena, olive, mia, oskar):
        for organization in (acme, globex):
            seen = AccessKey.objects.visible_to(person).filter(organization=organization)
            assert set(AccessKey.objects.seen_in(organization, by=person)) == set(seen), (person, organization)
