"""The steps of a rotation: who decides which when, and what speaks against it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.kinds import Kind
from accounts.limits import OutsideEnvelope
from accounts.models import (
    AccessKey,
    IAMGroup,
    IAMUser,
    Person,
    Rotation,
    Team,
)
from accounts.usecases import iam_users
from accounts.usecases import rotation as steps
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.rotating import (
    AT,
    DAY,
    HOUR,
    Block,
    State,
    arrive,
    go,
    kinds,
    last_entry,
    new_key_of,
    rotated,
    turn,
    use,
)
from tests.portal.ledger.carrying import together

Step = Callable[..., Rotation]
# Each with a state in which it may be decided.
STEPS: dict[str, tuple[Step, str]] = {
    "make inactive": (steps.make_old_key_inactive, State.PROVEN),
    "make active": (steps.make_old_key_active, State.DEACTIVATED),
    "delete": (steps.delete_old_key, State.DEACTIVATED),
    "give up": (steps.give_up_rotation, State.DELIVERED),
}
KINDS = {
    "make inactive": Kind.ACCESS_KEY_DEACTIVATED,
    "make active": Kind.ACCESS_KEY_ACTIVATED,
    "delete": Kind.ACCESS_KEY_DELETED,
    "give up": Kind.ROTATION_GIVEN_UP,
}
each_step = pytest.mark.parametrize("name", STEPS)


def ready_for(name: str, old_key: AccessKey) -> Rotation:
    return rotated(old_key, STEPS[name][1])


# Each step


@each_step
@pytest.mark.parametrize("who", ["mia", "lena", "olive"])
def test_the_owner_decides_a_step_or_who_may_change_keys(
    request: pytest.FixtureRequest, mias: IAMUser, old_key: AccessKey, name: str, who: str
) -> None:
    rotation = ready_for(name, old_key)
    key = new_key_of(rotation) if name == "give up" else old_key

    STEPS[name][0](by=request.getfixturevalue(who), rotation=rotation, at=AT)

    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_name, entry.details["rotation"]) == (KINDS[name], mias.arn, rotation.pk)
    assert entry.details["access_key_id"] == key.access_key_id
    assert Delivery.objects.get().subject == mias.arn
    # Nothing counts before it has arrived.
    rotation.refresh_from_db()
    assert rotation.state == STEPS[name][1]


@each_step
@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_who_only_looks_decides_no_step(
    request: pytest.FixtureRequest, leaves_nothing: Block, old_key: AccessKey, name: str, who: str
) -> None:
    rotation, somebody = ready_for(name, old_key), request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        STEPS[name][0](by=somebody, rotation=rotation, at=AT)


@each_step
def test_elsewhere_the_rotation_does_not_exist(
    oskar: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, platform: Team, name: str
) -> None:
    rotation = ready_for(name, old_key)
    with leaves_nothing(NotThere):
        STEPS[name][0](by=oskar, rotation=rotation, at=AT)

    IAMUser.objects.filter(pk=mias.pk).update(team=platform)
    with leaves_nothing(NotThere):
        STEPS[name][0](by=lena, rotation=Rotation.objects.get(), at=AT)


@each_step
def test_a_former_owner_decides_nothing(
    mia: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, name: str
) -> None:
    rotation = ready_for(name, old_key)
    assert rotation.iam_user.owner == mia
    IAMUser.objects.filter(pk=mias.pk).update(owner=lena)

    with leaves_nothing(NotThere):
        STEPS[name][0](by=mia, rotation=rotation, at=AT)


@each_step
def test_an_iam_user_that_is_gone_or_going_changes_no_more(
    lena: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, name: str
) -> None:
    rotation = ready_for(name, old_key)
    iam_users.delete_iam_user(by=lena, iam_user=mias, reason="Unused", at=AT)
    with leaves_nothing(ValidationError, match="being deleted"):
        STEPS[name][0](by=mia, rotation=rotation, at=AT)

    IAMUser.objects.update(gone_at=AT)
    with leaves_nothing(ValidationError, match="no longer holds"):
        STEPS[name][0](by=mia, rotation=rotation, at=AT)


@each_step
@pytest.mark.parametrize("first", STEPS)
def test_one_step_at_a_time(mia: Person, leaves_nothing: Block, old_key: AccessKey, first: str, name: str) -> None:
    rotation = ready_for(first, old_key)
    STEPS[first][0](by=mia, rotation=rotation, at=AT)

    with leaves_nothing(ValidationError, match="The step before this one is on its way. Wait for it"):
        STEPS[name][0](by=mia, rotation=rotation, at=AT)


ALLOWED = {
    "make inactive": {"delivered", "proven"},
    "make active": {"deactivated"},
    "delete": {"deactivated"},
    "give up": {"made", "delivered", "proven"},
}


@each_step
@pytest.mark.parametrize("state", State)
def test_each_step_has_its_states(
    mia: Person, leaves_nothing: Block, old_key: AccessKey, state: str, name: str
) -> None:
    rotation = rotated(old_key, state)
    if state in ALLOWED[name]:
        STEPS[name][0](by=mia, rotation=rotation, at=AT, reason="I know")
        return

    with leaves_nothing(ValidationError, match=r"This cannot be done now: \w.*\.|The new key is on its way"):
        STEPS[name][0](by=mia, rotation=rotation, at=AT, reason="I know")


# Making the old key inactive


def test_what_nobody_has_proven_needs_a_reason(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")

    for reason in ("", "  "):
        with leaves_nothing(ValidationError, match="Nobody has seen the new key work yet"):
            steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason=reason)
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="It leaked")

    assert (last_entry().reason, last_entry().details["is_override"]) == ("It leaked", True)


def test_what_is_used_still_needs_a_reason(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "proven")
    use(old_key, at=AT - DAY + HOUR)

    with leaves_nothing(ValidationError, match="The old key was used on 22 November 2026 at 13:00 UTC") as refused:
        steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT)
    assert list(refused.value.message_dict) == ["reason"]
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="That was me")

    assert last_entry().details["is_override"] is True


def test_a_use_of_the_old_key_before_the_new_one_was_used_is_none(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "proven")
    use(old_key, at=AT - DAY)

    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT)

    assert last_entry().details["is_override"] is False


def test_a_reason_where_none_is_needed_overrides_nothing(mia: Person, old_key: AccessKey) -> None:
    """So that a use which the portal does not know of yet is still found by the worker."""
    steps.make_old_key_inactive(by=mia, rotation=rotated(old_key, "proven"), at=AT, reason="OPS-12")

    assert (last_entry().reason, last_entry().details["is_override"]) == ("OPS-12", False)


@pytest.mark.parametrize("name", ["make inactive", "delete"])
@pytest.mark.parametrize("how", ["inactive", "gone"])
def test_while_the_new_key_does_not_work_nothing_happens_to_the_old_one(
    mia: Person, leaves_nothing: Block, old_key: AccessKey, how: str, name: str
) -> None:
    rotation = ready_for(name, old_key)
    turn(new_key_of(rotation), "Inactive") if how == "inactive" else go(new_key_of(rotation))

    with leaves_nothing(ValidationError, match="is inactive, so nothing|AWS no longer holds"):
        STEPS[name][0](by=mia, rotation=rotation, at=AT, reason="I know")


def test_an_old_key_that_does_not_work_is_told(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")
    turn(old_key, "Inactive")

    with leaves_nothing(ValidationError, match="is inactive, so nothing works with it"):
        steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="I know")
    with leaves_nothing(ValidationError, match="is inactive, so nothing works with it"):
        steps.give_up_rotation(by=mia, rotation=rotation, at=AT)


# Back, and to the end


@pytest.mark.parametrize("state", ["made", "delivered", "proven", "deactivated"])
def test_what_somebody_made_inactive_past_the_portal_its_owner_does_not_take_back(
    mia: Person, lena: Person, leaves_nothing: Block, old_key: AccessKey, state: str
) -> None:
    rotation = rotated(old_key, state, **({"is_inactive_elsewhere": True} if state == "deactivated" else {}))
    turn(old_key, "Inactive")

    with leaves_nothing(NotAllowed):
        steps.make_old_key_active(by=mia, rotation=rotation, at=AT)
    steps.make_old_key_active(by=lena, rotation=rotation, at=AT)

    assert last_entry().kind == Kind.ACCESS_KEY_ACTIVATED


def test_a_lead_takes_it_back_within_the_envelope_alone(
    lena: Person, olive: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, administrators: IAMGroup
) -> None:
    rotation = rotated(old_key, "deactivated", is_inactive_elsewhere=True)
    factories.group_membership(mias, administrators)

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        steps.make_old_key_active(by=lena, rotation=rotation, at=AT)
    steps.make_old_key_active(by=olive, rotation=rotation, at=AT)


@pytest.mark.parametrize("name", ["start", "make active"])
def test_whom_the_portal_offboards_gets_nothing_back(
    olive: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, name: str
) -> None:
    rotation = rotated(old_key, "deactivated") if name == "make active" else None
    factories.offboarded_iam_user(factories.offboarding(mias.organization, mia), mias)

    with leaves_nothing(ValidationError, match="being offboarded. Undo that first"):
        if rotation is None:
            steps.start_rotation(by=olive, access_key=old_key, at=AT)
        else:
            steps.make_old_key_active(by=olive, rotation=rotation, at=AT)


def test_it_is_deleted_after_it_was_watched_or_with_a_reason(
    mia: Person, leaves_nothing: Block, old_key: AccessKey
) -> None:
    rotation = rotated(old_key, "deactivated", deactivated_at=AT - DAY, watch_until=AT + 6 * DAY)

    with leaves_nothing(ValidationError, match="is watched until 29 November 2026.*Say why you do not wait"):
        steps.delete_old_key(by=mia, rotation=rotation, at=AT, reason=" ")
    steps.delete_old_key(by=mia, rotation=rotation, at=AT, reason="It leaked")
    arrive()
    steps.delete_old_key(by=mia, rotation=rotation, at=AT + 6 * DAY)

    assert kinds() == [Kind.ACCESS_KEY_DELETED] * 2


@each_step
def test_the_time_is_the_given_one(mia: Person, old_key: AccessKey, name: str) -> None:
    at: datetime = AT + timedelta(days=300)

    STEPS[name][0](by=mia, rotation=ready_for(name, old_key), at=at)

    assert last_entry().at == at


# At once


@pytest.mark.django_db(transaction=True)
def test_of_many_steps_at_once_one_is_decided(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "proven")

    def ask(number: int) -> object:
        step = steps.make_old_key_inactive if number % 2 else steps.give_up_rotation
        mine = Rotation.objects.get(pk=rotation.pk)
        return step(by=Person.objects.get(pk=mia.pk), rotation=mine, at=AT, reason="" if number % 2 else "I know")

    told = together(10, ask)

    assert len([answer for answer in told if isinstance(answer, Rotation)]) == 1
    assert Entry.objects.count() == 1
