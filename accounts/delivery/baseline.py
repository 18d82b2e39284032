"""Making what has no idempotent form: CreateAccessKey, CreateLoginProfile, CreateVirtualMFADevice.

What was there before is committed first, then the call is made, once. Where its outcome is in doubt (the answer was
lost, or the worker died), the next attempt lists again. What is there now and was not before is the doubtful call's: an
access key that was made then and never used is deleted, and another is made; so is a device, whose name is the
portal's own. Whatever cannot be told from somebody else's work is put to a human, and nothing that the portal did not
make is ever deleted. Where nothing shows, a quiet time passes before that is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from accounts.delivery import held
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKey
from portal.aws.iam.credentials import LoginProfile
from portal.aws.iam.mfa_devices import NewVirtualMFADevice
from portal.ledger.clock import database_now
from portal.ledger.deliver import keep_baseline
from portal.ledger.models import Delivery

Made = TypeVar("Made")

# A call takes a minute at most, and AWS's clock and the database's differ by less than the quiet time: what was made
# later than this after the call is not the call's.
LONGEST = 2 * held.QUIET_TIME


@dataclass(frozen=True)
class Unrepeatable(Generic[Made]):
    """One thing to make: what AWS holds of its kind by id, with the time it was made; and the call that makes one more.

    `delete_unused` is for what can be cleared away: it deletes the thing and returns True, or False when it was used.
    `is_named_by_us` claims that nobody else would make one of this id, whatever time AWS tells or does not tell.
    """

    operation: str
    held: Callable[[], Mapping[str, datetime | None]]
    make: Callable[[], Made]
    delete_unused: Callable[[str], bool] | None = None
    is_named_by_us: bool = False


def make_once(thing: Unrepeatable[Made], *, delivery: Delivery) -> Made:
    """Make it, so that in the end there is one more than before, and its secret is known.

    :raises portal.aws.errors.Conflict: when something is there of which only a human can tell whose it is.
    :raises portal.aws.errors.TryLater: when the call is in doubt, now or from an earlier attempt.
    :raises portal.ledger.deliver.ClaimLost: when another worker has taken the delivery back.
    """
    if is_in_doubt(delivery):
        _clear_up(thing, delivery)
    called_at = database_now()
    _keep(delivery, there=sorted(thing.held()), called_at=called_at.isoformat())
    try:
        return thing.make()
    except errors.AWSError as error:
        if not _may_have_happened(error):
            _keep(delivery, there=_baseline(delivery)["there"], called_at=None)
        raise


def clear_doubt(thing: Unrepeatable[Made], *, delivery: Delivery) -> None:
    """Where nothing shall be made any more: what an earlier call of this delivery may have made goes first.

    :raises portal.aws.errors.Conflict: :raises portal.aws.errors.TryLater: as `make_once`.
    """
    if is_in_doubt(delivery):
        _clear_up(thing, delivery)
        _keep(delivery, there=_baseline(delivery)["there"], called_at=None)


def doubt(delivery: Delivery) -> dict[str, Any] | None:
    """What is known of a call in doubt: `there`, the ids before it, and `called_at`. None where none is in doubt."""
    kept = _baseline(delivery) if isinstance(delivery.baseline, dict) else {}
    return {name: kept[name] for name in ("there", "called_at")} if kept.get("called_at") else None


def inherit_doubt(delivery: Delivery, *, there: list[str], called_at: str) -> None:
    """Begin with the doubt that another delivery left, once.

    :raises portal.ledger.deliver.ClaimLost: when another worker has taken the delivery back.
    """
    if delivery.baseline is None:
        _keep(delivery, there=there, called_at=called_at)


def access_key(iam: IAM, *, user_name: str) -> Unrepeatable[AccessKey]:
    """One more access key of the user."""

    def delete_unused(access_key_id: str) -> bool:
        if _was_used(iam, access_key_id):
            return False
        with suppress(errors.NotFound):
            iam.delete_access_key(user_name=user_name, access_key_id=access_key_id)
        return True

    return Unrepeatable(
        operation="CreateAccessKey",
        held=lambda: {key.access_key_id: key.create_date for key in iam.list_access_keys(user_name=user_name)},
        make=lambda: iam.create_access_key(user_name=user_name),
        delete_unused=delete_unused,
    )


def login_profile(iam: IAM, *, user_name: str, password: str, is_to_be_changed: bool) -> Unrepeatable[LoginProfile]:
    """The user's console password. AWS does not tell who set it, so a doubtful one is a human's to judge."""

    def found() -> dict[str, datetime | None]:
        try:
            return {user_name: iam.get_login_profile(user_name=user_name).create_date}
        except errors.NotFound:
            return {}

    return Unrepeatable(
        operation="CreateLoginProfile",
        held=found,
        make=lambda: iam.create_login_profile(
            user_name=user_name, password=password, password_reset_required=is_to_be_changed
        ),
    )


def virtual_mfa_device(iam: IAM, *, name: str, tags: Mapping[str, str]) -> Unrepeatable[NewVirtualMFADevice]:
    """A virtual MFA device of this name, which is made up anew each time: nobody else's device has it."""

    def delete_unused(serial_number: str) -> bool:
        with suppress(errors.NotFound):
            iam.delete_virtual_mfa_device(serial_number=serial_number)
        return True

    return Unrepeatable(
        operation="CreateVirtualMFADevice",
        held=lambda: {
            device.serial_number: None
            for device in iam.list_virtual_mfa_devices()
            if device.serial_number.endswith(f"/{name}")
        },
        make=lambda: iam.create_virtual_mfa_device(virtual_mfa_device_name=name, tags=tags),
        delete_unused=delete_unused,
        is_named_by_us=True,
    )


def is_in_doubt(delivery: Delivery) -> bool:
    """Whether an earlier call of this delivery may have made something."""
    return bool(_baseline(delivery).get("called_at"))


def _baseline(delivery: Delivery) -> dict[str, Any]:
    """`there`, the ids that were there before; `called_at`, while a call is in doubt; `asked_about`, ids."""
    return delivery.baseline or {}


def _may_have_happened(error: errors.AWSError) -> bool:
    return isinstance(error, errors.Unknown) or (isinstance(error, errors.TryLater) and error.is_doubtful)


def _keep(delivery: Delivery, **baseline: Any) -> None:
    keep_baseline(delivery=delivery, baseline=baseline)


def _clear_up(thing: Unrepeatable[Made], delivery: Delivery) -> None:
    """Delete what the doubtful call made, if that is certain; a list that shows nothing is believed after a while."""
    baseline = _baseline(delivery)
    called_at = datetime.fromisoformat(baseline["called_at"])
    there = thing.held()
    known = {*baseline["there"], *_judged_by_a_human(delivery)}
    unknown = {name: made_at for name, made_at in there.items() if name not in known}
    if not unknown:
        _wait_until_it_is_quiet(thing, delivery, called_at)
        return
    if not _is_deleted(thing, unknown, called_at):
        _keep(delivery, **{**baseline, "asked_about": sorted(unknown)})
        raise _ask_a_human(thing, sorted(unknown))


def _is_deleted(thing: Unrepeatable[Made], unknown: Mapping[str, datetime | None], called_at: datetime) -> bool:
    """One call makes one thing: of two, the other is somebody else's, and the portal cannot tell which."""
    [(name, made_at), *others] = unknown.items()
    # AWS's times are whole seconds.
    begin = called_at.replace(microsecond=0)
    is_of_the_call = made_at is not None and begin <= made_at <= begin + LONGEST
    if others or not (is_of_the_call or thing.is_named_by_us) or thing.delete_unused is None:
        return False
    return thing.delete_unused(name)


def _judged_by_a_human(delivery: Delivery) -> list[str]:
    """What a human was asked about, once they said "Try again": that alone begins to count the attempts anew."""
    return _baseline(delivery).get("asked_about", []) if delivery.attempts == 1 else []


def _wait_until_it_is_quiet(thing: Unrepeatable[Made], delivery: Delivery, called_at: datetime) -> None:
    is_judged = bool(_judged_by_a_human(delivery))
    if not is_judged and database_now() - called_at < held.QUIET_TIME:
        message = "an earlier call is in doubt, and what it made may not be shown yet."
        raise errors.TryLater(operation=thing.operation, code="InDoubt", message=message, is_doubtful=True)


def _ask_a_human(thing: Unrepeatable[Made], names: list[str]) -> errors.Conflict:
    message = (
        f"{', '.join(names)} appeared while the portal made one, and it cannot tell whose it is. Nobody may know its "
        "secret. Delete it in AWS if it is nobody's, then try again."
    )
    return errors.Conflict(operation=thing.operation, code="InDoubt", message=message)


def _was_used(iam: IAM, access_key_id: str) -> bool:
    try:
        return iam.get_access_key_last_used(access_key_id=access_key_id).last_used_date is not None
    except errors.NotFound as error:
        raise held.later(error) from None
