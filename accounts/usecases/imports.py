"""Having AWS read: an account now or when its turn has come, or one IAM user.

Nothing is decided about AWS by it, so the ledger says nothing of it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from accounts import access
from accounts.access import Permission
from accounts.models import Account, AccountImport, IAMUser, Person

IMPORT_TASK = "accounts.tasks.import_account"
# How long a reader may be silent before another may begin.
IMPORT_LEASE = timedelta(minutes=10)


@transaction.atomic
def refresh_account(*, by: Person, account: Account, at: datetime) -> AccountImport:
    """Have the account read now.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is being read already, or its connection was not tested, or is refused.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.REFRESH_ACCOUNT, organization=account.organization)
    return start_import(account=account, at=at)


@transaction.atomic
def refresh_iam_user(*, by: Person, iam_user: IAMUser, at: datetime) -> AccountImport:
    """Have one IAM user read now, for whoever looks at it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when AWS does not hold it, it is being read already, or its account may not be read.
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

    :raises ValidationError: when one is, or the account may not be read.
    """
    account_import = open_import(account=account, at=at)
    transaction.on_commit(lambda: _ring(account_import, queue="import"), robust=True)
    return account_import


@transaction.atomic
def open_import(*, account: Account, at: datetime) -> AccountImport:
    """Make the row of an import that the caller carries out at once; no worker is told of it.

    :raises ValidationError: when one of the account is open, or the account may not be read.
    """
    return _open(account, None, at)


def import_due_accounts(*, at: datetime) -> None:
    """Start an import of each account whose turn it is; `IMPORT_EVERY_MINUTES` lie between two turns.

    The turns of the accounts are spread over that time, so that not all of them are read in the same minute.
    """
    _close_stranded(AccountImport.objects.all(), at)
    open_ones = AccountImport.objects.open().of_whole_accounts()
    last = AccountImport.objects.of_whole_accounts().filter(account=OuterRef("pk")).order_by("-created_at")
    accounts = Account.objects.importable().exclude(pk__in=open_ones.values("account"))
    for account in accounts.annotate(last_import_at=Subquery(last.values("created_at")[:1])).order_by("pk"):
        if _is_due(account.pk, account.last_import_at, at):
            # Somebody may have pressed "Refresh now" a moment ago.
            with suppress(ValidationError):
                start_import(account=account, at=at)


def require_importable(*, account: Account) -> None:
    """Return when the account's connection was tested and is not refused.

    :raises ValidationError: says what must be done first.
    """
    if Account.objects.importable().filter(pk=account.pk).exists():
        return
    if Account.objects.filter(pk=account.pk, state=Account.State.REFUSED).exists():
        raise ValidationError(f"The portal refuses to enter {account}: mend its role, then test the connection.")
    raise ValidationError(f"The connection to {account} was not tested yet: test it first.")


def _is_due(pk: int, last_import_at: datetime | None, at: datetime) -> bool:
    """Whether a turn of the account has come since it was last read."""
    if last_import_at is None:
        return True
    every = settings.IMPORT_EVERY_MINUTES * 60
    # A hash and not the remainder: accounts that were connected together have neighbouring keys.
    offset = int.from_bytes(sha256(str(pk).encode()).digest()[:4]) % every
    return (at.timestamp() - offset) // every > (last_import_at.timestamp() - offset) // every


def _open(account: Account, iam_user: IAMUser | None, at: datetime) -> AccountImport:
    require_importable(account=account)
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
