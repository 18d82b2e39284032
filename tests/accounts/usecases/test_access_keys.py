"""Access keys outside a rotation: made inactive, active again, deleted."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.kinds import Kind
from accounts.limits import OutsideEnvelope
from accounts.models import AccessKey, IAMGroup, IAMUser, Membership, Person, Team
from accounts.usecases import access_keys, iam_users
from accounts.usecases.rotation import start_rotation
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.rotating import AT, Block, arrive, go, kinds, last_entry, rotated, stick, turn

Decide = Callable[..., AccessKey]
# Each with the status in which it may be decided.
STEPS: dict[str, tuple[Decide, str]] = {
    "make inactive": (access_keys.make_key_inactive, "Active"),
    "make active": (access_keys.make_key_active, "Inactive"),
    "delete": (access_keys.delete_access_key, "Inactive"),
}
KINDS = {
    "make inactive": Kind.ACCESS_KEY_DEACTIVATED,
    "make active": Kind.ACCESS_KEY_ACTIVATED,
    "delete": Kind.ACCESS_KEY_DELETED,
}
each_step = pytest.mark.parametrize("name", STEPS)


def ready_for(name: str, access_key: AccessKey) -> AccessKey:
    turn(access_key, STEPS[name][1])
    return access_key


def decided(name: str, by: Person, access_key: AccessKey) -> AccessKey:
    return STEPS[name][0](by=by, access_key=access_key, reason="Unused", at=AT)


@each_step
@pytest.mark.parametrize("who", ["lena", "olive"])
def test_who_may_change_keys_decides_it(
    request: pytest.FixtureRequest, mias: IAMUser, old_key: AccessKey, name: str, who: str
) -> None:
    decided(name, request.getfixturevalue(who), ready_for(name, old_key))

    entry = Entry.objects.get()
    assert (entry.kind, entry.reason, entry.subject_name) == (KINDS[name], "Unused", mias.arn)
    assert entry.details == {"user_name": "ledger-writer", "access_key_id": old_key.access_key_id}
    assert (Delivery.objects.get().subject, Delivery.objects.get().queue) == (mias.arn, "interactive")


@pytest.mark.parametrize("name", ["make inactive", "delete"])
def test_its_owner_decides_it(mia: Person, old_key: AccessKey, name: str) -> None:
    decided(name, mia, ready_for(name, old_key))

    assert last_entry().kind == KINDS[name]


@each_step
@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_who_only_looks_decides_nothing(
    request: pytest.FixtureRequest, leaves_nothing: Block, old_key: AccessKey, name: str, who: str
) -> None:
    somebody = request.getfixturevalue(who)
    ready_for(name, old_key)

    with leaves_nothing(NotAllowed):
        decided(name, somebody, old_key)


@each_step
def test_elsewhere_it_does_not_exist(
    oskar: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, platform: Team, name: str
) -> None:
    ready_for(name, old_key)
    with leaves_nothing(NotThere):
        decided(name, oskar, old_key)

    IAMUser.objects.filter(pk=mias.pk).update(team=platform)
    with leaves_nothing(NotThere):
        decided(name, lena, AccessKey.objects.get())


@each_step
@pytest.mark.parametrize("ending", ["left", "another owner"])
def test_a_former_owner_decides_nothing(
    mia: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, name: str, ending: str
) -> None:
    ready_for(name, old_key)
    if ending == "left":
        Membership.objects.filter(person=mia).update(ended_at=AT)
    else:
        IAMUser.objects.filter(pk=mias.pk).update(owner=lena)

    with leaves_nothing(NotThere):
        decided(name, mia, old_key)


@each_step
def test_an_iam_user_that_is_gone_or_going_changes_no_more(
    lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, name: str
) -> None:
    ready_for(name, old_key)
    iam_users.delete_iam_user(by=lena, iam_user=mias, reason="Unused", at=AT)
    with leaves_nothing(ValidationError, match="being deleted"):
        decided(name, lena, old_key)

    IAMUser.objects.update(gone_at=AT)
    with leaves_nothing(ValidationError, match="no longer holds"):
        decided(name, lena, old_key)


@each_step
def test_a_key_that_is_gone_is_told(lena: Person, leaves_nothing: Block, old_key: AccessKey, name: str) -> None:
    go(ready_for(name, old_key))

    with leaves_nothing(ValidationError, match="AWS no longer holds AKIA"):
        decided(name, lena, old_key)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("make inactive", "Inactive", "is inactive already"),
        ("make active", "Active", "is active already"),
        ("delete", "Active", "is active. Make it inactive first, and see whether anything misses it"),
    ],
)
def test_each_has_its_status(
    lena: Person, leaves_nothing: Block, old_key: AccessKey, name: str, status: str, words: str
) -> None:
    turn(old_key, status)

    with leaves_nothing(ValidationError, match=words):
        decided(name, lena, old_key)


@each_step
@pytest.mark.parametrize("state", ["started", "made", "delivered", "proven", "deactivated"])
@pytest.mark.parametrize("which", ["old", "new"])
def test_a_key_of_an_open_rotation_changes_within_it_alone(
    lena: Person, leaves_nothing: Block, old_key: AccessKey, state: str, which: str, name: str
) -> None:
    rotation = rotated(old_key, state)
    access_key = rotation.new_key if which == "new" and rotation.new_key is not None else old_key
    ready_for(name, access_key)

    with leaves_nothing(ValidationError, match="belongs to a rotation that is open. Go on with that, or give it up"):
        decided(name, lena, access_key)


@each_step
def test_a_third_key_is_nobodys_business_of_the_rotation(lena: Person, old_key: AccessKey, name: str) -> None:
    rotated(old_key, "proven")

    decided(name, lena, ready_for(name, factories.access_key(old_key.iam_user)))

    assert last_entry().kind == KINDS[name]


@each_step
@pytest.mark.parametrize("first", STEPS)
def test_one_change_of_a_key_at_a_time(
    lena: Person, leaves_nothing: Block, old_key: AccessKey, first: str, name: str
) -> None:
    decided(first, lena, ready_for(first, old_key))
    ready_for(name, old_key)

    with leaves_nothing(ValidationError, match="A change of AKIA.* is on its way. Wait for it"):
        decided(name, lena, old_key)


def test_a_change_of_another_key_does_not_stand_in_its_way(lena: Person, mias: IAMUser, old_key: AccessKey) -> None:
    decided("make inactive", lena, factories.access_key(mias))

    decided("make inactive", lena, old_key)

    assert kinds() == [Kind.ACCESS_KEY_DEACTIVATED] * 2


def test_a_change_that_is_stuck_gives_way_to_the_next(mia: Person, old_key: AccessKey) -> None:
    decided("make inactive", mia, old_key)
    stuck = stick(Kind.ACCESS_KEY_DEACTIVATED)

    decided("make inactive", mia, old_key)

    stuck.refresh_from_db()
    assert stuck.state == "given_up"
    assert kinds() == [Kind.ACCESS_KEY_DEACTIVATED, Kind.DELIVERY_GIVEN_UP, Kind.ACCESS_KEY_DEACTIVATED]


def test_a_key_whose_change_is_on_its_way_is_not_rotated(
    mia: Person, leaves_nothing: Block, old_key: AccessKey
) -> None:
    decided("make inactive", mia, old_key)

    with leaves_nothing(ValidationError, match="A change of an access key of ledger-writer is on its way"):
        start_rotation(by=mia, access_key=old_key, at=AT)


# Active again


def made_inactive(by: Person, access_key: AccessKey) -> None:
    decided("make inactive", by, access_key)
    arrive()
    turn(access_key, "Inactive")


def test_an_owner_takes_back_what_they_did_themselves(mia: Person, old_key: AccessKey) -> None:
    made_inactive(mia, old_key)

    decided("make active", mia, old_key)

    assert last_entry().kind == Kind.ACCESS_KEY_ACTIVATED


@pytest.mark.parametrize("how", ["somebody else", "elsewhere", "elsewhere since", "given up"])
def test_an_owner_takes_nothing_back_that_others_did(
    mia: Person, lena: Person, leaves_nothing: Block, old_key: AccessKey, how: str
) -> None:
    if how == "somebody else":
        made_inactive(mia, old_key)
        decided("make active", mia, old_key)
        arrive()
        turn(old_key, "Active")
        made_inactive(lena, old_key)
    elif how == "elsewhere since":
        made_inactive(mia, old_key)
        decided("make active", mia, old_key)
        arrive()
    elif how == "given up":
        decided("make inactive", mia, old_key)
        Delivery.objects.update(state="given_up", done_at=AT)
    turn(old_key, "Inactive")

    with leaves_nothing(NotAllowed):
        decided("make active", mia, old_key)
    decided("make active", lena, old_key)


def test_a_lead_lets_nothing_work_again_that_can_do_more_unless_they_made_it_inactive(
    lena: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey, administrators: IAMGroup
) -> None:
    factories.group_membership(mias, administrators)
    turn(old_key, "Inactive")
    with leaves_nothing(OutsideEnvelope, match="administrators"):
        decided("make active", lena, old_key)

    turn(old_key, "Active")
    made_inactive(lena, old_key)
    decided("make active", lena, old_key)


def test_whom_the_portal_offboards_gets_nothing_back(
    olive: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, old_key: AccessKey
) -> None:
    turn(old_key, "Inactive")
    factories.offboarded_iam_user(factories.offboarding(mias.organization, mia), mias)

    with leaves_nothing(ValidationError, match="being offboarded. Undo that first"):
        decided("make active", olive, old_key)
