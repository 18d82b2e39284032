"""Which access keys the embedded AWS accepts: moto alone takes inactive, unknown and expired ones too."""

from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import AccessKey, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from portal.aws.simulator.answers import Refusal
from portal.aws.simulator.hub import PARTITION, REGION

INVALID = Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
EXPIRED = Refusal(403, "ExpiredToken", "The security token included in the request is expired")
UNSIGNED_REFUSED = Refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
# What AWS takes from whoever has a token of somebody else's instead of a key.
UNSIGNED = frozenset(
    {
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "GetCredentialsForIdentity",
        "GetId",
        "GetOpenIdToken",
    }
)
ADMINISTRATOR = "OrganizationAccountAccessRole"


def owner(access_key_id: str) -> tuple[str, AccessKey] | None:
    """The account and the key, whatever its status; None where no account has it."""
    for account_id, backends in list(iam_backends.items()):
        key = backends[PARTITION].access_keys.get(access_key_id)
        if key is not None:
            return account_id, key
    return None


def refusal(access_key_id: str, operation: str = "") -> Refusal | None:
    """Why AWS does not accept a request signed with this key ("" where nobody signed it), or None."""
    if not access_key_id:
        return None if operation in UNSIGNED else UNSIGNED_REFUSED
    found = owner(access_key_id)
    if found is None or found[1].status != "Active":
        return INVALID
    session = session_of(*found)
    return EXPIRED if session is not None and session.expiration <= _now() else None


def session_of(account_id: str, key: AccessKey) -> AssumedRole | None:
    """The assumed role whose temporary key this is."""
    return sts_backends[account_id][PARTITION].get_assumed_role_from_access_key(key.access_key_id)


def caller_arn(access_key_id: str) -> str:
    """The ARN that a trust policy compares: the user, or the role that was assumed; "" where the key is nobody's."""
    found = owner(access_key_id)
    if found is None:
        return ""
    account_id, key = found
    if key.role_arn:
        return key.role_arn
    user = iam_backends[account_id][PARTITION].get_user_from_access_key_id(access_key_id)
    return user.arn if user else ""


def make_root_key(account_id: str) -> AccessKey:
    """A long-term key of the account's root user, which AWS lets people make and nobody should."""
    make: Any = AccessKey  # Moto calls it abstract and makes such keys all the same.
    key: AccessKey = make(user_name=None, prefix="AKIA", account_id=account_id)
    iam_backends[account_id][PARTITION].access_keys[key.access_key_id] = key
    return key


def is_root(access_key_id: str) -> bool:
    """Whether the key is root's: neither a user's nor a session's."""
    found = owner(access_key_id)
    return found is not None and found[1].user_name is None and not access_key_id.startswith("ASIA")


def let_in(account_id: str, *, seconds: int) -> AssumedRole:
    """Credentials of an administrator in any account, without asking anybody: for looking from outside."""
    backend = sts_backends[account_id][PARTITION]
    return backend.assume_role(
        region_name=REGION,
        role_session_name="outside",
        role_arn=f"arn:aws:iam::{account_id}:role/{ADMINISTRATOR}",
        policy="",
        duration=seconds,
        external_id="",
    )


def drop_expired(account_id: str) -> None:
    """Forget ended sessions: moto keeps every one for ever, and the state is written with each change."""
    sessions = sts_backends[account_id][PARTITION].assumed_roles
    for session in [session for session in sessions if session.expiration <= _now()]:
        sessions.remove(session)
        iam_backends[account_id][PARTITION].access_keys.pop(session.access_key_id, None)


def _now() -> datetime:
    """Moto's times are UTC without a zone."""
    return utcnow()
