"""One discovery, from its row's "Waiting" to "Applied" or "Failed": all accounts of the AWS organization, or none."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import OperationalError, transaction

from accounts.delivery.held import door_of
from accounts.importers.documents import storable
from accounts.models import Account, AccountDiscovery, DiscoveredAccount, Source
from portal.aws import connect, errors
from portal.aws.organizations import MemberAccount, Organization
from portal.ledger.clock import database_now

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
BATCH = 500
UNFORESEEN = "The portal failed while it read the accounts ({}). Its log says more; nothing was changed."
ALONE = "This account belongs to no AWS organization, so there is nothing to discover through it."
NOT_THE_MANAGEMENT_ACCOUNT = (
    "Only the management account of an AWS organization, or a delegated administrator, may list its accounts. "
    "The management account is {}: connect it, and discover through it."
)
NOT_ALLOWED = (
    "The role may not list the accounts of the AWS organization. Put its policy in place once more, with the "
    "permission to list accounts, then try again. {}"
)


def run(discovery_id: int) -> None:
    """Read the accounts and write them down. A failed discovery has concluded nothing, and says why on its row."""
    if not _claim(discovery_id):
        return
    discovery = AccountDiscovery.objects.select_related("account", "organization").get(pk=discovery_id)
    try:
        _discover(discovery)
    except errors.AWSError as error:
        logger.warning("Discovery %s could not read the accounts: %s", discovery_id, error.code)
        _finish(discovery, AccountDiscovery.State.FAILED, error=_in_words(discovery, error))
    except OperationalError:
        # The database is away, so no outcome can be stored: the discovery is taken for dead when its lease is over.
        raise
    except Exception as error:
        logger.exception("Discovery %s failed in a way that nobody foresaw", discovery_id)
        _finish(discovery, AccountDiscovery.State.FAILED, error=UNFORESEEN.format(type(error).__name__))


def _claim(discovery_id: int) -> bool:
    waiting = AccountDiscovery.objects.filter(pk=discovery_id, state=AccountDiscovery.State.WAITING)
    return waiting.update(state=AccountDiscovery.State.READING, lease_until=database_now() + LEASE) == 1


def _discover(discovery: AccountDiscovery) -> None:
    organizations = connect.organizations(door_of(discovery.account))
    organization = organizations.describe_organization()
    _remember(discovery, organization)
    _apply(discovery, organizations.list_accounts())


def _remember(discovery: AccountDiscovery, organization: Organization) -> None:
    discovery.aws_organization_id = organization.id
    discovery.management_account_id = organization.management_account_id
    discovery.save(update_fields=["aws_organization_id", "management_account_id"])


@transaction.atomic
def _apply(discovery: AccountDiscovery, members: tuple[MemberAccount, ...]) -> None:
    # Locked against a second discovery, which may have begun where this one was taken for dead.
    account = Account.objects.select_for_update(no_key=True).get(pk=discovery.account_id)
    if not _finish(discovery, AccountDiscovery.State.APPLIED):
        logger.warning("Discovery %s was taken for dead and is not applied", discovery.pk)
        return
    read_at = database_now()
    DiscoveredAccount.objects.bulk_create(
        [
            DiscoveredAccount(
                organization=account.organization,
                account=account,
                member_account_id=member.id,
                name=str(storable(member.name))[:120],
                email=str(storable(member.email))[:254],
                status=member.state[:30],
                source=Source.LIST_ACCOUNTS,
                read_at=read_at,
            )
            for member in members
        ],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["account", "member_account_id"],
        update_fields=["name", "email", "status", "source", "read_at"],
    )
    DiscoveredAccount.objects.filter(account=account).exclude(read_at=read_at).delete()


def _in_words(discovery: AccountDiscovery, error: errors.AWSError) -> str:
    """What is wrong, and what to do about it."""
    if isinstance(error, errors.NotFound):
        return ALONE
    if not isinstance(error, errors.Denied) or error.operation == "AssumeRole":
        return str(error)
    management = discovery.management_account_id
    if error.operation == "ListAccounts" and management not in ("", discovery.account.account_id):
        return NOT_THE_MANAGEMENT_ACCOUNT.format(management)
    return NOT_ALLOWED.format(error)


def _finish(discovery: AccountDiscovery, state: AccountDiscovery.State, *, error: str = "") -> bool:
    """Whether the discovery was still ours to finish."""
    ours = AccountDiscovery.objects.filter(pk=discovery.pk, state=AccountDiscovery.State.READING)
    return ours.update(state=state, finished_at=database_now(), error=error) == 1
