"""How each kind of entry reaches AWS.

A handler may run twice and late: it reads what is there, adopts only what is ours, and makes it so.
"""

from accounts.delivery import access_keys, creation, deletion, drift, groups, held, login_profiles, tags
from accounts.kinds import Kind
from portal.ledger.handlers import Handler, register

HANDLERS = {
    Kind.IAM_USER_CREATED: Handler(creation.carry, creation.settle, creation.abandon),
    Kind.IAM_USER_TAGGED: Handler(tags.carry, tags.settle, held.take_back),
    Kind.IAM_USER_ADDED_TO_GROUP: Handler(groups.carry_addition, groups.settle, held.take_back),
    Kind.IAM_USER_REMOVED_FROM_GROUP: Handler(groups.carry_removal, groups.settle, held.take_back),
    Kind.IAM_USER_DELETED: Handler(deletion.carry, deletion.settle),
    Kind.LOGIN_PROFILE_CREATED: Handler(login_profiles.carry_creation, login_profiles.settle),
    Kind.LOGIN_PROFILE_RESET: Handler(login_profiles.carry_reset, login_profiles.settle),
    Kind.LOGIN_PROFILE_DELETED: Handler(login_profiles.carry_deletion, login_profiles.settle_deletion),
    Kind.ACCESS_KEY_CREATED: Handler(access_keys.carry_creation, access_keys.settle),
    Kind.SECRET_EXPIRED: Handler(access_keys.carry_expiry, access_keys.settle_expiry),
    Kind.DRIFT_REVERTED: Handler(drift.carry, drift.settle, drift.abandon),
}


def register_handlers() -> None:
    """Tell the ledger who carries what; called once, when Django is ready."""
    for kind, handler in HANDLERS.items():
        register(kind, handler)
