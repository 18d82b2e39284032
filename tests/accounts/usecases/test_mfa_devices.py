"""Register, resynchronize and remove the MFA devices of an IAM user: who may, when, and where codes stand."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Duty, IAMGroup, IAMUser, MFADevice, MFARegistration, Organization, Person
from accounts.models.sealed import Purpose, sealed_for
from accounts.usecases import mfa_devices, mfa_following, sealed_secrets
from accounts.usecases.iam_users import delete_iam_user, tag_iam_user
from portal.ledger.models import Delivery, Entry
from portal.secrets.keys import Unreadable
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CODES = {"first_code": "314159", "second_code": "271828"}

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def mias(ledger_writer: IAMUser, mia: Person) -> IAMUser:
    """An IAM user that a person assigned to Mia."""
    ledger_writer.owner, ledger_writer.owner_said_by = mia, IAMUser.SaidBy.HAND
    ledger_writer.save()
    return ledger_writer


@pytest.fixture
def shown(mias: IAMUser) -> MFARegistration:
    """A new device of hers, whose QR code was shown."""
    return factories.mfa_registration(mias)


def decide(name: str, by: Person, iam_user: IAMUser) -> None:
    """One of the five, about what there is of the IAM user."""
    registration, device = MFARegistration.objects.first(), MFADevice.objects.first()
    if name == "start":
        mfa_devices.start_registration(by=by, iam_user=iam_user, at=AT)
    elif name == "enable":
        assert registration is not None
        mfa_devices.enable_device(by=by, registration=registration, at=AT, **CODES)
    elif name == "give up":
        assert registration is not None
        mfa_devices.give_up_registration(by=by, registration=registration, at=AT)
    elif name == "resync":
        assert device is not None
        mfa_devices.resync_device(by=by, mfa_device=device, at=AT, **CODES)
    else:
        assert device is not None
        mfa_devices.remove_device(by=by, mfa_device=device, reason="Lost phone", at=AT)


def ready_for(name: str, iam_user: IAMUser) -> IAMUser:
    """Let there be what it is about; the IAM user as it is read anew."""
    if name in ("enable", "give up"):
        factories.mfa_registration(iam_user)
    elif name in ("resync", "remove"):
        factories.mfa_device(iam_user)
    return IAMUser.objects.get(pk=iam_user.pk)


OWNERS_ALONE = ["start", "enable", "give up", "resync"]
ALL = [*OWNERS_ALONE, "remove"]
KINDS = {
    "start": "accounts.mfa_device.registration_started",
    "enable": "accounts.mfa_device.enabled",
    "give up": "accounts.mfa_device.registration_ended",
    "resync": "accounts.mfa_device.resynced",
    "remove": "accounts.mfa_device.removed",
}


@pytest.mark.parametrize("name", ALL)
def test_its_owner_decides_and_it_is_carried(mia: Person, mias: IAMUser, name: str) -> None:
    decide(name, mia, ready_for(name, mias))

    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.subject_name) == (KINDS[name], str(mia.pk), mias.arn)
    assert Delivery.objects.get().subject == mias.arn


@pytest.mark.parametrize("name", OWNERS_ALONE)
@pytest.mark.parametrize("who", ["olive", "lena", "hugo", "ada"])
def test_nobody_else_has_a_device_of_theirs_on_it(
    request: pytest.FixtureRequest, leaves_nothing: Block, mias: IAMUser, who: str, name: str
) -> None:
    iam_user = ready_for(name, mias)
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        decide(name, somebody, iam_user)


@pytest.mark.parametrize("name", ALL)
def test_elsewhere_it_does_not_exist(
    oskar: Person, acme: Organization, leaves_nothing: Block, mias: IAMUser, name: str
) -> None:
    iam_user = ready_for(name, mias)
    max_ = factories.member("max@acme.test", Duty.MEMBER, of=acme)

    for somebody in (oskar, max_):
        with leaves_nothing(NotThere):
            decide(name, somebody, iam_user)


@pytest.mark.parametrize("name", OWNERS_ALONE)
def test_whose_it_was_when_they_asked_must_still_be_its_owner(
    leaves_nothing: Block, mia: Person, lena: Person, mias: IAMUser, name: str
) -> None:
    iam_user = ready_for(name, mias)
    registration = MFARegistration.objects.select_related("iam_user").first()
    assert registration is None or registration.iam_user.owner == mia
    IAMUser.objects.update(owner=lena)

    with leaves_nothing(NotThere):
        if registration is not None and name == "enable":
            mfa_devices.enable_device(by=mia, registration=registration, at=AT, **CODES)
        else:
            decide(name, mia, iam_user)


@pytest.mark.parametrize("name", ["start", "resync", "remove"])
def test_whom_only_tags_name_decides_within_the_envelope(
    leaves_nothing: Block, mia: Person, mias: IAMUser, administrators: IAMGroup, name: str
) -> None:
    membership = factories.group_membership(mias, administrators)
    IAMUser.objects.update(owner_said_by=IAMUser.SaidBy.TAGS)
    iam_user = ready_for(name, mias)

    with leaves_nothing(OutsideEnvelope, match="Only its tags"):
        decide(name, mia, iam_user)
    membership.delete()
    decide(name, mia, iam_user)


# Registering


def test_the_seed_is_for_its_owner(mia: Person, mias: IAMUser) -> None:
    registration = mfa_devices.start_registration(by=mia, iam_user=mias, reason="A new phone", at=AT)

    entry = Entry.objects.get()
    assert entry.reason == "A new phone"
    assert entry.details == {
        "user_name": "ledger-writer",
        "registration": registration.pk,
        "recipient": "mia@acme.test",
        "recipient_id": str(mia.pk),
    }
    assert (registration.state, registration.owner) == ("started", mia)


def test_one_at_a_time(mia: Person, leaves_nothing: Block, mias: IAMUser, shown: MFARegistration) -> None:
    with leaves_nothing(ValidationError, match="being registered or resynchronized already"):
        mfa_devices.start_registration(by=mia, iam_user=mias, at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.mfa_registration(mias)


def test_a_ninth_device_is_refused(mia: Person, leaves_nothing: Block, mias: IAMUser) -> None:
    for number in range(8):
        factories.mfa_device(mias, serial_number=f"GAHT1234567{number}")

    with leaves_nothing(ValidationError, match="AWS's limit"):
        mfa_devices.start_registration(by=mia, iam_user=mias, at=AT)


def test_who_is_offboarded_registers_nothing(mia: Person, leaves_nothing: Block, mias: IAMUser) -> None:
    factories.offboarded_iam_user(factories.offboarding(mias.organization, mia), mias)

    with leaves_nothing(ValidationError, match="being offboarded"):
        mfa_devices.start_registration(by=mia, iam_user=mias, at=AT)


@pytest.mark.parametrize("name", ALL)
def test_what_is_gone_or_going_changes_nothing(
    lena: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, name: str
) -> None:
    iam_user = ready_for(name, mias)
    delete_iam_user(by=lena, iam_user=IAMUser.objects.get(), reason="Unused", at=AT)
    with leaves_nothing(ValidationError, match="being deleted"):
        decide(name, mia, iam_user)

    IAMUser.objects.update(gone_at=AT)
    with leaves_nothing(ValidationError, match="no longer holds"):
        decide(name, mia, iam_user)


# Codes


def test_codes_stand_encrypted_in_their_row_alone(mia: Person, shown: MFARegistration) -> None:
    mfa_devices.enable_device(by=mia, registration=shown, at=AT, **CODES)

    row = MFARegistration.objects.get()
    assert (row.state, row.codes_at) == ("checking", AT)
    assert row.decrypted() == ("314159", "271828")
    everything = [*MFARegistration.objects.values(), *Entry.objects.values(), *Delivery.objects.values()]
    assert not any(code in str(everything) for code in CODES.values())


def test_codes_moved_to_another_row_do_not_open(mia: Person, acme_dev: Any, shown: MFARegistration) -> None:
    mfa_devices.enable_device(by=mia, registration=shown, at=AT, **CODES)
    other = factories.mfa_registration(factories.iam_user(acme_dev, "other", owner=mia))
    other.codes = MFARegistration.objects.get(pk=shown.pk).codes

    with pytest.raises(Unreadable):
        other.decrypted()


@pytest.mark.parametrize(
    ("codes", "field"),
    [
        (("", "271828"), "first_code"),
        (("31415", "271828"), "first_code"),
        (("3141590", "271828"), "first_code"),
        (("31415x", "271828"), "first_code"),
        (("٣١٤١٥٩", "271828"), "first_code"),
        (("314159", "27 182"), "second_code"),
        (("314159", "314159"), "second_code"),
    ],
)
@pytest.mark.parametrize("name", ["enable", "resync"])
def test_what_are_not_two_codes_is_refused(
    mia: Person, leaves_nothing: Block, mias: IAMUser, name: str, codes: tuple[str, str], field: str
) -> None:
    ready_for(name, mias)
    given: dict[str, Any] = {"first_code": codes[0], "second_code": codes[1], "by": mia, "at": AT}

    with leaves_nothing(ValidationError) as refused:
        if name == "enable":
            mfa_devices.enable_device(registration=MFARegistration.objects.get(), **given)
        else:
            mfa_devices.resync_device(mfa_device=MFADevice.objects.get(), **given)

    assert list(refused.value.message_dict) == [field]
    assert codes[0] not in str(refused.value) or not codes[0]


@pytest.mark.parametrize("name", ["enable", "resync"])
def test_codes_do_not_wait_behind_something_else(
    mia: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, name: str
) -> None:
    iam_user = ready_for(name, mias)
    tag_iam_user(by=lena, iam_user=IAMUser.objects.get(), tags={"stage": "test"}, at=AT)

    with leaves_nothing(ValidationError, match="is on its way to AWS. Wait for it"):
        decide(name, mia, iam_user)


@pytest.mark.parametrize("state", ["started", "made", "checking", "done", "lapsed"])
def test_codes_are_taken_once_the_qr_code_was_shown(
    mia: Person, leaves_nothing: Block, mias: IAMUser, state: str
) -> None:
    ended = {"ended_at": AT} if state in ("done", "lapsed") else {}
    registration = factories.mfa_registration(mias, state=state, **ended)

    with leaves_nothing(ValidationError, match="Codes cannot be taken now"):
        mfa_devices.enable_device(by=mia, registration=registration, at=AT, **CODES)


def test_another_owners_registration_is_not_carried_on(
    lena: Person, leaves_nothing: Block, mias: IAMUser, shown: MFARegistration
) -> None:
    IAMUser.objects.update(owner=lena)

    with leaves_nothing(ValidationError, match="Somebody else began this"):
        mfa_devices.enable_device(by=lena, registration=MFARegistration.objects.get(), at=AT, **CODES)


def test_old_codes_are_wiped(mia: Person, shown: MFARegistration) -> None:
    mfa_devices.enable_device(by=mia, registration=shown, at=AT, **CODES)

    mfa_following.follow_registrations(at=AT + timedelta(seconds=119))
    assert MFARegistration.objects.get().codes
    mfa_following.follow_registrations(at=AT + timedelta(minutes=2))

    assert (MFARegistration.objects.get().codes, MFARegistration.objects.get().state) == ("", "checking")


def test_the_database_keeps_no_codes_of_what_has_ended(mias: IAMUser) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.mfa_registration(mias, state="done", ended_at=AT, codes="v1:x", codes_at=AT)


# How a registration ends


def test_its_owner_gives_it_up_and_the_seed_is_wiped(mia: Person, mias: IAMUser) -> None:
    registration = factories.mfa_registration(mias, state="made")
    factories.sealed_secret(mias, Purpose.MFA_DEVICE, id=str(registration.pk))

    mfa_devices.give_up_registration(by=mia, registration=registration, reason="Wrong phone", at=AT)

    assert sealed_for(mias, Purpose.MFA_DEVICE).get().state == "expired"
    assert MFARegistration.objects.get().state == "given_up"
    assert Entry.objects.get().details["serial_number"] == registration.serial_number


@pytest.mark.parametrize("state", ["started", "checking"])
def test_what_is_on_its_way_is_not_given_up(mia: Person, leaves_nothing: Block, mias: IAMUser, state: str) -> None:
    registration = factories.mfa_registration(mias, state=state)

    with leaves_nothing(ValidationError, match="cannot be given up now"):
        mfa_devices.give_up_registration(by=mia, registration=registration, at=AT)


@pytest.mark.parametrize(("state", "ended"), [("made", 1), ("shown", 1), ("started", 0), ("checking", 0)])
def test_what_is_not_finished_in_time_ends_by_itself(mias: IAMUser, state: str, ended: int) -> None:
    factories.mfa_registration(mias, state=state, expires_at=AT)

    assert mfa_following.follow_registrations(at=AT - timedelta(seconds=1)) == 0
    assert mfa_following.follow_registrations(at=AT) == ended

    assert Entry.objects.filter(kind="accounts.mfa_device.registration_ended", by_id="").count() == ended
    assert MFARegistration.objects.filter(state="lapsed").count() == ended


def test_opening_the_seed_is_what_shows_it(mia: Person, mias: IAMUser) -> None:
    registration = factories.mfa_registration(mias, state="made")
    sealed = factories.sealed_secret(mias, Purpose.MFA_DEVICE, id=str(registration.pk))

    sealed_secrets.open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    registration.refresh_from_db()
    assert registration.state == "shown"


def test_opening_another_secret_shows_no_device(mia: Person, mias: IAMUser) -> None:
    registration = factories.mfa_registration(mias, state="made")
    sealed = factories.sealed_secret(mias, Purpose.PASSWORD, id=str(registration.pk))

    sealed_secrets.open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    registration.refresh_from_db()
    assert registration.state == "made"


def test_a_passkey_has_no_codes(mia: Person, leaves_nothing: Block, mias: IAMUser) -> None:
    passkey = factories.mfa_device(mias, serial_number="arn:aws:iam::111122223333:u2f/user/mia/key")

    with leaves_nothing(ValidationError, match="shows no codes"):
        mfa_devices.resync_device(by=mia, mfa_device=passkey, at=AT, **CODES)
