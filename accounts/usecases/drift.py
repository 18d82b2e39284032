"""Deciding about drift: the portal's record follows AWS, or AWS follows the record."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope, limits
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Drift, IAMUser, IAMUserRecord, Person
from accounts.models.attributes import Attributes, are_same, told
from accounts.models.drift import is_on_its_way
from accounts.models.iam_user_record import held_now
from accounts.usecases import iam_users
from accounts.usecases.granted import is_for_a_time
from accounts.usecases.records import about_iam_user, record_change, require_reason
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import record

LOOK_AGAIN = "{}: AWS or what was decided has changed since you looked. Look at it once more."


@transaction.atomic
def adopt_drift(
    *, by: Person, drifts: Collection[Drift], reason: str, at: datetime, seen_at: datetime | None = None
) -> list[Drift]:
    """Decide that what AWS holds is as it shall be. An IAM user that is gone is not managed any more.

    All of them or none. `seen_at` is the latest reading among what the person looked at: what is newer was not seen.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason; for what is not open, has changed since, or lies outside the envelope.
    """
    _require(by=by, drifts=drifts)
    for drift in _chosen(drifts, reason=reason, seen_at=seen_at):
        if drift.kind == Drift.Kind.GONE:
            _record(Kind.DRIFT_ADOPTED, by=by, drift=drift, reason=reason, at=at)
            IAMUserRecord.objects.end(drift.iam_user)
        else:
            _adopt_change(by=by, drift=drift, reason=reason, at=at)
        drift.close(Drift.State.ADOPTED, at=at)
    return list(drifts)


@transaction.atomic
def revert_drift(
    *, by: Person, drifts: Collection[Drift], reason: str, at: datetime, seen_at: datetime | None = None
) -> list[Drift]:
    """Decide that AWS shall be as it was decided. An IAM user that is gone is made anew, as another one.

    All of them or none, each with an entry and a delivery of its own. `seen_at` as in `adopt_drift`.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason; for what is not open, has changed since, or lies outside the envelope.
    """
    _require(by=by, drifts=drifts)
    queue = Delivery.Queue.INTERACTIVE if len(drifts) == 1 else Delivery.Queue.BULK
    for drift in _chosen(drifts, reason=reason, seen_at=seen_at):
        if drift.kind == Drift.Kind.GONE:
            _make_anew(by=by, drift=drift, reason=reason, at=at)
        else:
            _revert_change(by=by, drift=drift, reason=reason, at=at, queue=queue)
        drift.close(Drift.State.REVERTED, at=at)
    return list(drifts)


def _require(*, by: Person, drifts: Collection[Drift]) -> None:
    for iam_user in {drift.iam_user for drift in drifts}:
        access.require_on_iam_user(by=by, to=Permission.DECIDE_DRIFT, iam_user=iam_user)


def _chosen(drifts: Collection[Drift], *, reason: str, seen_at: datetime | None) -> list[Drift]:
    """The rows as they are now, their IAM users locked: of two who decide at once, the second must see the first."""
    require_reason(reason)
    if not drifts:
        raise ValidationError("Choose at least one difference.")
    locked = IAMUser.objects.select_for_update(no_key=True).filter(pk__in=[drift.iam_user_id for drift in drifts])
    list(locked.order_by("pk").values_list("pk"))
    rows = Drift.objects.filter(pk__in=[drift.pk for drift in drifts]).order_by("pk")
    chosen = list(rows.select_related("iam_user__account", "iam_user__organization", "iam_user__team"))
    if len({drift.account_id for drift in chosen}) > 1:
        raise ValidationError("Choose differences of one AWS account.")
    for drift in chosen:
        _check(drift, seen_at)
    return chosen


def _check(drift: Drift, seen_at: datetime | None) -> None:
    iam_user = drift.iam_user
    if drift.state != Drift.State.OPEN:
        raise ValidationError(f"{iam_user}: this is decided already, or is no difference any more.")
    if is_on_its_way(iam_user):
        raise ValidationError(f"{iam_user}: something decided about it is on its way to AWS. Wait until it arrives.")
    is_newer = seen_at is not None and drift.read_at is not None and drift.read_at > seen_at
    if is_newer or not _is_still_so(drift):
        raise ValidationError(LOOK_AGAIN.format(iam_user))


def _is_still_so(drift: Drift) -> bool:
    """Whether record and row still say what the drift says: a delivery or a reading may have come between."""
    record = IAMUserRecord.objects.filter(iam_user=drift.iam_user).first()
    if record is None:
        return False
    if drift.kind == Drift.Kind.GONE:
        return drift.iam_user.gone_at is not None
    decided, held = record.attributes.stored(), held_now(drift.iam_user).stored()
    name = drift.attribute
    return are_same(name, decided[name], drift.decided) and are_same(name, held[name], drift.held)


def _adopt_change(*, by: Person, drift: Drift, reason: str, at: datetime) -> None:
    envelope.require_change(
        by=by, iam_user=drift.iam_user, attribute=drift.attribute, before=drift.decided, after=drift.held
    )
    entry = _record(Kind.DRIFT_ADOPTED, by=by, drift=drift, reason=reason, at=at)
    IAMUserRecord.objects.follow(drift.iam_user, entry)


def _revert_change(*, by: Person, drift: Drift, reason: str, at: datetime, queue: str) -> None:
    iam_user = drift.iam_user
    envelope.require_change(by=by, iam_user=iam_user, attribute=drift.attribute, before=drift.held, after=drift.decided)
    if drift.attribute == Drift.Attribute.USER_NAME:
        _require_free(iam_user, str(drift.decided))
    record_change(
        kind=Kind.DRIFT_REVERTED, by=by, iam_user=iam_user, details=_details(drift), reason=reason, at=at, queue=queue
    )


def _require_free(iam_user: IAMUser, user_name: str) -> None:
    others = IAMUser.objects.present().filter(account=iam_user.account, user_name__iexact=user_name)
    if others.exclude(pk=iam_user.pk).exists():
        raise ValidationError(f"{iam_user}: the name {user_name} is another IAM user's now.")


def _make_anew(*, by: Person, drift: Drift, reason: str, at: datetime) -> None:
    """One entry says what was decided of the one that is gone, and another, with the delivery, makes the new one."""
    gone, attributes = drift.iam_user, IAMUserRecord.objects.get(iam_user=drift.iam_user).attributes
    access.require_on_iam_user(by=by, to=Permission.CREATE_IAM_USER, iam_user=gone)
    _require_envelope(by=by, gone=gone, attributes=attributes)
    _record(Kind.DRIFT_REVERTED, by=by, drift=drift, reason=reason, at=at)
    IAMUserRecord.objects.end(gone)
    anew = IAMUser(
        organization=gone.organization,
        account=gone.account,
        team=gone.team,
        user_name=attributes.user_name,
        path=attributes.path,
        permissions_boundary_arn=attributes.permissions_boundary_arn,
        tags=dict(attributes.tags),
        kind=gone.kind,
        owner=gone.owner if gone.owner is not None and gone.owner.belongs_to(gone.organization) else None,
        purpose=gone.purpose or f"In place of {gone.user_id}",
        decided_at=at,
    )
    # What it had until a time ended with it.
    group_names = [name for name in attributes.group_names if not is_for_a_time(gone, name)]
    iam_users.make(
        iam_user=anew,
        by=by,
        group_names=group_names,
        policy_arns=attributes.attached_policy_arns,
        reason=reason,
        at=at,
        instead_of=gone.user_id,
    )


def _require_envelope(*, by: Person, gone: IAMUser, attributes: Attributes) -> None:
    """As for any new IAM user, but path and boundary are those that it had."""
    envelope.require_groups_of_iam_user(by=by, iam_user=gone, group_names=attributes.group_names)
    envelope.require_change(
        by=by, iam_user=gone, attribute="attached_policy_arns", before=[], after=attributes.attached_policy_arns
    )
    if gone.team is not None:
        envelope.require_account(by=by, team=gone.team, account=gone.account)
        limits.require_room(by=by, team=gone.team)
        envelope.require_frame(
            by=by,
            team=gone.team,
            account=gone.account,
            path=attributes.path,
            permissions_boundary_arn=attributes.permissions_boundary_arn,
        )


def _record(kind: Kind, *, by: Person, drift: Drift, reason: str, at: datetime) -> Entry:
    return record(
        organization=drift.iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(drift.iam_user),
        at=at,
        reason=reason,
        details=_details(drift),
    )


def _details(drift: Drift) -> dict[str, object]:
    """Which one, and both values: whoever reads the ledger years later needs no other row."""
    what: dict[str, object] = {"drift": drift.pk, "attribute": drift.attribute}
    if drift.kind == Drift.Kind.GONE:
        return what | {"gone": drift.iam_user.user_id}
    name = drift.attribute
    return what | {"decided": told(name, drift.decided), "held": told(name, drift.held)}
