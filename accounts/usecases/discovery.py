"""Deciding about the accounts of an AWS organization: find them, and connect many at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from celery import current_app
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import access, arns
from accounts.access import Permission
from accounts.importers import discovery
from accounts.kinds import Kind
from accounts.models import Account, AccountDiscovery, DiscoveredAccount, Person
from accounts.usecases.accounts import new_account
from accounts.usecases.imports import require_importable
from accounts.usecases.records import about
from portal.ledger.record import record

DISCOVERY_TASK = "accounts.tasks.discover_accounts"
STRANDED = "The worker ended before it was done. Try again."


@transaction.atomic
def discover_accounts(*, by: Person, account: Account, at: datetime) -> AccountDiscovery:
    """Have the accounts of the account's AWS organization read. Nothing is decided by it, so the ledger is silent.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when that goes on already, or the account's connection was not tested.
    """
    _require(by=by, account=account)
    require_importable(account=account)
    AccountDiscovery.objects.stranded(at=at).filter(account=account).update(
        state=AccountDiscovery.State.FAILED, error=STRANDED, finished_at=at
    )
    row = AccountDiscovery(
        organization=account.organization, account=account, created_at=at, lease_until=at + discovery.LEASE
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise ValidationError("Its accounts are being read already.") from None
    transaction.on_commit(lambda: _ring(row), robust=True)
    return row


@transaction.atomic
def connect_accounts(
    *, by: Person, via: Account, role_name: str, at: datetime, member_account_ids: Collection[str] | None = None
) -> list[Account]:
    """Take discovered accounts into the portal, each with an external id of its own; None means all that can be.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when one cannot be connected, or none is left to connect; then none is.
    """
    _require(by=by, account=via)
    if not arns.ROLE_NAME.fullmatch(role_name):
        words = "A role's name has 1 to 64 letters, digits or any of + = , . @ - _ and no spaces."
        raise ValidationError({"role_name": words})
    accounts = [
        new_account(
            organization=via.organization,
            account_id=member.member_account_id,
            name=member.name or member.member_account_id,
            role_name=role_name,
        )
        for member in _chosen(via, member_account_ids)
    ]
    _save_new(accounts)
    for account in accounts:
        _record(account, by=by, via=via, at=at)
    return accounts


def _require(*, by: Person, account: Account) -> None:
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=account.organization)


def _chosen(via: Account, member_account_ids: Collection[str] | None) -> list[DiscoveredAccount]:
    """Those that were asked for, if every one of them can be connected."""
    able = DiscoveredAccount.objects.filter(account=via).connectable().order_by("member_account_id")
    if member_account_ids is None:
        chosen = list(able)
        if not chosen:
            raise ValidationError("No account is left that could be connected.")
        return chosen
    chosen = list(able.filter(member_account_id__in=member_account_ids))
    if not member_account_ids:
        raise ValidationError("Choose at least one account.")
    if missing := sorted(set(member_account_ids) - {member.member_account_id for member in chosen}):
        words = "Nothing was connected, because these cannot be: {}. Look at the list again."
        raise ValidationError(words.format(", ".join(missing[:10])))
    return chosen


def _save_new(accounts: list[Account]) -> None:
    for account in accounts:
        account.full_clean(exclude=["organization"], validate_unique=False)
    # Somebody may connect one of them in the same second.
    try:
        with transaction.atomic():
            Account.objects.bulk_create(accounts)
    except IntegrityError:
        raise ValidationError("One of these accounts was just connected. Nothing else was: look at the list.") from None


def _record(account: Account, *, by: Person, via: Account, at: datetime) -> None:
    record(
        organization=account.organization,
        kind=Kind.ACCOUNT_CONNECTED,
        by=by,
        subject=about(account),
        at=at,
        details={
            "account_id": account.account_id,
            "name": account.name,
            "role_arn": account.role_arn,
            "discovered_through": via.account_id,
        },
    )


def _ring(row: AccountDiscovery) -> None:
    current_app.send_task(DISCOVERY_TASK, args=[row.pk], queue="interactive", retry=False, ignore_result=True)
