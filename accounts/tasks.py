"""Celery's side of this app: ids in, one call, nothing out."""

from celery import shared_task

from accounts import importers
from accounts.importers import connection, discovery, embedded_role
from accounts.usecases import connections, imports, sealed_secrets
from portal.ledger.clock import database_now
from portal.ledger.tasks import is_an_id

# At its account's pace the reading of thousands of IAM users takes minutes. When the broker hands its message out again
# meanwhile, the import is claimed already, and nothing is done.
LONGEST_IMPORT_SECONDS = 30 * 60


@shared_task(time_limit=LONGEST_IMPORT_SECONDS)
def import_account(import_id: object, **kwargs: object) -> None:
    """Carry out one import that was asked for."""
    if is_an_id(import_id, of="an import"):
        importers.run(import_id)


@shared_task
def import_due_accounts(**kwargs: object) -> None:
    """Start an import of every account that was not read for a while."""
    imports.import_due_accounts(at=database_now())


@shared_task
def test_connection(test_id: object, **kwargs: object) -> None:
    """Carry out one test of a connection that was asked for."""
    if is_an_id(test_id, of="a test"):
        connection.run(test_id, conclude=connections.conclude_test)


@shared_task
def discover_accounts(discovery_id: object, **kwargs: object) -> None:
    """Carry out one reading of the accounts of an AWS organization."""
    if is_an_id(discovery_id, of="a discovery"):
        discovery.run(discovery_id)


@shared_task
def close_stranded_connections(**kwargs: object) -> None:
    """Close the tests and discoveries that nobody carries out any more."""
    connections.close_stranded(at=database_now())


@shared_task
def put_embedded_role(account_id: object, **kwargs: object) -> None:
    """Put an account's role in place in the embedded AWS."""
    if is_an_id(account_id, of="an account"):
        embedded_role.put_in_place(account_id)


@shared_task
def expire_sealed_secrets(**kwargs: object) -> None:
    """Wipe the secrets that nobody opened in time, and have their keys deleted."""
    sealed_secrets.expire_sealed_secrets(by=None, at=database_now())
