"""Celery's side of this app: ids in, one call, nothing out."""

from celery import shared_task

from accounts import importers
from accounts.usecases import accounts as account_usecases
from portal.ledger.clock import database_now
from portal.ledger.tasks import is_an_id


@shared_task
def import_account(import_id: object, **kwargs: object) -> None:
    """Carry out one import that was asked for."""
    if is_an_id(import_id, of="an import"):
        importers.run(import_id)


@shared_task
def import_due_accounts(**kwargs: object) -> None:
    """Start an import of every account that was not read for a while."""
    account_usecases.import_due_accounts(at=database_now())
