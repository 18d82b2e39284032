"""Beginning to rotate an access key: who may, for whom, and what speaks against it."""

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
from accounts.usecases import first_keys
from accounts.usecases import rotation as steps
from accounts.usecases.rotation import start_rotation
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.rotating import (
    AT,
    Block,
    State,
    arrive,
    go,
    rotated,
    stick,
    turn,
)
from tests.portal.ledger.carrying import together

TIMES = 20


def start(by: Person, access_key: AccessKey, *, reason: str = "") -> Rotation:
    return start_rotation(by=by, access_key=access_key, at=AT, reason=reason)


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


# Owners whom its tags alone name


def tagged(iam_user: IAMUser, *, group: IAMGroup | None) -> None:
    """Whoever may tag in the account has named its owner; `group` is one that it is in besides."""
    IAMUser.objects.filter(pk=iam_user.pk).update(owner_said_by=IAMUser.SaidBy.TAGS)
    if group is not None:
        factories.group_membership(iam_user, group)


def test_an_owner_by_tags_alone_is_handed_no_more_than_the_team_may_have(
    leaves_nothing: Block, mia: Person, mias: IAMUser, old_key: AccessKey, administrators: IAMGroup
) -> None:
    tagged(mias, group=administrators)

    with leaves_nothing(OutsideEnvelope, "Only its tags say"):
        start(mia, old_key)


def test_an_owner_by_tags_rotates_what_lies_within_the_teams_envelope(
    mia: Person, mias: IAMUser, old_key: AccessKey
) -> None:
    tagged(mias, group=None)

    assert start(mia, old_key).recipient == mia
