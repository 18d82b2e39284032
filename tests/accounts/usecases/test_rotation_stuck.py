"""A rotation that is given up, and steps that are stuck: somebody can always go on, and nobody is held up."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts.kinds import Kind
from accounts.models import (
    AccessKey,
    IAMUser,
    Person,
    Rotation,
)
from accounts.usecases import iam_users
from accounts.usecases import rotation as steps
from accounts.usecases.deliveries import give_up
from accounts.usecases.offboarding import follow_offboardings, offboard_person
from accounts.usecases.rotation import start_rotation
from portal.ledger.models import Delivery
from tests.accounts.usecases.rotating import (
    AT,
    HOUR,
    Block,
    kinds,
    last_entry,
    new_key_of,
    rotated,
    stick,
    use,
    waiting_secret,
)

DECIDE = {"make inactive": steps.make_old_key_inactive, "give up": steps.give_up_rotation}
KINDS = {"make inactive": Kind.ACCESS_KEY_DEACTIVATED, "give up": Kind.ROTATION_GIVEN_UP}


def start(by: Person, access_key: AccessKey, *, reason: str = "") -> Rotation:
    return start_rotation(by=by, access_key=access_key, at=AT, reason=reason)


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

    DECIDE[second](by=mia, rotation=rotation, at=AT, reason="Again")

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


def test_a_start_that_may_have_made_a_key_does_not_give_way_to_another(
    mia: Person, leaves_nothing: Block, old_key: AccessKey
) -> None:
    start(mia, old_key)
    stick(Kind.ROTATION_STARTED, baseline={"there": [], "called_at": AT.isoformat()}, stuck_kind="conflict")
    Rotation.objects.update(state="lapsed", ended_at=AT)

    with leaves_nothing(ValidationError, match="An access key of ledger-writer is on its way"):
        start(mia, old_key)
