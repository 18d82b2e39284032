"""Carrying the portal's own permissions boundary: a managed policy whose default version says what was decided."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import arns
from accounts.delivery import held, shown
from accounts.kinds import Kind
from accounts.models import Boundary, IAMPolicy, Source
from accounts.models.boundary import PATH, POLICY_NAME
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.policies import ManagedPolicy
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry

DESCRIPTION = "Made and kept by Gatehouse: the most that an IAM user within it can do."
# IAM's quota, not adjustable: versions of a managed policy.
VERSIONS = 5


@dataclass(frozen=True)
class Shown:
    """The policy as AWS shows it; `read_at` lies before the reading."""

    policy: ManagedPolicy
    document: dict[str, Any]
    read_at: datetime


def carry(entry: Entry, delivery: Delivery) -> Shown:
    """Make the policy, or let its default version say what was decided; then read it back.

    :raises errors.Conflict: when a policy of this name is there that the portal did not make.
    :raises errors.TryLater: while AWS does not show the change yet.
    """
    boundary = Boundary.objects.select_related("account").get(pk=int(entry.subject_id))
    iam, decided = held.iam_of(boundary.account), entry.details["document"]
    try:
        policy = iam.get_policy(policy_arn=boundary.arn)
    except errors.NotFound:
        _create(iam, entry, decided)
    else:
        _require_ours(boundary, policy)
        _make_default(iam, policy, decided)
    return _read_back(iam, delivery, boundary.arn, decided)


def settle(entry: Entry, answer: Shown, at: datetime) -> None:
    """From now on the portal knows the policy and that it is as it was decided."""
    boundary = (
        Boundary.objects.select_related("account", "organization")
        .select_for_update(of=("self",))
        .get(pk=int(entry.subject_id))
    )
    boundary.policy = _written_down(boundary, answer)
    boundary.save(update_fields=["policy"])
    boundary.tell(Boundary.State.KEPT, at=answer.read_at)


def abandon(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """Given up: one that was never made is nobody's any more; of one that was, AWS holds something else."""
    boundary = Boundary.objects.select_for_update(of=("self",)).get(pk=int(entry.subject_id))
    if boundary.policy_id is None:
        boundary.delete()
    else:
        boundary.tell(Boundary.State.ALTERED, at=at)


def _create(iam: IAM, entry: Entry, decided: dict[str, Any]) -> None:
    try:
        iam.create_policy(
            policy_name=POLICY_NAME,
            path=PATH,
            policy_document=_text(decided),
            description=DESCRIPTION,
            tags=held.entry_tag(entry),
        )
    except errors.Conflict as conflict:
        # Under this very ARN none was seen a moment ago: it is under another path, or AWS's reads are behind.
        raise held.may_not_be_seen_yet(entry.at, _not_found(conflict)) from None


def _not_found(conflict: errors.Conflict) -> errors.NotFound:
    message = f"{POLICY_NAME} exists and cannot be read as the portal's. Rename or delete it in AWS, then try again."
    return errors.NotFound(
        operation=conflict.operation, code=conflict.code, message=message, request_id=conflict.request_id
    )


def _require_ours(boundary: Boundary, policy: ManagedPolicy) -> None:
    """Only what bears the tag of an entry about this boundary is the portal's."""
    tag = policy.tags.get(arns.ENTRY_TAG, "")
    kinds = [Kind.BOUNDARY_CREATED, Kind.BOUNDARY_RESTORED, Kind.BOUNDARY_CHANGED]
    ours = Entry.objects.of(boundary.organization).about("boundary", boundary.pk).filter(kind__in=kinds)
    if tag not in {str(pk) for pk in ours.values_list("pk", flat=True)}:
        raise errors.Conflict(
            operation="GetPolicy",
            code="NotOurs",
            message=f"{policy.arn} is there and the portal did not make it. Delete it in AWS, then try again.",
        )


def _make_default(iam: IAM, policy: ManagedPolicy, decided: dict[str, Any]) -> None:
    if _document(iam, policy) == decided:
        return
    try:
        _make_room(iam, policy.arn)
        iam.create_policy_version(policy_arn=policy.arn, policy_document=_text(decided), set_as_default=True)
    except errors.NotFound as error:
        # It was seen a moment ago, so AWS's reads are behind its writes.
        raise held.later(error) from None


def _document(iam: IAM, policy: ManagedPolicy) -> object:
    with suppress(errors.NotFound):
        return iam.get_policy_version(policy_arn=policy.arn, version_id=policy.default_version_id)
    return None


def _make_room(iam: IAM, policy_arn: str) -> None:
    versions = iam.list_policy_versions(policy_arn=policy_arn)
    if len(versions) < VERSIONS:
        return
    older = [version.version_id for version in versions if not version.is_default_version]
    iam.delete_policy_version(policy_arn=policy_arn, version_id=min(older, key=_number))


def _number(version_id: str) -> int:
    return int(version_id.removeprefix("v"))


def _read_back(iam: IAM, delivery: Delivery, policy_arn: str, decided: dict[str, Any]) -> Shown:
    read_at = database_now()
    with suppress(errors.NotFound):
        policy = iam.get_policy(policy_arn=policy_arn)
        if _document(iam, policy) == decided:
            return Shown(policy=policy, document=decided, read_at=read_at)
    raise shown.not_shown(delivery, policy_arn, operation="GetPolicyVersion")


def _written_down(boundary: Boundary, answer: Shown) -> IAMPolicy:
    policy = answer.policy
    row, _ = IAMPolicy.objects.update_or_create(
        account=boundary.account,
        policy_id=policy.policy_id,
        defaults={
            "organization": boundary.organization,
            "policy_name": policy.policy_name,
            "path": policy.path,
            "arn": policy.arn,
            "default_version_id": policy.default_version_id,
            "document": answer.document,
            "gone_at": None,
            "source": Source.GET_POLICY,
            "read_at": answer.read_at,
        },
    )
    return row


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
