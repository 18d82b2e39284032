"""The scenarios of MFA devices: made once with a seed that its owner has, enabled by codes, and taken away whole."""

from accounts.kinds import Kind
from accounts.models import IAMUser, MFADevice, MFARegistration
from accounts.models.sealed import Purpose, sealed_for
from accounts.usecases import mfa_devices
from portal.ledger.clock import database_now
from portal.secrets import seal
from tests import factories
from tests.aws import authenticator
from tests.faults.enumerated import NAME, House, Scenario, a_user

SERIAL = f"arn:aws:iam::111122223333:mfa/{NAME}-1"


def _owned(house: House) -> IAMUser:
    """An IAM user of the owner of the organization."""
    row = a_user(house)
    IAMUser.objects.filter(pk=row.pk).update(owner=house.olive)
    row.refresh_from_db()
    return row


def _with_a_new_device(house: House) -> None:
    """The same with a virtual device that nobody uses yet, whose QR code was shown."""
    row = _owned(house)
    house.aws.boto3(house.account.account_id).create_virtual_mfa_device(VirtualMFADeviceName=f"{NAME}-1")
    factories.mfa_registration(row, serial_number=SERIAL)


def _with_a_device(house: House) -> None:
    row = _owned(house)
    factories.mfa_device(row, serial_number=authenticator.enable(house.aws.boto3(house.account.account_id), NAME))


def _start(house: House) -> None:
    mfa_devices.start_registration(by=house.olive, iam_user=house.user(), at=database_now())


def _enable(house: House) -> None:
    first, second = _codes(house, SERIAL)
    mfa_devices.enable_device(
        by=house.olive,
        registration=MFARegistration.objects.get(),
        first_code=first,
        second_code=second,
        at=database_now(),
    )


def _resync(house: House) -> None:
    device = MFADevice.objects.get()
    first, second = _codes(house, device.serial_number)
    mfa_devices.resync_device(
        by=house.olive, mfa_device=device, first_code=first, second_code=second, at=database_now()
    )


def _give_up(house: House) -> None:
    mfa_devices.give_up_registration(by=house.olive, registration=MFARegistration.objects.get(), at=database_now())


def _remove(house: House) -> None:
    mfa_devices.remove_device(
        by=house.olive, mfa_device=MFADevice.objects.get(), reason="Lost phone", at=database_now()
    )


def _codes(house: House, serial_number: str) -> tuple[str, str]:
    device = house.aws.backend(house.account.account_id).virtual_mfa_devices[serial_number]
    return authenticator.codes(device.base32_string_seed)


def _the_seed_is_the_sealed_one(house: House) -> None:
    registration = MFARegistration.objects.get()
    [device] = house.aws.backend(house.account.account_id).virtual_mfa_devices.values()
    assert (registration.state, registration.serial_number) == ("made", device.serial_number)
    sealed = sealed_for(house.user(), Purpose.MFA_DEVICE).get()
    assert seal.open_once(secret_id=sealed.pk, by=house.olive, at=database_now()).reveal() == device.base32_string_seed


def _it_is_done(house: House) -> None:
    """Its codes are wiped, and nothing is said against them."""
    assert MFARegistration.objects.values_list("state", "codes", "words").get() == ("done", "", "")


SCENARIOS = {
    "register MFA device": Scenario(Kind.MFA_REGISTRATION_STARTED, _owned, _start, check=_the_seed_is_the_sealed_one),
    "enable MFA device": Scenario(Kind.MFA_DEVICE_ENABLED, _with_a_new_device, _enable, check=_it_is_done),
    "resync MFA device": Scenario(Kind.MFA_DEVICE_RESYNCED, _with_a_device, _resync, check=_it_is_done),
    "give up MFA device": Scenario(Kind.MFA_REGISTRATION_ENDED, _with_a_new_device, _give_up),
    "remove MFA device": Scenario(Kind.MFA_DEVICE_REMOVED, _with_a_device, _remove),
}
