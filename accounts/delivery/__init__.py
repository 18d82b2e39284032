"""How each kind of entry reaches AWS.

A handler may run twice and late: it reads what is there, adopts only what is ours, and makes it so.
"""

from accounts.delivery import (
    access_keys,
    approvals,
    boundaries,
    changes,
    creation,
    deletion,
    disabling,
    drift,
    groups,
    held,
    key_changes,
    login_profiles,
    lost_keys,
    mfa_devices,
    policies,
    rotation,
    tags,
)
from accounts.kinds import Kind
from portal.ledger.handlers import Handler, register

_HANDLERS = {
    Kind.IAM_USER_CREATED: Handler(creation.carry, creation.settle, creation.abandon),
    Kind.IAM_USER_TAGGED: Handler(tags.carry, tags.settle, held.take_back),
    Kind.IAM_USER_ADDED_TO_GROUP: Handler(groups.carry_addition, groups.settle, held.take_back),
    Kind.IAM_USER_REMOVED_FROM_GROUP: Handler(groups.carry_removal, groups.settle, held.take_back),
    Kind.IAM_USER_DELETED: Handler(deletion.carry, deletion.settle),
    Kind.BOUNDARY_CREATED: Handler(boundaries.carry, boundaries.settle, boundaries.abandon),
    Kind.BOUNDARY_CHANGED: Handler(boundaries.carry, boundaries.settle, boundaries.abandon),
    Kind.BOUNDARY_RESTORED: Handler(boundaries.carry, boundaries.settle, boundaries.abandon),
    Kind.LOGIN_PROFILE_CREATED: Handler(login_profiles.carry_creation, login_profiles.settle),
    Kind.LOGIN_PROFILE_RESET: Handler(login_profiles.carry_reset, login_profiles.settle),
    Kind.LOGIN_PROFILE_DELETED: Handler(login_profiles.carry_deletion, login_profiles.settle_deletion),
    Kind.ACCESS_KEY_CREATED: Handler(access_keys.carry_creation, access_keys.settle),
    Kind.ROTATION_STARTED: Handler(rotation.carry_start, rotation.settle_start, rotation.abandon_start),
    Kind.ROTATION_GIVEN_UP: Handler(rotation.carry_giving_up, rotation.settle_giving_up),
    Kind.ACCESS_KEY_DEACTIVATED: Handler(key_changes.carry_deactivation, key_changes.settle),
    Kind.ACCESS_KEY_ACTIVATED: Handler(key_changes.carry_activation, key_changes.settle),
    Kind.ACCESS_KEY_DELETED: Handler(key_changes.carry_deletion, key_changes.settle),
    Kind.ACCESS_KEY_CLEARED_UP: Handler(lost_keys.carry, lost_keys.settle),
    Kind.MFA_REGISTRATION_STARTED: Handler(
        mfa_devices.carry_start, mfa_devices.settle_start, mfa_devices.abandon_start
    ),
    Kind.MFA_REGISTRATION_ENDED: Handler(mfa_devices.carry_ending, mfa_devices.settle_ending),
    Kind.MFA_DEVICE_ENABLED: Handler(
        mfa_devices.carry_enabling, mfa_devices.settle_enabling, mfa_devices.abandon_enabling
    ),
    Kind.MFA_DEVICE_RESYNCED: Handler(mfa_devices.carry_resync, mfa_devices.settle_resync, mfa_devices.abandon_resync),
    Kind.MFA_DEVICE_REMOVED: Handler(mfa_devices.carry_removal, mfa_devices.settle_removal),
    Kind.SECRET_EXPIRED: Handler(access_keys.carry_expiry, access_keys.settle_expiry),
    Kind.SECRET_GIVEN_UP: Handler(access_keys.carry_expiry, access_keys.settle_expiry),
    Kind.DRIFT_REVERTED: Handler(drift.carry, drift.settle, drift.abandon),
    Kind.IAM_USER_RENAMED: Handler(changes.carry, drift.settle, held.take_back),
    Kind.IAM_USER_PATH_CHANGED: Handler(changes.carry, drift.settle, held.take_back),
    Kind.IAM_USER_BOUNDARY_CHANGED: Handler(changes.carry, drift.settle, held.take_back),
    Kind.IAM_USER_POLICY_ATTACHED: Handler(policies.carry_attachment, policies.settle, held.take_back),
    Kind.IAM_USER_POLICY_DETACHED: Handler(policies.carry_detachment, policies.settle, held.take_back),
    Kind.IAM_USER_DISABLED: Handler(disabling.carry_disabling, disabling.settle_disabling, disabling.abandon_disabling),
    Kind.IAM_USER_ENABLED: Handler(disabling.carry_enabling, disabling.settle_enabling, held.take_back),
}
# Any of these may follow from a request.
HANDLERS = {kind: approvals.guarded(handler) for kind, handler in _HANDLERS.items()}


def register_handlers() -> None:
    """Tell the ledger who carries what; called once, when Django is ready."""
    for kind, handler in HANDLERS.items():
        register(kind, handler)
