"""Carrying "Delete IAM user": first nothing of it works any more, then what hangs on it goes, then the user itself.

Its keys become inactive, a policy denies everything to older sessions too, the password goes; then the rest, in the
order of the API reference, DeleteUser. It can be left anywhere and begun again from the start.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from accounts import arns
from accounts.delivery import held
from accounts.delivery.disabling import delete_login_profile, deny_all, disable_access_keys
from accounts.models import Drift, IAMUser, IAMUserRecord
from accounts.models.sealed import sealed_for
from accounts.policy.denial import POLICY_NAME
from portal.aws import errors
from portal.aws.iam import IAM
from portal.ledger.deliver import keep_baseline
from portal.ledger.models import Delivery, Entry
from portal.secrets import seal

# Something was hung on the user meanwhile, or AWS's reads are behind: all steps again, then a human.
ATTEMPTS_WITH_LEFTOVERS = 6


def carry(entry: Entry, delivery: Delivery) -> None:
    """Delete the very user that was decided about, and all that hangs on it.

    :raises errors.Conflict: when another user bears the name now: it is not ours to delete.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    if held.is_gone(iam, iam_user):
        _delete_virtual_mfa_devices(iam, _virtual_mfa_devices(delivery))
        return
    _remember_mfa_devices(iam, iam_user.user_name, delivery)
    for step in STEPS:
        step(iam, iam_user.user_name)
    _delete_user(iam, iam_user.user_name, delivery)
    _delete_virtual_mfa_devices(iam, _virtual_mfa_devices(delivery))


def settle(entry: Entry, answer: None, at: datetime) -> None:
    """The row stays for those who ask later; nothing hangs on it any more."""
    iam_user = held.subject_of(entry)
    iam_user.gone_at = at
    iam_user.save(update_fields=["gone_at"])
    held.strip(IAMUser.objects.filter(pk=iam_user.pk), at=at)
    seal.withdraw(sealed_for(iam_user))
    # That it is gone is what was decided: there is nothing to compare with any more.
    IAMUserRecord.objects.end(iam_user)
    Drift.objects.end(iam_user, at=at)


def _deny_all(iam: IAM, user_name: str) -> None:
    # Where the inline policies are full there is no room for it; what follows takes them all, and holds up nothing.
    with suppress(errors.Refused):
        deny_all(iam, user_name)


def _delete_access_keys(iam: IAM, user_name: str) -> None:
    for key in iam.list_access_keys(user_name=user_name):
        with suppress(errors.NotFound):
            iam.delete_access_key(user_name=user_name, access_key_id=key.access_key_id)


def _delete_certificates_and_credentials(iam: IAM, user_name: str) -> None:
    for certificate in iam.list_signing_certificates(user_name=user_name):
        with suppress(errors.NotFound):
            iam.delete_signing_certificate(user_name=user_name, certificate_id=certificate.certificate_id)
    for key in iam.list_ssh_public_keys(user_name=user_name):
        with suppress(errors.NotFound):
            iam.delete_ssh_public_key(user_name=user_name, ssh_public_key_id=key.ssh_public_key_id)
    for credential in iam.list_service_specific_credentials(user_name=user_name):
        with suppress(errors.NotFound):
            iam.delete_service_specific_credential(
                user_name=user_name, service_specific_credential_id=credential.service_specific_credential_id
            )


def _remember_mfa_devices(iam: IAM, user_name: str, delivery: Delivery) -> None:
    """Once deactivated, a virtual device no longer tells whose it was: its name is committed before the first call."""
    found = {device.serial_number for device in iam.list_mfa_devices(user_name=user_name)}
    known = set(_virtual_mfa_devices(delivery))
    keep_baseline(delivery=delivery, baseline=sorted(known | {name for name in found if arns.VIRTUAL_MFA in name}))


def _virtual_mfa_devices(delivery: Delivery) -> list[str]:
    return delivery.baseline or []


def _deactivate_mfa_devices(iam: IAM, user_name: str) -> None:
    for device in iam.list_mfa_devices(user_name=user_name):
        with suppress(errors.NotFound):
            iam.deactivate_mfa_device(user_name=user_name, serial_number=device.serial_number)


def _delete_virtual_mfa_devices(iam: IAM, serial_numbers: list[str]) -> None:
    for serial_number in serial_numbers:
        with suppress(errors.NotFound):
            iam.delete_virtual_mfa_device(serial_number=serial_number)


def _remove_policies(iam: IAM, user_name: str) -> None:
    # All but the one that denies: while anything else of it is there, that goes on to hold it.
    for policy_name in iam.list_user_policies(user_name=user_name):
        if policy_name != POLICY_NAME:
            with suppress(errors.NotFound):
                iam.delete_user_policy(user_name=user_name, policy_name=policy_name)
    for policy in iam.list_attached_user_policies(user_name=user_name):
        with suppress(errors.NotFound):
            iam.detach_user_policy(user_name=user_name, policy_arn=policy.policy_arn)


def _leave_groups(iam: IAM, user_name: str) -> None:
    for group in iam.list_groups_for_user(user_name=user_name):
        with suppress(errors.NotFound):
            iam.remove_user_from_group(user_name=user_name, group_name=group.group_name)


def _delete_boundary(iam: IAM, user_name: str) -> None:
    # Of what allows nothing is left by now: while anything of it still worked, the boundary held it.
    with suppress(errors.NotFound):
        iam.delete_user_permissions_boundary(user_name=user_name)


def _take_denial_off(iam: IAM, user_name: str) -> None:
    with suppress(errors.NotFound):
        iam.delete_user_policy(user_name=user_name, policy_name=POLICY_NAME)


def _delete_user(iam: IAM, user_name: str, delivery: Delivery) -> None:
    try:
        iam.delete_user(user_name=user_name)
    except errors.NotFound:
        return
    except errors.Conflict as error:
        if delivery.attempts >= ATTEMPTS_WITH_LEFTOVERS:
            raise
        raise held.later(error) from None


STEPS = (
    disable_access_keys,
    _deny_all,
    delete_login_profile,
    _delete_access_keys,
    _delete_certificates_and_credentials,
    _deactivate_mfa_devices,
    _remove_policies,
    _leave_groups,
    _delete_boundary,
    _take_denial_off,
)
