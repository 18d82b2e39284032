"""Rotating an access key: who decides which step when, and what speaks against it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.access import NotAllowed, NotThere
from accounts.kinds import Kind
from accounts.limits import OutsideEnvelope
from accounts.models import (
    AccessKey,
    Duty,
    IAMGroup,
    IAMUser,
    Membership,
    Organization,
    Person,
    Rotation,
    Team,
)
from accounts.usecases import first_keys, iam_users
from accounts.usecases import rotation as steps
from accounts.usecases.deliveries import give_up
from accounts.usecases.offboarding import follow_offboardings, offboard_person
from accounts.usecases.rotation import start_rotation
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
    stick,
    turn,
    use,
    waiting_secret,
)
from tests.portal.ledger.carrying import together

TIMES = 20

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


def start(by: Person, access_key: AccessKey, **fields: Any) -> Rotation:
    return start_rotation(**{"by": by, "access_key": access_key, "at": AT} | fields)


# Begun


@pytest.mark.parametrize("who", ["mia", "lena", "olive"])
def test_the_owner_begins_it_or_who_may_make_keys(
    request: pytest.FixtureRequest, mia: Person, mias: IAMUser, old_key: AccessKey, who: str
) -> None:
    by = request.getfixturevalue(who)

    rotation = start(by, old_key, reason="It is old")

    assert (rotation.state, rotation.recipient, rotation.started_by, rotation.new_key) == ("started", mia, by, None)
    entry = Entry.objects.get()
    assert (entry.kind, entry.reason, entry.subject_name) == (Kind.ROTATION_STARTED, "It is old", mias.arn)
    assert entry.details == {
        "user_name": "ledger-writer",
        "rotation": rotation.pk,
        "access_key_id": old_key.access_key_id,
        "recipient": "mia@acme.test",
        "recipient_id": str(mia.pk),
    }
    assert (Delivery.objects.get().subject, Delivery.objects.get().queue) == (mias.arn, "interactive")


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_who_only_looks_does_not_begin_one(
    request: pytest.FixtureRequest, leaves_nothing: Block, old_key: AccessKey, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        start(somebody, old_key)


def test_elsewhere_the_key_does_not_exist(
    oskar: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, platform: Team
) -> None:
    with leaves_nothing(NotThere):
        start(oskar, old_key)

    IAMUser.objects.filter(pk=mias.pk).update(team=platform)
    with leaves_nothing(NotThere):
        start(lena, AccessKey.objects.get())


def test_a_member_rotates_no_key_of_somebody_else(
    mia: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, acme: Organization
) -> None:
    other = factories.member("mo@acme.test", Duty.MEMBER, of=acme)
    with leaves_nothing(NotThere):
        start(other, old_key)

    # It was Mia's when the page was loaded.
    stale = AccessKey.objects.select_related("iam_user").get()
    IAMUser.objects.filter(pk=mias.pk).update(owner=lena)
    with leaves_nothing(NotThere):
        start(mia, stale)


def test_an_owner_who_has_left_begins_nothing(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    Membership.objects.filter(person=mia).update(ended_at=AT)

    with leaves_nothing(NotThere):
        start(mia, old_key)


def test_a_lead_makes_no_key_of_what_can_do_more_and_its_owner_does(
    lena: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, administrators: IAMGroup
) -> None:
    factories.group_membership(mias, administrators)

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        start(lena, old_key)
    assert start(mia, old_key).state == "started"


@pytest.mark.parametrize("ending", ["disabled", "left", "nobody"])
def test_without_an_owner_who_is_here_there_is_nobody_to_seal_it_for(
    olive: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, ending: str
) -> None:
    if ending == "disabled":
        Person.objects.filter(pk=mia.pk).update(is_active=False)
    elif ending == "left":
        Membership.objects.filter(person=mia).update(ended_at=AT)
    else:
        IAMUser.objects.filter(pk=mias.pk).update(owner=None)

    with leaves_nothing(ValidationError, match="Assign (another|an) owner first"):
        start(olive, AccessKey.objects.get())


@pytest.mark.parametrize("state", [state for state in State if state not in ("done", "given_up", "lapsed")])
def test_one_at_a_time(mia: Person, leaves_nothing: Block, old_key: AccessKey, state: str) -> None:
    rotation = rotated(old_key, state)
    new_key = rotation.new_key or old_key

    with leaves_nothing(ValidationError, match="is open already. Go on with that one"):
        start(mia, old_key)
    with leaves_nothing(ValidationError, match="is open already. Go on with that one"):
        start(mia, new_key)


def test_the_database_holds_that_there_is_one(old_key: AccessKey) -> None:
    rotated(old_key, "started")

    with pytest.raises(IntegrityError), transaction.atomic():
        rotated(old_key, "started")


@pytest.mark.parametrize("state", ["done", "given_up", "lapsed"])
def test_what_is_over_does_not_stand_in_its_way(mia: Person, old_key: AccessKey, state: str) -> None:
    rotation = rotated(old_key, state)
    if rotation.new_key is not None:
        go(rotation.new_key)

    assert start(mia, old_key).state == "started"


def test_a_key_that_does_not_work_is_not_rotated(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    turn(old_key, "Inactive")
    with leaves_nothing(ValidationError, match="is inactive, so nothing works with it"):
        start(mia, old_key)

    go(old_key)
    with leaves_nothing(ValidationError, match="AWS no longer holds"):
        start(mia, old_key)


@pytest.mark.parametrize("count", [2, 3])
def test_without_room_it_says_what_to_do(mia: Person, leaves_nothing: Block, old_key: AccessKey, count: int) -> None:
    factories.access_key(old_key.iam_user, gone_at=AT)
    for _ in range(count - 1):
        factories.access_key(old_key.iam_user, status="Inactive")

    with leaves_nothing(ValidationError, match=f"has {count} access keys, AWS's limit.*inactive, then delete it"):
        start(mia, old_key)


def test_what_makes_or_changes_a_key_arrives_first(
    lena: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey
) -> None:
    first_keys.create_access_key(by=lena, iam_user=mias, at=AT)
    with leaves_nothing(ValidationError, match="An access key of ledger-writer is on its way"):
        start(mia, old_key)
    arrive()

    rotation = start(mia, old_key)
    with leaves_nothing(ValidationError, match="An access key of ledger-writer is on its way"):
        first_keys.create_access_key(by=lena, iam_user=mias, at=AT)
    stick(Kind.ROTATION_STARTED)
    steps.give_up_rotation(by=mia, rotation=rotation, at=AT)
    steps.make_old_key_inactive(by=mia, rotation=rotated(old_key, "delivered"), at=AT, reason="Leaked")
    Rotation.objects.filter(state="delivered").update(state="lapsed", ended_at=AT)
    with leaves_nothing(ValidationError, match="A change of an access key of ledger-writer is on its way"):
        start(mia, old_key)


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
            start(olive, old_key)
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


# Giving it up


def test_giving_up_wipes_the_secret_at_once(mia: Person, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "made")
    secret = waiting_secret(rotation)

    steps.give_up_rotation(by=mia, rotation=rotation, at=AT)

    secret.refresh_from_db()
    assert secret.state == "expired"


@pytest.mark.parametrize("state", ["delivered", "proven"])
def test_once_the_new_key_is_in_use_a_reason_ends_it_and_both_keys_stay(
    mia: Person, leaves_nothing: Block, old_key: AccessKey, state: str
) -> None:
    rotation = rotated(old_key, state)
    use(new_key_of(rotation), at=AT - HOUR)

    with leaves_nothing(ValidationError, match="The new key is in use already. Go on with the rotation; or say why"):
        steps.give_up_rotation(by=mia, rotation=rotation, at=AT)
    steps.give_up_rotation(by=mia, rotation=rotation, at=AT, reason="The new key leaked")

    rotation.refresh_from_db()
    assert (rotation.state, rotation.ended_at) == ("given_up", AT)
    assert (kinds(), last_entry().reason) == ([Kind.ROTATION_ENDED], "The new key leaked")
    assert not Delivery.objects.exists()
    assert AccessKey.objects.present().filter(status="Active").count() == 2


def test_a_start_that_aws_refused_is_given_up_by_its_owner(
    mia: Person, leaves_nothing: Block, old_key: AccessKey
) -> None:
    rotation = start(mia, old_key)
    with leaves_nothing(ValidationError, match="The new key is on its way. Wait for it"):
        steps.give_up_rotation(by=mia, rotation=rotation, at=AT)
    delivery = stick(Kind.ROTATION_STARTED, error="AWS denied CreateAccessKey.")

    steps.give_up_rotation(by=mia, rotation=rotation, at=AT)

    rotation.refresh_from_db()
    delivery.refresh_from_db()
    assert (rotation.state, delivery.state) == ("given_up", "given_up")
    entry = last_entry()
    assert (entry.kind, entry.by_id, entry.details["error"]) == (
        Kind.DELIVERY_GIVEN_UP,
        str(mia.pk),
        "AWS denied CreateAccessKey.",
    )
    assert start(mia, old_key).state == "started"


def test_a_start_that_may_have_made_a_key_is_left_to_who_may_give_deliveries_up(
    mia: Person, olive: Person, leaves_nothing: Block, old_key: AccessKey
) -> None:
    rotation = start(mia, old_key)
    delivery = stick(Kind.ROTATION_STARTED, baseline={"there": [], "called_at": AT.isoformat()}, stuck_kind="conflict")

    with leaves_nothing(ValidationError, match="AWS may have made a key.*Ask an owner or an admin"):
        steps.give_up_rotation(by=mia, rotation=rotation, at=AT)
    give_up(by=olive, delivery=delivery, reason="I deleted it", at=AT)

    rotation.refresh_from_db()
    assert rotation.state == "given_up"


# What is stuck


@pytest.mark.parametrize("second", ["make inactive", "give up"])
def test_a_step_that_is_stuck_gives_way_to_the_next(mia: Person, old_key: AccessKey, second: str) -> None:
    rotation = rotated(old_key, "delivered")
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="It leaked")
    stuck = stick(Kind.ACCESS_KEY_DEACTIVATED, stuck_kind="outdated", error="The new key does not work.")

    STEPS[second][0](by=mia, rotation=rotation, at=AT, reason="Again")

    stuck.refresh_from_db()
    assert (stuck.state, stuck.error) == ("given_up", "The new key does not work.")
    assert kinds() == [Kind.ACCESS_KEY_DEACTIVATED, Kind.DELIVERY_GIVEN_UP, KINDS[second]]
    assert Delivery.objects.deliverable(AT).get().entry.kind == KINDS[second]


def test_a_refused_decision_leaves_what_is_stuck(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="It leaked")
    stick(Kind.ACCESS_KEY_DEACTIVATED)

    with leaves_nothing(ValidationError, match="Nobody has seen"):
        steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT)


def test_a_step_that_only_waits_does_not_give_way(mia: Person, leaves_nothing: Block, old_key: AccessKey) -> None:
    rotation = rotated(old_key, "delivered")
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="It leaked")
    Delivery.objects.update(state="waiting", not_before=AT)

    with leaves_nothing(ValidationError, match="is on its way"):
        steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="It leaked")


def test_what_is_stuck_does_not_keep_a_leaver_from_being_disabled(
    olive: Person, mia: Person, mias: IAMUser, old_key: AccessKey
) -> None:
    IAMUser.objects.update(kind="person")
    rotation = rotated(old_key, "delivered")
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT, reason="It leaked")
    stick(Kind.ACCESS_KEY_DEACTIVATED)

    offboard_person(by=olive, organization=mias.organization, person=mia, reason="Leaves", at=AT)

    assert Delivery.objects.deliverable(AT).get().entry.kind == Kind.IAM_USER_DISABLED


def test_what_gets_stuck_after_a_leaver_was_offboarded_gives_way_too(
    olive: Person, mia: Person, mias: IAMUser, old_key: AccessKey
) -> None:
    IAMUser.objects.update(kind="person")
    rotation = start(mia, old_key)
    offboard_person(by=olive, organization=mias.organization, person=mia, reason="Leaves", at=AT)
    doubt = {"there": [], "called_at": AT.isoformat()}
    stick(Kind.ROTATION_STARTED, stuck_kind="outdated", error="Mia has left.", baseline=doubt)
    assert not Delivery.objects.deliverable(AT).exists()

    follow_offboardings(at=AT + timedelta(minutes=1))

    rotation.refresh_from_db()
    assert rotation.state == "given_up"
    assert Delivery.objects.deliverable(AT).get().entry.kind == Kind.IAM_USER_DISABLED


def test_what_is_stuck_of_somebody_who_stays_is_left_to_people(mia: Person, old_key: AccessKey) -> None:
    start(mia, old_key)
    stuck = stick(Kind.ROTATION_STARTED)

    follow_offboardings(at=AT + timedelta(minutes=1))

    stuck.refresh_from_db()
    assert stuck.state == "stuck"


def test_what_is_stuck_does_not_keep_an_iam_user_from_being_deleted(
    lena: Person, mia: Person, mias: IAMUser, old_key: AccessKey
) -> None:
    start(mia, old_key)
    stick(Kind.ROTATION_STARTED)

    iam_users.delete_iam_user(by=lena, iam_user=mias, reason="Unused", at=AT)

    assert Delivery.objects.deliverable(AT).get().entry.kind == Kind.IAM_USER_DELETED
    assert Rotation.objects.get().state == "given_up"


def test_a_delivery_that_an_admin_gives_up_leaves_the_rotation_usable(
    olive: Person, mia: Person, old_key: AccessKey
) -> None:
    rotation = rotated(old_key, "proven")
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT)
    give_up(by=olive, delivery=stick(Kind.ACCESS_KEY_DEACTIVATED), reason="Not now", at=AT)

    rotation.refresh_from_db()
    assert rotation.state == "proven"
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=AT)


# At once


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_begins_it(mia: Person, old_key: AccessKey) -> None:
    def ask(_: int) -> object:
        return start(Person.objects.get(pk=mia.pk), AccessKey.objects.get(pk=old_key.pk))

    told = together(TIMES, ask)

    assert len([answer for answer in told if isinstance(answer, Rotation)]) == 1
    refused = {str(answer) for answer in told if not isinstance(answer, Rotation)}
    assert refused == {"['A rotation of ledger-writer is open already. Go on with that one.']"}
    assert (Rotation.objects.count(), Entry.objects.count(), Delivery.objects.count()) == (1, 1, 1)


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


@each_step
def test_the_time_is_the_given_one(mia: Person, old_key: AccessKey, name: str) -> None:
    at: datetime = AT + timedelta(days=300)

    STEPS[name][0](by=mia, rotation=ready_for(name, old_key), at=at)

    assert last_entry().at == at
