"""Carrying MFA devices: the seed is for the owner, wrong codes hold nothing up, and what nobody finishes goes."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, IAMUser, MFADevice, MFARegistration, Person
from accounts.models.sealed import Purpose, sealed_for
from accounts.usecases import mfa_devices, mfa_following, sealed_secrets
from accounts.usecases.deliveries import give_up, try_again
from accounts.usecases.iam_users import tag_iam_user
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import deliver_until_quiet
from tests.aws import authenticator
from tests.aws.server import AWS
from tests.aws.strict import Fault

NAME = "ledger-writer"
WRONG = ("000000", "000001")


@pytest.fixture
def begin(mia: Person, mias: IAMUser) -> Callable[[], tuple[MFARegistration, str]]:
    """Mia registers a device up to the moment at which she has its seed."""

    def begun() -> tuple[MFARegistration, str]:
        registration = mfa_devices.start_registration(by=mia, iam_user=mias, at=database_now())
        assert deliver_until_quiet().state == Delivery.State.DONE
        sealed = sealed_for(mias, Purpose.MFA_DEVICE).ready().get()
        seed = sealed_secrets.open_sealed_secret(by=mia, secret_id=sealed.pk, at=timezone.now()).reveal()
        registration.refresh_from_db()
        return registration, seed

    return begun


@pytest.fixture
def phone(iam: Any, mias: IAMUser) -> MFADevice:
    """Her device, in AWS and as the portal last read it."""
    return factories.mfa_device(mias, serial_number=authenticator.enable(iam, NAME))


def enable(by: Person, registration: MFARegistration, codes: tuple[str, str]) -> None:
    mfa_devices.enable_device(
        by=by, registration=registration, first_code=codes[0], second_code=codes[1], at=database_now()
    )


def resync(by: Person, mfa_device: MFADevice, codes: tuple[str, str]) -> MFARegistration:
    return mfa_devices.resync_device(
        by=by, mfa_device=mfa_device, first_code=codes[0], second_code=codes[1], at=database_now()
    )


def seed_of(aws: AWS, account: Account, serial_number: str) -> str:
    seed: str = aws.backend(account.account_id).virtual_mfa_devices[serial_number].base32_string_seed
    return seed


def enabled(iam: Any) -> list[str]:
    return [device["SerialNumber"] for device in iam.list_mfa_devices(UserName=NAME)["MFADevices"]]


def virtual(iam: Any) -> list[str]:
    return [device["SerialNumber"] for device in iam.list_virtual_mfa_devices()["VirtualMFADevices"]]


def state() -> tuple[str, str, str]:
    """What the one registration says, and what it keeps of codes."""
    return MFARegistration.objects.values_list("state", "words", "codes").get()


# Registering


def test_from_the_seed_to_a_device_that_is_in_use(
    aws: AWS, iam: Any, prod: Account, mia: Person, mias: IAMUser, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, seed = begin()
    assert (registration.state, virtual(iam), enabled(iam)) == ("shown", [registration.serial_number], [])
    assert seed == seed_of(aws, prod, registration.serial_number)
    entry = Entry.objects.get(kind="accounts.mfa_device.registration_started")
    assert registration.serial_number.endswith(f"mfa/{NAME}-{str(entry.pk).replace('-', '')[:12]}")

    enable(mia, registration, authenticator.codes(seed))

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert enabled(iam) == [registration.serial_number]
    row = MFADevice.objects.get()
    assert (row.iam_user, row.serial_number, row.source) == (mias, registration.serial_number, "list_mfa_devices")
    assert state() == ("done", "", "")


def test_wrong_codes_are_an_answer_and_hold_nothing_up(
    iam: Any, lena: Person, mia: Person, mias: IAMUser, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, seed = begin()

    enable(mia, registration, WRONG)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state() == (
        "shown",
        "The codes did not fit. Wait until your device shows two new ones, one after the other, and type those.",
        "",
    )
    assert (enabled(iam), MFADevice.objects.count()) == ([], 0)
    tag_iam_user(by=lena, iam_user=IAMUser.objects.get(), tags={"stage": "test"}, at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE
    registration.refresh_from_db()
    enable(mia, registration, authenticator.codes(seed))
    deliver_until_quiet()
    assert state() == ("done", "", "")


@pytest.mark.parametrize("wiped", [True, False])
def test_codes_that_come_too_late_are_not_sent(
    aws: AWS, mia: Person, begin: Callable[[], tuple[MFARegistration, str]], wiped: bool
) -> None:
    registration, seed = begin()
    enable(mia, registration, authenticator.codes(seed))
    MFARegistration.objects.update(codes_at=database_now() - timedelta(minutes=2))
    if wiped:
        mfa_following.follow_registrations(at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE

    assert aws.calls("EnableMFADevice") == []
    assert state() == ("shown", "The codes did not reach AWS in time. Type two new ones.", "")


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER])
def test_a_lost_answer_is_looked_up(
    aws: AWS, iam: Any, mia: Person, begin: Callable[[], tuple[MFARegistration, str]], fault: Fault
) -> None:
    registration, seed = begin()
    aws.faults.inject("EnableMFADevice", fault)
    enable(mia, registration, authenticator.codes(seed))

    deliver_until_quiet()

    assert len(aws.calls("EnableMFADevice")) == 1
    assert (state(), enabled(iam)) == (("done", "", ""), [registration.serial_number])


def test_what_aws_denies_is_stuck_until_somebody_helps_and_then_takes_other_codes(
    aws: AWS, mia: Person, olive: Person, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, seed = begin()
    aws.faults.inject("EnableMFADevice", Fault.DENY)
    enable(mia, registration, authenticator.codes(seed))
    delivery = deliver_until_quiet()
    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "denied")
    MFARegistration.objects.update(codes_at=database_now() - timedelta(minutes=5))
    mfa_following.follow_registrations(at=database_now())

    try_again(by=olive, delivery=delivery, reason="The permission is there.", at=database_now())
    deliver_until_quiet()

    assert state()[:2] == ("shown", "The codes did not reach AWS in time. Type two new ones.")


def test_codes_that_were_given_up_make_room_for_others(
    aws: AWS, mia: Person, olive: Person, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, seed = begin()
    aws.faults.inject("EnableMFADevice", Fault.DENY)
    enable(mia, registration, authenticator.codes(seed))

    give_up(by=olive, delivery=deliver_until_quiet(), reason="No permission.", at=database_now())

    assert state() == ("shown", "Somebody gave it up before AWS had the codes.", "")


def test_a_device_that_is_gone_ends_it(iam: Any, mia: Person, begin: Callable[[], tuple[MFARegistration, str]]) -> None:
    registration, seed = begin()
    MFARegistration.objects.update(made_at=database_now() - timedelta(hours=1))
    iam.delete_virtual_mfa_device(SerialNumber=registration.serial_number)

    enable(mia, registration, authenticator.codes(seed))

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state() == ("lapsed", "AWS no longer holds this device. Register another one.", "")


def test_a_device_that_somebody_else_uses_is_not_written_down(
    iam: Any, mia: Person, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, seed = begin()
    first, second = authenticator.codes(seed)
    iam.create_user(UserName="thief")
    iam.enable_mfa_device(
        UserName="thief", SerialNumber=registration.serial_number, AuthenticationCode1=first, AuthenticationCode2=second
    )
    enable(mia, registration, (first, second))
    MFARegistration.objects.update(codes_at=database_now() - timedelta(seconds=100))

    deliver_due()

    assert Delivery.objects.latest("pk").state == Delivery.State.WAITING
    assert MFADevice.objects.count() == 0


def test_whose_it_is_no_more_gets_no_seed(iam: Any, lena: Person, mia: Person, mias: IAMUser) -> None:
    mfa_devices.start_registration(by=mia, iam_user=mias, at=database_now())
    IAMUser.objects.update(owner=lena)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "outdated")
    assert (virtual(iam), SealedSecret.objects.count()) == ([], 0)


def test_no_seed_and_no_code_is_in_the_rows_or_the_log(
    mia: Person, begin: Callable[[], tuple[MFARegistration, str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registration, seed = begin()
    codes = authenticator.codes(seed)
    enable(mia, registration, codes)
    deliver_until_quiet()
    registration.refresh_from_db()

    rows = [list(model.objects.values()) for model in (Entry, Delivery, MFARegistration, MFADevice, SealedSecret)]
    for secret in (seed, *codes):
        assert secret not in str(rows)
        assert secret not in caplog.text


# How it ends


def test_what_is_given_up_is_deleted_in_aws(
    iam: Any, mia: Person, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, _ = begin()

    mfa_devices.give_up_registration(by=mia, registration=registration, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (virtual(iam), state()[0]) == ([], "given_up")


def test_what_nobody_finishes_is_deleted_in_aws(iam: Any, mia: Person, mias: IAMUser) -> None:
    mfa_devices.start_registration(by=mia, iam_user=mias, at=database_now())
    deliver_until_quiet()
    assert len(virtual(iam)) == 1
    later = database_now() + timedelta(hours=24, seconds=1)

    assert mfa_following.follow_registrations(at=later) == 1

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (virtual(iam), state()[0]) == ([], "lapsed")
    assert sealed_for(mias, Purpose.MFA_DEVICE).get().state == "expired"


def test_one_that_its_owner_enabled_past_the_portal_stays(
    iam: Any, mia: Person, begin: Callable[[], tuple[MFARegistration, str]]
) -> None:
    registration, seed = begin()
    first, second = authenticator.codes(seed)
    iam.enable_mfa_device(
        UserName=NAME, SerialNumber=registration.serial_number, AuthenticationCode1=first, AuthenticationCode2=second
    )

    mfa_devices.give_up_registration(by=mia, registration=registration, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert enabled(iam) == [registration.serial_number]
    assert MFADevice.objects.get().serial_number == registration.serial_number


# Resynchronizing


def test_aws_learns_how_far_the_clock_is_off(aws: AWS, prod: Account, mia: Person, phone: MFADevice) -> None:
    resync(mia, phone, authenticator.codes(seed_of(aws, prod, phone.serial_number), steps_off=-20))

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state() == ("done", "", "")


def test_codes_that_do_not_fit_end_it_and_others_can_be_typed_at_once(
    aws: AWS, prod: Account, mia: Person, phone: MFADevice
) -> None:
    resync(mia, phone, WRONG)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (state()[0], state()[1][:22], state()[2]) == ("lapsed", "The codes did not fit.", "")
    resync(mia, phone, authenticator.codes(seed_of(aws, prod, phone.serial_number)))
    deliver_until_quiet()
    assert MFARegistration.objects.latest("pk").state == "done"


def test_a_resync_that_was_given_up_has_ended(aws: AWS, mia: Person, olive: Person, phone: MFADevice) -> None:
    aws.faults.inject("ResyncMFADevice", Fault.DENY)
    resync(mia, phone, WRONG)

    give_up(by=olive, delivery=deliver_until_quiet(), reason="No permission.", at=database_now())

    assert (state()[0], state()[2]) == ("given_up", "")


# Removing


def test_a_virtual_device_is_taken_off_and_deleted(iam: Any, lena: Person, phone: MFADevice) -> None:
    mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (enabled(iam), virtual(iam), MFADevice.objects.count()) == ([], [], 0)


def test_a_hardware_device_is_taken_off(aws: AWS, iam: Any, lena: Person, mias: IAMUser) -> None:
    iam.enable_mfa_device(
        UserName=NAME, SerialNumber="GAHT12345678", AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    device = factories.mfa_device(mias, serial_number="GAHT12345678")

    mfa_devices.remove_device(by=lena, mfa_device=device, reason="Lost", at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (enabled(iam), aws.calls("DeleteVirtualMFADevice")) == ([], [])


def test_one_that_a_later_reading_saw_again_keeps_its_row(iam: Any, lena: Person, phone: MFADevice) -> None:
    mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=database_now())
    MFADevice.objects.update(read_at=database_now() + timedelta(minutes=1))

    deliver_until_quiet()

    assert MFADevice.objects.count() == 1
