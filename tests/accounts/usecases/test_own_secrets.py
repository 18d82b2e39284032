"""Giving a secret up, handing it over, and making its key inactive: by whom, and what follows."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.access import NotThere
from accounts.models import AccessKey, IAMUser, Membership, Person, Rotation
from accounts.models.sealed import Purpose
from accounts.usecases.own_secrets import give_up_secret, hand_over_secret, stop_key
from accounts.usecases.rotation import delete_old_key
from accounts.usecases.sealed_secrets import expire_sealed_secrets, open_sealed_secret
from portal.ledger.models import Delivery, Entry
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests import factories
from tests.factories import SECRET

AT = timezone.now()
DAY = timedelta(days=1)
KEY_ID = "AKIALEDGERWRITER0001"

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def writer_of_mia(ledger_writer: IAMUser, mia: Person) -> IAMUser:
    """An application that Mia owns."""
    ledger_writer.owner = mia
    ledger_writer.save(update_fields=["owner"])
    return ledger_writer


@pytest.fixture
def key(writer_of_mia: IAMUser) -> AccessKey:
    return factories.access_key(writer_of_mia, access_key_id=KEY_ID)


@pytest.fixture
def sealed(key: AccessKey) -> SealedSecret:
    """Its secret, for Mia."""
    return factories.sealed_secret(key.iam_user, Purpose.ACCESS_KEY, id=KEY_ID, at=AT, expires_at=AT + DAY)


@pytest.fixture
def rotation(key: AccessKey) -> Rotation:
    """A rotation to that key, whose secret waits."""
    old = factories.access_key(key.iam_user)
    return factories.rotation(old, new_key=key, state="made", made_at=AT)


@pytest.fixture
def password(writer_of_mia: IAMUser) -> SealedSecret:
    return factories.sealed_secret(writer_of_mia, Purpose.PASSWORD)


DECIDE: dict[str, Callable[..., object]] = {
    "give up": lambda by, sealed: give_up_secret(by=by, secret_id=sealed.pk, at=AT),
    "hand over": lambda by, sealed: hand_over_secret(by=by, secret_id=sealed.pk, recipient=by, at=AT),
    "stop": lambda by, sealed: stop_key(by=by, secret_id=sealed.pk, at=AT),
}


@pytest.mark.parametrize("decision", DECIDE)
@pytest.mark.parametrize("who", ["olive", "lena", "hugo", "ada", "oskar"])
def test_for_everybody_else_it_does_not_exist(
    request: pytest.FixtureRequest, leaves_nothing: Block, sealed: SealedSecret, who: str, decision: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotThere):
        DECIDE[decision](somebody, sealed)
    assert SealedSecret.objects.get().state == "ready"


@pytest.mark.parametrize("decision", DECIDE)
def test_nor_for_who_has_left(mia: Person, leaves_nothing: Block, sealed: SealedSecret, decision: str) -> None:
    Membership.objects.filter(person=mia).update(ended_at=AT)

    with leaves_nothing(NotThere):
        DECIDE[decision](mia, sealed)


def test_one_that_is_not_there_has_no_key(mia: Person, leaves_nothing: Block) -> None:
    with leaves_nothing(NotThere):
        stop_key(by=mia, secret_id=uuid.uuid4(), at=AT)


# Giving up


def test_what_is_given_up_is_wiped_and_its_key_goes(mia: Person, sealed: SealedSecret) -> None:
    give_up_secret(by=mia, secret_id=sealed.pk, at=AT, reason="Asked at another desk")

    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.reason) == (
        "accounts.secret.given_up", str(mia.pk), "Asked at another desk",
    )  # fmt: skip
    assert (entry.details["access_key_id"], Delivery.objects.get().entry) == (KEY_ID, entry)
    assert SealedSecret.objects.get().state == "expired"
    with pytest.raises(seal.Expired):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)


def test_giving_up_ends_the_rotation_and_leaves_the_old_key(
    mia: Person, sealed: SealedSecret, rotation: Rotation
) -> None:
    give_up_secret(by=mia, secret_id=sealed.pk, at=AT)

    rotation.refresh_from_db()
    assert (rotation.state, rotation.ended_at) == ("lapsed", AT)
    ended = Entry.objects.get(kind="accounts.rotation.ended")
    assert "gave up" in ended.details["words"]


def test_what_was_opened_is_not_given_up(mia: Person, sealed: SealedSecret) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    with pytest.raises(ValidationError, match="does not wait any more"):
        give_up_secret(by=mia, secret_id=sealed.pk, at=AT)
    assert not Delivery.objects.exists()


def test_a_password_is_not_given_up(mia: Person, leaves_nothing: Block, password: SealedSecret) -> None:
    with leaves_nothing(ValidationError, match="This is a password"):
        give_up_secret(by=mia, secret_id=password.pk, at=AT)


# Handing over


def test_it_is_the_others_then_and_nobody_elses(mia: Person, lena: Person, sealed: SealedSecret) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT, reason="Lena installs it")

    sealed.refresh_from_db()
    assert (sealed.state, handed.recipient, handed.expires_at) == ("handed", lena, sealed.expires_at)
    with pytest.raises(seal.HandedOver):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)
    with pytest.raises(NotThere):
        open_sealed_secret(by=mia, secret_id=handed.pk, at=AT)
    assert open_sealed_secret(by=lena, secret_id=handed.pk, at=AT).reveal() == SECRET
    entry = Entry.objects.order_by("sequence").first()
    assert entry is not None
    assert (entry.kind, entry.reason) == ("accounts.secret.handed_over", "Lena installs it")
    assert (entry.details["handed_from"], entry.details["recipient"]) == ("mia@acme.test", "lena@acme.test")


def test_opened_by_the_other_it_is_delivered(
    mia: Person, lena: Person, sealed: SealedSecret, rotation: Rotation
) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT)
    open_sealed_secret(by=lena, secret_id=handed.pk, at=AT)

    rotation.refresh_from_db()
    assert rotation.state == "delivered"


def test_it_gets_no_more_time_by_that(mia: Person, lena: Person, sealed: SealedSecret) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT)

    assert expire_sealed_secrets(by=None, at=AT + DAY) == [handed]
    assert Delivery.objects.get().entry.kind == "accounts.secret.expired"


def test_whoever_got_it_does_not_pass_it_on(mia: Person, lena: Person, hugo: Person, sealed: SealedSecret) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT)

    with pytest.raises(ValidationError, match="Only the owner of ledger-writer"):
        hand_over_secret(by=lena, secret_id=handed.pk, recipient=hugo, at=AT)
    assert SealedSecret.objects.ready().get() == handed


def test_nobody_outside_gets_it(mia: Person, oskar: Person, leaves_nothing: Block, sealed: SealedSecret) -> None:
    with leaves_nothing(ValidationError, match="not in your organization"):
        hand_over_secret(by=mia, secret_id=sealed.pk, recipient=oskar, at=AT)


def test_nobody_who_is_disabled_gets_it(mia: Person, hugo: Person, leaves_nothing: Block, sealed: SealedSecret) -> None:
    Person.objects.filter(pk=hugo.pk).update(is_active=False)
    hugo.refresh_from_db()

    with leaves_nothing(ValidationError, match="is disabled"):
        hand_over_secret(by=mia, secret_id=sealed.pk, recipient=hugo, at=AT)


def test_ones_own_is_not_handed_to_oneself(mia: Person, leaves_nothing: Block, sealed: SealedSecret) -> None:
    with leaves_nothing(ValidationError, match="for you already"):
        hand_over_secret(by=mia, secret_id=sealed.pk, recipient=mia, at=AT)


def test_a_persons_key_stays_with_the_person(
    mia: Person, lena: Person, leaves_nothing: Block, sealed: SealedSecret
) -> None:
    IAMUser.objects.update(kind=IAMUser.Kind.PERSON)

    with leaves_nothing(ValidationError, match="A key of a person"):
        hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT)


def test_what_is_sealed_to_a_browser_stays_there(
    mia: Person, lena: Person, leaves_nothing: Block, key: AccessKey
) -> None:
    of_browser = factories.sealed_secret(key.iam_user, Purpose.ACCESS_KEY, id=KEY_ID, browser_key="B" * 87)

    with leaves_nothing(ValidationError, match="sealed to one browser"):
        hand_over_secret(by=mia, secret_id=of_browser.pk, recipient=lena, at=AT)


@pytest.mark.parametrize("how", ["opened", "late"])
def test_what_waits_no_more_is_not_handed_over(mia: Person, lena: Person, sealed: SealedSecret, how: str) -> None:
    if how == "opened":
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    with pytest.raises(ValidationError, match=r"was (opened|not opened)"):
        hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT + (DAY if how == "late" else DAY * 0))
    assert SealedSecret.objects.count() == 1


# Making its key inactive


def test_a_key_whose_secret_leaked_is_stopped(mia: Person, key: AccessKey, sealed: SealedSecret) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    stop_key(by=mia, secret_id=sealed.pk, at=AT)

    delivery = Delivery.objects.get()
    assert (delivery.entry.kind, delivery.entry.details["access_key_id"]) == (
        "accounts.access_key.deactivated", KEY_ID,
    )  # fmt: skip
    with pytest.raises(ValidationError, match="on its way"):
        stop_key(by=mia, secret_id=sealed.pk, at=AT)


def test_the_owner_stops_what_was_handed_over(mia: Person, lena: Person, sealed: SealedSecret) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT)
    open_sealed_secret(by=lena, secret_id=handed.pk, at=AT)

    stop_key(by=mia, secret_id=handed.pk, at=AT)

    assert Delivery.objects.get().entry.kind == "accounts.access_key.deactivated"


def test_stopping_the_new_key_ends_its_rotation_with_the_old_one(
    mia: Person, sealed: SealedSecret, rotation: Rotation
) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)
    AccessKey.objects.filter(access_key_id=KEY_ID).update(last_used_date=AT, last_used_source="x", last_used_read_at=AT)

    stop_key(by=mia, secret_id=sealed.pk, at=AT)

    rotation.refresh_from_db()
    assert rotation.state == "lapsed"
    assert "inactive" in Entry.objects.get(kind="accounts.rotation.ended").details["words"]


def test_while_the_old_key_is_inactive_the_new_one_is_not_stopped(
    mia: Person, leaves_nothing: Block, sealed: SealedSecret, rotation: Rotation
) -> None:
    AccessKey.objects.filter(pk=rotation.old_key_id).update(status="Inactive")

    with leaves_nothing(ValidationError, match="Make it active again"):
        stop_key(by=mia, secret_id=sealed.pk, at=AT)


def test_nor_while_a_step_of_the_rotation_is_on_its_way(mia: Person, sealed: SealedSecret, rotation: Rotation) -> None:
    later = AT + DAY * 9
    Rotation.objects.update(state="deactivated", deactivated_at=AT, watch_until=AT, proven_at=AT, proven_by="use")
    AccessKey.objects.filter(pk=rotation.old_key_id).update(status="Inactive")
    delete_old_key(by=mia, rotation=Rotation.objects.get(), at=later)

    with pytest.raises(ValidationError, match="on its way"):
        stop_key(by=mia, secret_id=sealed.pk, at=later)
    assert Rotation.objects.get().state == "deactivated"


def test_what_does_not_work_is_not_stopped(
    mia: Person, leaves_nothing: Block, key: AccessKey, sealed: SealedSecret
) -> None:
    AccessKey.objects.update(status="Inactive")

    with leaves_nothing(ValidationError, match="does not work any more"):
        stop_key(by=mia, secret_id=sealed.pk, at=AT)


def test_a_password_has_no_key(mia: Person, leaves_nothing: Block, password: SealedSecret) -> None:
    with leaves_nothing(NotThere):
        stop_key(by=mia, secret_id=password.pk, at=AT)
