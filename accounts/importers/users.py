"""Applying what a snapshot says of IAM users: who is new, who is gone, who has another name."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q

from accounts.delivery import held
from accounts.importers import credentials, ownership
from accounts.importers.documents import inline_policies
from accounts.importers.names import writable
from accounts.importers.snapshot import Snapshot
from accounts.models import Account, GroupMembership, IAMGroup, IAMUser, Source
from portal.aws.iam.account import UserDetail

# A thing that was read or deleted this shortly before the snapshot may be seen in it wrongly: IAM is eventually
# consistent.
QUIET_TIME = timedelta(minutes=5)


def write(account: Account, snapshot: Snapshot, groups: dict[str, IAMGroup]) -> tuple[int, int]:
    """Write the users of the snapshot with their groups and credentials; how many are new, how many are gone.

    `groups` is by name. The caller holds the transaction and the account's row.
    """
    # Locked against a delivery that settles into the same row: of two, the later reading must stay.
    present = IAMUser.objects.select_for_update(no_key=True).filter(account=account).order_by("pk")
    rows = {row.user_id or f"row {row.pk}": row for row in present}
    gone = _conclude_gone(rows, account, snapshot)
    chosen = _chosen(rows, snapshot)
    _free_names(rows, chosen)
    new = [_write_user(rows, account, snapshot, user, groups) for user in chosen.values()]
    return sum(new), gone


def _conclude_gone(rows: dict[str, IAMUser], account: Account, snapshot: Snapshot) -> int:
    """Only a complete reading says "gone", and never of what was read a moment before it."""
    seen = [user.user_id for user in snapshot.details.user_detail_list]
    missing = IAMUser.objects.present().filter(
        ~Q(user_id__in=seen), account=account, read_at__lt=snapshot.read_at - QUIET_TIME
    )
    going = list(missing.values_list("pk", flat=True))
    held.strip(IAMUser.objects.filter(pk__in=going), at=snapshot.read_at)
    IAMUser.objects.filter(pk__in=going).update(gone_at=snapshot.read_at)
    for row in rows.values():
        if row.pk in going:
            row.gone_at = snapshot.read_at
    return len(going)


def _chosen(rows: dict[str, IAMUser], snapshot: Snapshot) -> dict[str, UserDetail]:
    """Those that the snapshot may write, by unique id: neither newer rows nor names that others hold."""
    told = {
        user.user_id: user
        for user in snapshot.details.user_detail_list
        if user.user_id not in rows or not _is_newer(rows[user.user_id], snapshot)
    }
    names = writable(
        held={key: row.user_name for key, row in rows.items() if row.gone_at is None},
        wanted={key: user.user_name for key, user in told.items()},
    )
    return {key: user for key, user in told.items() if key in names}


def _is_newer(row: IAMUser, snapshot: Snapshot) -> bool:
    """A delivery read it back, or deleted it, while the account was being read or a moment before."""
    if row.gone_at is not None and row.gone_at > snapshot.read_at - QUIET_TIME:
        return True
    return row.read_at is not None and row.read_at > snapshot.read_at


def _free_names(rows: dict[str, IAMUser], chosen: dict[str, UserDetail]) -> None:
    """Let go of the names that change, so that two users can swap theirs; each row is written again below."""
    changing = [
        row.pk
        for key, row in rows.items()
        if key in chosen and row.user_name.lower() != chosen[key].user_name.lower() and row.gone_at is None
    ]
    IAMUser.objects.filter(pk__in=changing).update(gone_at=F("read_at"))


def _write_user(
    rows: dict[str, IAMUser], account: Account, snapshot: Snapshot, user: UserDetail, groups: dict[str, IAMGroup]
) -> bool:
    is_new = user.user_id not in rows
    if is_new:
        row = ownership.given_up_by_the_portal(account, user) or ownership.new_row(account, user)
    else:
        row = rows[user.user_id]
    _fill(row, snapshot, user)
    _write_groups(row, snapshot, [groups[name] for name in user.group_list if name in groups])
    credentials.write(row, snapshot)
    return is_new


def _fill(row: IAMUser, snapshot: Snapshot, user: UserDetail) -> None:
    row.user_id = user.user_id
    row.user_name, row.path, row.create_date, row.gone_at = user.user_name, user.path, user.create_date, None
    row.tags = dict(user.tags)
    row.permissions_boundary_arn = user.permissions_boundary or ""
    row.attached_policy_arns = [policy.policy_arn for policy in user.attached_managed_policies]
    row.inline_policies = inline_policies(user.user_policy_list)
    row.source, row.read_at = Source.ACCOUNT_AUTHORIZATION_DETAILS, snapshot.read_at
    row.save()


def _write_groups(row: IAMUser, snapshot: Snapshot, groups: list[IAMGroup]) -> None:
    row.group_memberships.exclude(iam_group__in=groups).delete()
    for group in groups:
        GroupMembership.objects.update_or_create(
            iam_user=row,
            iam_group=group,
            defaults={
                "organization": row.organization,
                "account": row.account,
                "source": Source.ACCOUNT_AUTHORIZATION_DETAILS,
                "read_at": snapshot.read_at,
            },
        )
