"""Deciding about many access keys at once: asking for rotation, rotating, making unused ones inactive, and back again.

The rows are those of any bulk change. One that was begun with keys says in its plan which; one that was begun with IAM
users is about the active keys of each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.kinds import Kind
from accounts.models import AccessKey, BulkChange, BulkRow, IAMUser, Organization, Person
from accounts.models.credentials import AccessKeyQuerySet
from accounts.usecases import access_keys, rotation, rotation_asks
from accounts.usecases.bulk import PERMISSIONS, ROWS_AT_MOST, begin, name_of
from portal.ledger.models import Delivery, Entry

OF_KEYS = (BulkChange.Kind.ASK_TO_ROTATE, BulkChange.Kind.ROTATE_KEY, BulkChange.Kind.MAKE_KEY_INACTIVE)
BULK = Delivery.Queue.BULK
NOT_BY_THIS = "{} was made inactive again since, by somebody who may have had a reason. It was left so."


@transaction.atomic
def start_key_change(
    *, by: Person, organization: Organization, kind: str, keys: Collection[int], at: datetime, reason: str = ""
) -> BulkChange:
    """Begin one change of many access keys, named by the ids of their rows; each is decided when its turn comes.

    :raises access.NotThere: when one of them is not the person's to see. :raises access.NotAllowed: when no duty of
        theirs allows the change anywhere.
    :raises ValidationError: when none is chosen, more than 10,000 are, or the change is not one of keys.
    """
    access.require_anywhere(by=by, to=PERMISSIONS[BulkChange.Kind(kind)], organization=organization)
    if kind not in OF_KEYS:
        raise ValidationError("This is no change of access keys.")
    chosen = _chosen(by=by, organization=organization, ids=set(keys))
    return _begin(by=by, organization=organization, kind=kind, change={}, keys=chosen, at=at, reason=reason)


@transaction.atomic
def undo_key_change(*, by: Person, bulk_change: BulkChange, at: datetime, reason: str = "") -> BulkChange:
    """Begin to make active again what a bulk change has made inactive.

    :raises access.NotThere: when the person does not see it. :raises access.NotAllowed: as for beginning it.
    :raises ValidationError: for a change of another kind, while it runs or is being undone, and where it did nothing.
    """
    if not BulkChange.objects.visible_to(by).filter(pk=bulk_change.pk).exists():
        raise access.NotThere
    organization, undo = bulk_change.organization, BulkChange.Kind.MAKE_KEY_ACTIVE
    access.require_anywhere(by=by, to=PERMISSIONS[undo], organization=organization)
    # Locked: of two who press at once, the second sees what the first began.
    bulk_change.refresh_from_db(from_queryset=BulkChange.objects.select_for_update(no_key=True))
    if bulk_change.kind != BulkChange.Kind.MAKE_KEY_INACTIVE:
        raise ValidationError("Only what was made inactive can be made active again.")
    if bulk_change.state != BulkChange.State.DONE:
        raise ValidationError("It is still running. Wait until each row is decided.")
    undone = BulkChange.objects.running().filter(organization=organization, kind=undo, change__undoes=bulk_change.pk)
    if undone.exists():
        raise ValidationError("It is being undone already.")
    keys = list(_light().filter(organization=organization, access_key_id__in=_made_inactive(bulk_change)))
    if not keys:
        raise ValidationError("It has made no key inactive, so there is nothing to undo.")
    change = {"undoes": bulk_change.pk}
    return _begin(by=by, organization=organization, kind=undo, change=change, keys=keys, at=at, reason=reason)


def _chosen(*, by: Person, organization: Organization, ids: set[int]) -> list[AccessKey]:
    if not ids:
        raise ValidationError("Select at least one access key.")
    if len(ids) > ROWS_AT_MOST:
        raise ValidationError(f"Change at most {ROWS_AT_MOST:,} access keys at once: narrow the list by a filter.")
    seen = _light().seen_in(organization, by=by)
    rows = [row for start in range(0, len(ids), 500) for row in seen.filter(pk__in=sorted(ids)[start : start + 500])]
    if len(rows) != len(ids):
        raise access.NotThere
    return rows


def _light() -> AccessKeyQuerySet:
    rows = AccessKey.objects.present().select_related("iam_user__account")
    names = ("iam_user__user_name", "iam_user__organization_id", "iam_user__account__name")
    return rows.only("access_key_id", "organization_id", *names)


def _begin(
    *, by: Person, organization: Organization, kind: str, change: dict[str, int], keys: list[AccessKey],
    at: datetime, reason: str,
) -> BulkChange:  # fmt: skip
    bulk_change = BulkChange.objects.create(
        organization=organization, by=by, kind=kind, change=change, reason=reason.strip(), created_at=at,
        state=BulkChange.State.RUNNING, lease_until=at,
    )  # fmt: skip
    keys.sort(key=lambda key: (key.iam_user.user_name, key.iam_user.account.name, key.pk))
    BulkRow.objects.bulk_create(
        [
            BulkRow(
                organization=organization, bulk_change=bulk_change, position=place, iam_user=key.iam_user,
                name=f"{key}, {name_of(key.iam_user)}", plan={"access_key_id": key.access_key_id},
            )
            for place, key in enumerate(keys, start=1)
        ],
        batch_size=1000,
    )  # fmt: skip
    begin(bulk_change=bulk_change, by=by, count=len(keys), at=at)
    return bulk_change


def _made_inactive(bulk_change: BulkChange) -> list[str]:
    entries = Entry.objects.filter(bulk_rows__bulk_change=bulk_change, kind=Kind.ACCESS_KEY_DEACTIVATED)
    return sorted({entry.details["access_key_id"] for entry in entries})


# Deciding a row


def ask(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    """Ask its owner to rotate each."""
    bulk = row.bulk_change

    def decide(key: AccessKey) -> None:
        rotation_asks.ask_to_rotate(by=bulk.by, access_key=key, bulk_change=bulk, at=at, reason=bulk.reason)

    _each(row, _keys(row, iam_user), decide)


def rotate(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    """Rotate one: the oldest, where nobody said which."""
    bulk, (oldest, *_) = row.bulk_change, _keys(row, iam_user)
    rotation.start_rotation(by=bulk.by, access_key=oldest, at=at, reason=bulk.reason, queue=BULK)


def make_inactive(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    """Make inactive each that is not used."""
    bulk = row.bulk_change

    def decide(key: AccessKey) -> None:
        access_keys.make_unused_key_inactive(by=bulk.by, access_key=key, at=at, reason=bulk.reason, queue=BULK)

    _each(row, _keys(row, iam_user), decide)


def make_active(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    """Make active again what the change that this one undoes has made inactive."""
    bulk, (key, *_) = row.bulk_change, _keys(row, iam_user, is_any=True)
    last = access_keys.last_deactivation(key)
    if last is None or not last.bulk_rows.filter(bulk_change=bulk.change.get("undoes")).exists():
        raise ValidationError(NOT_BY_THIS.format(key))
    access_keys.make_key_active(by=bulk.by, access_key=key, at=at, reason=bulk.reason, queue=BULK)


def _keys(row: BulkRow, iam_user: IAMUser, *, is_any: bool = False) -> list[AccessKey]:
    """The key that was chosen, else the active ones of the IAM user, the oldest first.

    :raises ValidationError: where it has none.
    """
    rows = AccessKey.objects.filter(iam_user=iam_user)
    chosen = row.plan.get("access_key_id")
    if chosen:
        rows = rows.filter(access_key_id=chosen)
    elif not is_any:
        rows = rows.active()
    found = list(rows.order_by("create_date", "pk"))
    if not found:
        raise ValidationError(f"{iam_user} has no active access key.")
    for key in found:
        # Locked and read already, with all that a use-case asks of it.
        key.iam_user = iam_user
    return found


def _each(row: BulkRow, keys: Iterable[AccessKey], decide: Callable[[AccessKey], None]) -> None:
    """Decide each by itself; where some were refused and some not, the row says which, and why.

    :raises ValidationError: where all were refused.
    """
    refusals, decided = [], 0
    for key in keys:
        try:
            with transaction.atomic():
                decide(key)
            decided += 1
        except ValidationError as refusal:
            refusals += refusal.messages
    if not decided:
        raise ValidationError(refusals)
    if refusals:
        BulkRow.objects.filter(pk=row.pk).update(sentence=" ".join(refusals))


DECISIONS = {
    BulkChange.Kind.ASK_TO_ROTATE: ask,
    BulkChange.Kind.ROTATE_KEY: rotate,
    BulkChange.Kind.MAKE_KEY_INACTIVE: make_inactive,
    BulkChange.Kind.MAKE_KEY_ACTIVE: make_active,
}
