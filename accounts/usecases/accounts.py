"""Deciding about AWS accounts: connect one, have it read again."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from accounts import access, arns
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, AccountImport, IAMUser, Organization, Person
from accounts.usecases.records import about
from portal.ledger.record import record

IMPORT_TASK = "accounts.tasks.import_account"
# How long a reader may be silent before another may begin.
IMPORT_LEASE = timedelta(minutes=10)
EXTERNAL_ID_BYTES = 24
# Whose it is stays unsaid where it is another organization's.
TAKEN = (
    "This account is connected already. If you do not find it under AWS accounts, ask whoever runs the portal: "
    "an account belongs to one organization."
)


@transaction.atomic
def connect_account(
    *, by: Person, organization: Organization, account_id: str, name: str, role_arn: str, at: datetime
) -> Account:
    """Take an AWS account into the portal. The external id is made here; nobody chooses or changes it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field; also when another organization has connected this account.
    """
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=organization)
    _check_door(account_id, role_arn)
    account = Account(
        organization=organization,
        account_id=account_id,
        name=name,
        role_arn=role_arn,
        external_id=secrets.token_urlsafe(EXTERNAL_ID_BYTES),
    )
    _check_free(account_id)
    account.full_clean(exclude=["organization"])
    _save_new(account)
    record(
        organization=organization,
        kind=Kind.ACCOUNT_CONNECTED,
        by=by,
        subject=about(account),
        at=at,
        details={"account_id": account_id, "name": name, "role_arn": role_arn},
    )
    return account


@transaction.atomic
def set_pace(
    *, by: Person, account: Account, calls_per_second: int | None, calls_burst: int | None, at: datetime
) -> Account:
    """Decide how fast the portal may call AWS in this account; None is the portal's usual pace.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a pace at which nothing would ever be called, and for the one that it has.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=account.organization)
    # Locked and read again, so that the entry says what was there before this decision and not before another.
    account.refresh_from_db(from_queryset=Account.objects.select_for_update(no_key=True))
    before = {"calls_per_second": account.calls_per_second, "calls_burst": account.calls_burst}
    if before == {"calls_per_second": calls_per_second, "calls_burst": calls_burst}:
        raise ValidationError("This is the pace that it has.")
    account.calls_per_second, account.calls_burst = calls_per_second, calls_burst
    account.full_clean(exclude=["organization"])
    account.save(update_fields=["calls_per_second", "calls_burst"])
    record(
        organization=account.organization,
        kind=Kind.ACCOUNT_PACE_SET,
        by=by,
        subject=about(account),
        at=at,
        details={"calls_per_second": calls_per_second, "calls_burst": calls_burst, "before": before},
    )
    return account


@transaction.atomic
def refresh_account(*, by: Person, account: Account, at: datetime) -> AccountImport:
    """Have the account read now. Nothing is decided about AWS by it, so the ledger says nothing of it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is being read already.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.REFRESH_ACCOUNT, organization=account.organization)
    return start_import(account=account, at=at)


@transaction.atomic
def refresh_iam_user(*, by: Person, iam_user: IAMUser, at: datetime) -> AccountImport:
    """Have one IAM user read now, for whoever looks at it. Nothing is decided, so the ledger says nothing of it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when AWS does not hold it, or when it is being read already.
    """
    access.require_on_iam_user(by=by, to=Permission.VIEW_IAM_USERS, iam_user=iam_user)
    if not iam_user.is_in_aws:
        raise ValidationError(f"AWS does not hold {iam_user}: there is nothing to read.")
    account_import = _open(iam_user.account, iam_user, at)
    transaction.on_commit(lambda: _ring(account_import, queue="interactive"), robust=True)
    return account_import


@transaction.atomic
def start_import(*, account: Account, at: datetime) -> AccountImport:
    """Put an import into the queue; at most one of an account is open.

    :raises ValidationError: when one is.
    """
    account_import = open_import(account=account, at=at)
    transaction.on_commit(lambda: _ring(account_import, queue="import"), robust=True)
    return account_import


@transaction.atomic
def open_import(*, account: Account, at: datetime) -> AccountImport:
    """Make the row of an import that the caller carries out at once; no worker is told of it.

    :raises ValidationError: when one of the account is open.
    """
    return _open(account, None, at)


def import_due_accounts(*, at: datetime) -> None:
    """Start an import of each account whose turn it is; `IMPORT_EVERY_MINUTES` lie between two turns.

    The turns of the accounts are spread over that time, so that not all of them are read in the same minute.
    """
    _close_stranded(AccountImport.objects.all(), at)
    open_ones = AccountImport.objects.open().of_whole_accounts()
    last = AccountImport.objects.of_whole_accounts().filter(account=OuterRef("pk")).order_by("-created_at")
    accounts = Account.objects.exclude(pk__in=open_ones.values("account"))
    for account in accounts.annotate(last_import_at=Subquery(last.values("created_at")[:1])).order_by("pk"):
        if _is_due(account.pk, account.last_import_at, at):
            # Somebody may have pressed "Refresh now" a moment ago.
            with suppress(ValidationError):
                start_import(account=account, at=at)


def _is_due(pk: int, last_import_at: datetime | None, at: datetime) -> bool:
    """Whether a turn of the account has come since it was last read."""
    if last_import_at is None:
        return True
    every = settings.IMPORT_EVERY_MINUTES * 60
    # A hash and not the remainder: accounts that were connected together have neighbouring keys.
    offset = int.from_bytes(sha256(str(pk).encode()).digest()[:4]) % every
    return (at.timestamp() - offset) // every > (last_import_at.timestamp() - offset) // every


def _open(account: Account, iam_user: IAMUser | None, at: datetime) -> AccountImport:
    _close_stranded(AccountImport.objects.filter(account=account), at)
    account_import = AccountImport(
        organization=account.organization,
        account=account,
        iam_user=iam_user,
        created_at=at,
        lease_until=at + IMPORT_LEASE,
    )
    try:
        with transaction.atomic():
            account_import.save(force_insert=True)
    except IntegrityError:
        raise ValidationError(f"{iam_user or 'This account'} is being read already.") from None
    return account_import


def _close_stranded(imports: QuerySet[AccountImport], at: datetime) -> None:
    imports.filter(pk__in=AccountImport.objects.stranded(at=at)).update(
        state=AccountImport.State.FAILED, error="The worker that read it ended before it was done.", finished_at=at
    )


def _ring(account_import: AccountImport, *, queue: str) -> None:
    current_app.send_task(IMPORT_TASK, args=[account_import.pk], queue=queue, retry=False, ignore_result=True)


def _save_new(account: Account) -> None:
    # Two organizations may name the same account in the same second: both pass the check, one of them passes here.
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise ValidationError({"account_id": TAKEN}) from None


def _check_free(account_id: str) -> None:
    if Account.objects.filter(account_id=account_id).exists():
        raise ValidationError({"account_id": TAKEN})


def _check_door(account_id: str, role_arn: str) -> None:
    if not arns.ACCOUNT_ID.fullmatch(account_id):
        raise ValidationError({"account_id": "An account ID has 12 digits."})
    try:
        role_account = arns.role_account(role_arn)
    except ValueError:
        raise ValidationError(
            {"role_arn": "A role's ARN looks like arn:aws:iam::111122223333:role/gatehouse."}
        ) from None
    if role_account != account_id:
        raise ValidationError({"role_arn": f"This role is in account {role_account}, not in {account_id}."})
