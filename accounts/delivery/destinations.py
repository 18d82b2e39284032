"""Putting a new access key where its application reads it: a version of a secret in AWS Secrets Manager."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256

from accounts import arns
from accounts.delivery import held
from accounts.delivery.access_keys import NewKey
from accounts.models import IAMUser, KeyDestination, Rotation
from portal.aws import connect, errors
from portal.aws.secretsmanager import CURRENT, PREVIOUS, SecretMetadata, SecretsManager
from portal.ledger.handlers import Outdated
from portal.ledger.models import Entry

# By this tag the portal knows a secret as its own: the unique id of the IAM user whose key it holds.
USER_TAG = f"{arns.OWN_TAG_PREFIX}user"
ENTRY_DIGITS = 32
DESCRIPTION = "The access key of an IAM user, put here by Gatehouse at each rotation."


def prepare(destination: KeyDestination, iam_user: IAMUser, entry: Entry) -> None:
    """Before a key is made: the secret is the portal's and this IAM user's, or there is none yet.

    Where an earlier attempt at this entry has put in a key that is known to nobody else, the version before it becomes
    the current one again, so that it is the one that stays as AWSPREVIOUS.

    :raises errors.Conflict: when somebody else's has the name. :raises errors.Refused: when it is being deleted.
    :raises errors.Denied: when the portal's role may not look.
    """
    secrets = _secrets(destination)
    told = _told(secrets, destination)
    if told is None:
        return
    if told.tags.get(USER_TAG) != iam_user.user_id:
        raise errors.Conflict(
            operation="DescribeSecret",
            code="AnotherSecret",
            message=f"{destination} is there already, and the portal did not make it for {iam_user}. Nothing was sent.",
        )
    if told.is_deleted:
        message = f"{destination} is scheduled for deletion. Restore it in AWS, then try again."
        raise errors.Refused(operation="DescribeSecret", code="Deleted", message=message)
    current, before = told.version_at(CURRENT), told.version_at(PREVIOUS)
    if current and before and _is_of(entry, current) and not _is_of(entry, before):
        _make_current(secrets, told, before)


def put(destination: KeyDestination, iam_user: IAMUser, entry: Entry, key: NewKey) -> str:
    """Make the key the secret's current version; the version's id. The one before stays as AWSPREVIOUS.

    What AWS will not take leaves no key behind: the new one is deleted, since nobody can know its secret.

    :raises errors.AWSError: then, or where the outcome is open and the next attempt begins anew.
    """
    text = json.dumps({"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret.reveal()})
    version = _version_of(entry, key.access_key_id)
    try:
        _put(_secrets(destination), destination, iam_user, text, version)
    except (errors.Denied, errors.Refused, errors.Conflict):
        with suppress(errors.NotFound):
            iam = held.iam_of(iam_user.account)
            iam.delete_access_key(user_name=iam_user.user_name, access_key_id=key.access_key_id)
        raise
    return version


def put_back(rotation: Rotation) -> None:
    """Make the version before the new key's the current one again; where that is so already, nothing is done.

    :raises Outdated: where there is none, or somebody has put in another since.
    """
    destination, version = rotation.destination, rotation.secret_version
    if destination is None:
        return
    secrets = _secrets(destination)
    told = _told(secrets, destination)
    if told is not None and told.stages.get(version) == (PREVIOUS,):
        return
    if told is None or told.version_at(CURRENT) != version:
        raise Outdated(f"{destination} holds something else by now, so it was left as it is.")
    before = told.version_at(PREVIOUS)
    # An earlier attempt's key was deleted.
    if before is None or before[:ENTRY_DIGITS] == version[:ENTRY_DIGITS]:
        raise Outdated(f"{destination} has held no other key. Prove the new one, and go on with the rotation.")
    _make_current(secrets, told, before)


def _make_current(secrets: SecretsManager, told: SecretMetadata, version: str) -> None:
    """AWS moves AWSPREVIOUS by itself to the version that was the current one (UpdateSecretVersionStage)."""
    secrets.update_secret_version_stage(
        secret_id=told.arn,
        version_stage=CURRENT,
        move_to_version_id=version,
        remove_from_version_id=str(told.version_at(CURRENT)),
    )


def _version_of(entry: Entry, access_key_id: str) -> str:
    """The id of the version that holds this key: of 64 digits the first half tells of which entry it is."""
    return f"{entry.pk.hex}{sha256(access_key_id.encode()).hexdigest()[:ENTRY_DIGITS]}"


def _is_of(entry: Entry, version: str) -> bool:
    return version.startswith(entry.pk.hex)


def _put(secrets: SecretsManager, destination: KeyDestination, iam_user: IAMUser, text: str, token: str) -> None:
    try:
        secrets.put_secret_value(secret_id=destination.secret_name, secret_string=text, client_request_token=token)
    except errors.NotFound:
        secrets.create_secret(
            name=destination.secret_name,
            description=DESCRIPTION,
            secret_string=text,
            client_request_token=token,
            tags={USER_TAG: iam_user.user_id},
        )


def _secrets(destination: KeyDestination) -> SecretsManager:
    return connect.secretsmanager(held.door_of(destination.account), region=destination.region)


def _told(secrets: SecretsManager, destination: KeyDestination) -> SecretMetadata | None:
    try:
        return secrets.describe_secret(secret_id=destination.secret_name)
    except errors.NotFound:
        return None
