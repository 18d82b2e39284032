"""What happens to a rotation without anybody deciding it: opened, expired, used, gone, turned past the portal."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.sealed import Purpose
from accounts.tasks import follow_rotations as task
from accounts.usecases import iam_users, rotation_following
from accounts.usecases import rotation as steps
from accounts.usecases.rotation_following import follow_rotations, prove
from accounts.usecases.sealed_secrets import expire_sealed_secrets, open_sealed_secret
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.usecases.rotating import (
    AT,
    DAY,
    HOUR,
    Block,
    State,
    go,
    kinds,
    last_entry,
    new_key_of,
    rotated,
    stick,
    turn,
    use,
    waiting_secret,
)

MINUTE = timedelta(minutes=1)


def followed(rotation: Rotation, *, at: object = AT) -> str:
    """The state after beat has looked."""
    follow_rotations(at=at)  # type: ignore[arg-type]
    rotation.refresh_from_db()
    return rotation.state


# The secret


def test_opening_the_secret_delivers_the_new_key(mia: Person, old_key: AccessKey) -> None:
    rotation, now = rotated(old_key, "made"), database_now()

    open_sealed_secret(by=mia, secret_id=waiting_secret(rotation).pk, at=now)

    rotation.refresh_from_db()
    assert (rotation.state, rotation.opened_at) == ("delivered", now)


def test_opening_another_secret_changes_no_rotation(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "made")
    other = factories.sealed_secret(old_key.iam_user, Purpose.PASSWORD)

    open_sealed_secret(by=mia, secret_id=other.pk, at=database_now())

    rotation.refresh_from_db()
    assert rotation.state == "made"


def test_a_former_owner_opens_nothing(
    mia: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey
) -> None:
    secret = waiting_secret(rotated(old_key, "made"))
    IAMUser.objects.filter(pk=mias.pk).update(owner=lena)

    with leaves_nothing(seal.Expired, match="has another owner now"):
        open_sealed_secret(by=mia, secret_id=secret.pk, at=database_now())
    secret.refresh_from_db()
    assert secret.state == "ready"


@pytest.mark.parametrize("owner", ["lena", "nobody"])
def test_with_another_owner_the_new_key_goes_and_nobody_gets_its_secret(
    lena: Person, mias: IAMUser, old_key: AccessKey, owner: str
) -> None:
    rotation = rotated(old_key, "made")
    secret = waiting_secret(rotation)
    IAMUser.objects.filter(pk=mias.pk).update(owner=lena if owner == "lena" else None)

    assert follow_rotations(at=AT) == 1
    assert follow_rotations(at=AT + MINUTE) == 0

    secret.refresh_from_db()
    entry = last_entry()
    assert (secret.state, entry.kind, entry.by_name) == ("expired", Kind.ROTATION_GIVEN_UP, "Gatehouse")
    assert entry.details["access_key_id"] == new_key_of(rotation).access_key_id
    assert Delivery.objects.get().queue == "bulk"


def test_when_that_is_stuck_it_is_not_decided_again_each_minute(
    lena: Person, mias: IAMUser, old_key: AccessKey
) -> None:
    rotated(old_key, "made")
    IAMUser.objects.filter(pk=mias.pk).update(owner=lena)
    follow_rotations(at=AT)
    stick(Kind.ROTATION_GIVEN_UP)

    assert follow_rotations(at=AT + MINUTE) == 0
    assert kinds() == [Kind.ROTATION_GIVEN_UP]


@pytest.mark.parametrize("state", ["delivered", "proven", "deactivated"])
def test_once_it_was_opened_another_owner_goes_on_with_it(
    lena: Person, mias: IAMUser, old_key: AccessKey, state: str
) -> None:
    rotation = rotated(old_key, state)
    IAMUser.objects.filter(pk=mias.pk).update(owner=lena)

    assert followed(rotation) == state


def test_a_secret_that_nobody_opens_ends_it(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "made")
    waiting_secret(rotation)
    late = database_now() + 2 * DAY

    expire_sealed_secrets(by=None, at=late)

    rotation.refresh_from_db()
    assert (rotation.state, rotation.ended_at) == ("lapsed", late)
    assert kinds() == [Kind.SECRET_EXPIRED, Kind.ROTATION_ENDED]
    assert last_entry().details["words"] == "Nobody opened the new key's secret in time."
    assert Delivery.objects.get().entry.kind == Kind.SECRET_EXPIRED


def test_what_expires_late_ends_no_rotation_that_went_on(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")

    rotation_following.expired(access_key_id=new_key_of(rotation).access_key_id, at=AT)

    rotation.refresh_from_db()
    assert rotation.state == "delivered"


# Used


def test_a_use_of_the_new_key_proves_it(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")
    use(new_key_of(rotation), at=AT - HOUR)

    assert followed(rotation) == "proven"
    assert (rotation.proven_by, rotation.proven_at, rotation.new_key_first_used_at) == ("use", AT, AT - HOUR)
    assert (last_entry().kind, last_entry().by_name) == (Kind.ROTATION_PROVEN, "Gatehouse")
    assert follow_rotations(at=AT) == 0


@pytest.mark.parametrize("state", ["started", "made"])
def test_nothing_proves_what_nobody_could_open(old_key: AccessKey, state: str) -> None:
    rotation = rotated(old_key, state)
    if rotation.new_key is not None:
        use(rotation.new_key, at=AT - HOUR)

    assert followed(rotation) == state


def test_the_first_use_that_is_known_stays_the_first(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "proven")

    prove(rotation=rotation, proven_by=Rotation.ProvenBy.REQUEST, used_at=AT, by=mia, at=AT)

    assert (rotation.state, rotation.proven_by, rotation.new_key_first_used_at) == ("proven", "request", AT - DAY)


def test_a_proof_after_somebodys_word_leaves_the_old_key_inactive(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "deactivated", proven_by="word", new_key_first_used_at=None)

    prove(rotation=rotation, proven_by=Rotation.ProvenBy.REQUEST, used_at=AT, by=mia, at=AT)

    assert (rotation.state, rotation.proven_by, rotation.new_key_first_used_at) == ("deactivated", "request", AT)


@pytest.mark.parametrize("state", ["started", "made", "done", "given_up", "lapsed"])
def test_nothing_is_proven_before_it_was_opened_or_once_it_is_over(
    mia: Person, leaves_nothing: Block, old_key: AccessKey, state: str
) -> None:
    rotation = rotated(old_key, state)

    with leaves_nothing(ValidationError, match="This cannot be done now: "):
        prove(rotation=rotation, proven_by=Rotation.ProvenBy.REQUEST, used_at=AT, by=mia, at=AT)


# Gone


@pytest.mark.parametrize("state", ["started", "made", "delivered", "proven", "deactivated"])
def test_an_iam_user_that_is_gone_ends_it(mias: IAMUser, old_key: AccessKey, state: str) -> None:
    rotation = rotated(old_key, state)
    IAMUser.objects.filter(pk=mias.pk).update(gone_at=AT)

    assert followed(rotation) == "lapsed"
    assert last_entry().details["words"] == "AWS no longer holds the IAM user."


@pytest.mark.parametrize("state", ["made", "delivered", "proven", "deactivated"])
def test_a_new_key_that_is_gone_ends_it_and_wipes_its_secret(old_key: AccessKey, state: str) -> None:
    rotation = rotated(old_key, state)
    secret = waiting_secret(rotation)
    go(new_key_of(rotation))

    assert followed(rotation) == "lapsed"
    secret.refresh_from_db()
    assert (secret.state, last_entry().details["words"]) == ("expired", "AWS no longer holds the new key.")


def test_a_new_key_that_a_list_does_not_show_yet_is_not_gone(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "made")
    AccessKey.objects.filter(pk=new_key_of(rotation).pk).update(create_date=AT - MINUTE)
    go(new_key_of(rotation), at=AT)
    AccessKey.objects.filter(pk=new_key_of(rotation).pk).update(create_date=AT - MINUTE)

    assert followed(rotation, at=AT + MINUTE) == "made"
    assert followed(rotation, at=AT + 5 * MINUTE) == "lapsed"


@pytest.mark.parametrize(
    ("state", "then"),
    [("started", "started"), ("made", "made"), ("delivered", "done"), ("proven", "done"), ("deactivated", "done")],
)
def test_an_old_key_that_is_gone_ends_it_once_the_new_one_was_opened(old_key: AccessKey, state: str, then: str) -> None:
    rotation = rotated(old_key, state)
    go(old_key)

    assert followed(rotation) == then


# Turned


def test_an_old_key_that_somebody_made_inactive_is_watched(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "proven")
    turn(old_key, "Inactive")

    assert followed(rotation) == "deactivated"
    assert (rotation.deactivated_at, rotation.watch_until) == (AT, AT + 7 * DAY)
    assert rotation.is_inactive_elsewhere


@pytest.mark.parametrize(("proven_by", "then"), [("use", "proven"), ("request", "proven"), ("word", "delivered")])
def test_an_old_key_that_somebody_made_active_takes_it_back(old_key: AccessKey, proven_by: str, then: str) -> None:
    rotation = rotated(old_key, "deactivated", proven_by=proven_by, is_inactive_elsewhere=True)
    AccessKey.objects.filter(pk=new_key_of(rotation).pk).update(last_used_date=None)
    turn(old_key, "Active")

    assert followed(rotation) == then
    assert (rotation.deactivated_at, rotation.watch_until, rotation.is_inactive_elsewhere) == (None, None, False)
    assert (rotation.proven_by, rotation.proven_at is None) == (
        ("", True) if then == "delivered" else (proven_by, False)
    )


def test_a_reading_from_before_it_was_made_inactive_takes_nothing_back(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "deactivated")
    turn(old_key, "Active", read_at=AT - 9 * DAY)

    assert followed(rotation) == "deactivated"


def test_a_list_that_is_behind_takes_nothing_back_for_a_while(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "deactivated", deactivated_at=AT, watch_until=AT + 7 * DAY)
    turn(old_key, "Active", read_at=AT + MINUTE)

    assert followed(rotation, at=AT + 2 * MINUTE) == "deactivated"
    turn(old_key, "Inactive", read_at=AT + 3 * MINUTE)
    assert followed(rotation, at=AT + 5 * MINUTE) == "deactivated"
    turn(old_key, "Active", read_at=AT + 4 * MINUTE)
    assert followed(rotation, at=AT + 5 * MINUTE) == "proven"


# What is on its way


def test_a_step_that_is_on_its_way_says_itself_what_became_of_it(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "proven")
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT)
    turn(old_key, "Inactive")

    assert followed(rotation) == "proven"
    stick(Kind.ACCESS_KEY_DEACTIVATED)
    assert followed(rotation) == "deactivated"


def test_what_changes_no_key_holds_nothing_up(lena: Person, mias: IAMUser, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")
    iam_users.tag_iam_user(by=lena, iam_user=mias, tags={"stage": "test"}, at=AT)
    use(new_key_of(rotation), at=AT - HOUR)

    assert followed(rotation) == "proven"


def test_those_that_cannot_be_followed_yet_hide_no_others(
    mia: Person, old_key: AccessKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation_following, "FOLLOWED_AT_ONCE", 1)
    held_up = rotated(old_key, "proven", started_at=AT - 30 * DAY)
    steps.make_old_key_inactive(by=mia, rotation=held_up, at=AT)
    turn(old_key, "Inactive")
    others = [factories.iam_user(old_key.account, name, owner=mia, team=old_key.iam_user.team) for name in ("a", "b")]
    rows = [rotated(factories.access_key(other), "delivered", started_at=AT) for other in others]
    for row in rows:
        use(new_key_of(row), at=AT - HOUR)

    assert [follow_rotations(at=AT) for _ in range(3)] == [1, 1, 0]
    assert set(Rotation.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", flat=True)) == {"proven"}


@pytest.mark.parametrize("state", State)
def test_where_nothing_differs_nothing_is_written(leaves_nothing: Block, old_key: AccessKey, state: str) -> None:
    rotation = rotated(old_key, state)

    assert followed(rotation) == state
    assert not Entry.objects.exists()


def test_beat_has_it_done(old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")
    use(new_key_of(rotation), at=AT - HOUR)

    task()

    rotation.refresh_from_db()
    assert rotation.state == "proven"
    assert not SealedSecret.objects.exists()
