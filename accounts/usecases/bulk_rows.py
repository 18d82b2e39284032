"""Deciding the rows of bulk changes, one after another, each in the name of whoever began it.

A row is claimed and decided in one transaction: a worker that dies leaves it waiting, with nothing decided, and two
workers at the same change share its rows. What the person may do is asked again for each row, by its use-case.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, transaction
from django.http import Http404

from accounts.models import Account, BulkChange, BulkRow, IAMUser, Person, Team
from accounts.usecases import bulk_keys, iam_users, ownership
from accounts.usecases.bulk import LEASE, ring, ring_for_mails
from portal.ledger.models import Delivery, Entry

logger = logging.getLogger(__name__)

# A few seconds' worth: between two messages other work of the queue has its turn.
ROWS_AT_ONCE = 200
BULK = Delivery.Queue.BULK
Decide = Callable[[BulkRow, IAMUser, datetime], None]

NOT_THERE = "It is not there any more, or no longer yours to change."
FAILED = "The portal failed at this one and decided nothing. Whoever runs it finds the reason in its log."


def carry_on(*, bulk_change_id: int, at: datetime) -> None:
    """Decide the next rows of one bulk change, and have the rest decided after that; harmless to repeat."""
    running = BulkChange.objects.running().filter(pk=bulk_change_id)
    if not running.update(lease_until=at + LEASE):
        return
    rows = BulkRow.objects.undecided().filter(bulk_change=bulk_change_id).order_by("position")
    for pk in list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        _decide(pk, at)
    if rows.exists():
        ring(bulk_change_id)
    elif running.filter(kind=BulkChange.Kind.ASK_TO_ROTATE).update(**_ended(at)):
        ring_for_mails()
    else:
        running.update(**_ended(at))


def tend(*, at: datetime) -> None:
    """Ring for the bulk changes that nobody is at, and let go of the plans that nobody applied in time."""
    BulkChange.objects.expired(at=at).delete()
    for pk in BulkChange.objects.stranded(at=at).order_by("pk").values_list("pk", flat=True):
        ring(pk)


def _ended(at: datetime) -> dict[str, object]:
    return {"state": BulkChange.State.DONE, "finished_at": at}


@transaction.atomic
def _decide(pk: int, at: datetime) -> None:
    # The claim: until the commit nobody else gets past it, and whoever waited for it finds nothing to claim.
    if BulkRow.objects.undecided().filter(pk=pk).update(state=BulkRow.State.DECIDED) != 1:
        return
    row = BulkRow.objects.select_related("bulk_change__by", "organization").get(pk=pk)
    refusal = _refusal_of(row, at)
    if refusal:
        BulkRow.objects.filter(pk=pk).update(state=BulkRow.State.REFUSED, sentence=refusal)


def _refusal_of(row: BulkRow, at: datetime) -> str:
    """Have the row decided; the sentence of whoever refused it, in which case nothing of it was decided."""
    try:
        with transaction.atomic():
            _apply(row, at)
    except ValidationError as refusal:
        return " ".join(refusal.messages)
    except Http404:
        return NOT_THERE
    except PermissionDenied as refusal:
        return str(refusal)
    except OperationalError:
        # The database is away or too busy: the row is as good as before, and is taken up again.
        raise
    except Exception:
        logger.exception("Row %s of bulk change %s could not be decided", row.pk, row.bulk_change_id)
        return FAILED
    return ""


def _apply(row: BulkRow, at: datetime) -> None:
    if row.iam_user_id is None:
        iam_user, before = _create(row, at), 0
    else:
        # Locked first: from here on every entry about it is this row's.
        iam_user = IAMUser.objects.locked().get(pk=row.iam_user_id)
        before = _last_entry(iam_user)
        DECISIONS[BulkChange.Kind(row.bulk_change.kind)](row, iam_user, at)
    entries = Entry.objects.of(row.organization).about("iam_user", iam_user.pk)
    links = BulkRow.entries.through
    made = entries.filter(sequence__gt=before).values_list("pk", flat=True)
    links.objects.bulk_create([links(bulkrow_id=row.pk, entry_id=pk) for pk in made])
    if row.iam_user_id is None:
        BulkRow.objects.filter(pk=row.pk).update(iam_user=iam_user)


def _last_entry(iam_user: IAMUser) -> int:
    entries = Entry.objects.of(iam_user.organization).about("iam_user", iam_user.pk).order_by("-sequence")
    return entries.values_list("sequence", flat=True).first() or 0


def _add_to_group(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    bulk = row.bulk_change
    iam_users.add_iam_user_to_group(
        by=bulk.by, iam_user=iam_user, group_name=bulk.change["group"], at=at, reason=bulk.reason, queue=BULK
    )


def _remove_from_group(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    bulk = row.bulk_change
    iam_users.remove_iam_user_from_group(
        by=bulk.by, iam_user=iam_user, group_name=bulk.change["group"], at=at, reason=bulk.reason, queue=BULK
    )


def _set_tag(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    _put_tags(row, iam_user, {row.bulk_change.change["key"]: row.bulk_change.change["value"]}, at)


def _put_tags(row: BulkRow, iam_user: IAMUser, tags: dict[str, str], at: datetime) -> None:
    held = iam_user.peoples_tags
    # AWS takes keys that differ only in case for one: the tag keeps the key that it has.
    spelled = {key.lower(): key for key in held}
    wanted = {**held, **{spelled.get(key.lower(), key): value for key, value in tags.items()}}
    bulk = row.bulk_change
    iam_users.tag_iam_user(by=bulk.by, iam_user=iam_user, tags=wanted, at=at, reason=bulk.reason, queue=BULK)


def _assign(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    bulk = row.bulk_change
    team = Team.objects.filter(pk=bulk.change.get("team") or 0).first()
    owner = Person.objects.filter(pk=bulk.change.get("owner") or 0).first()
    what = {"kind": bulk.change.get("kind", ""), "purpose": bulk.change.get("purpose", "")}
    ownership.assign_iam_users(
        by=bulk.by, iam_users=[iam_user], team=team, owner=owner, at=at, reason=bulk.reason, **what
    )


def _delete(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    bulk = row.bulk_change
    iam_users.delete_iam_user(by=bulk.by, iam_user=iam_user, reason=bulk.reason, at=at, queue=BULK)


def _complete(row: BulkRow, iam_user: IAMUser, at: datetime) -> None:
    """What a row of a file adds to an IAM user that is there."""
    bulk = row.bulk_change
    for group in row.plan["groups"]:
        iam_users.add_iam_user_to_group(
            by=bulk.by, iam_user=iam_user, group_name=group, at=at, reason=bulk.reason, queue=BULK
        )
    if row.plan["tags"]:
        _put_tags(row, iam_user, {tag["key"]: tag["value"] for tag in row.plan["tags"]}, at)


def _create(row: BulkRow, at: datetime) -> IAMUser:
    plan, bulk = row.plan, row.bulk_change
    return iam_users.create_iam_user(
        by=bulk.by,
        team=Team.objects.select_related("organization").get(pk=plan["team"], organization=row.organization),
        account=Account.objects.get(pk=plan["account"], organization=row.organization),
        owner=Person.objects.filter(pk=plan["owner"] or 0).first(),
        user_name=plan["user_name"],
        kind=plan["kind"],
        purpose=plan["purpose"],
        group_names=plan["groups"],
        tags={tag["key"]: tag["value"] for tag in plan["tags"]},
        reason=bulk.reason,
        at=at,
        queue=BULK,
    )


DECISIONS: dict[BulkChange.Kind, Decide] = {
    BulkChange.Kind.ADD_TO_GROUP: _add_to_group,
    BulkChange.Kind.REMOVE_FROM_GROUP: _remove_from_group,
    BulkChange.Kind.SET_TAG: _set_tag,
    BulkChange.Kind.ASSIGN: _assign,
    BulkChange.Kind.DELETE: _delete,
    BulkChange.Kind.CSV: _complete,
    **bulk_keys.DECISIONS,
}
