"""Celery's side of this app: ids in, one call, nothing out."""

from celery import shared_task

from accounts import importers
from accounts.importers import connection, discovery, embedded_role
from accounts.usecases import (
    bulk_rows,
    connections,
    group_grants,
    imports,
    invitation_mails,
    key_reminders,
    mfa_following,
    offboarding,
    request_mails,
    requests,
    rotation_ask_mails,
    rotation_following,
    rotation_proofs,
    scheduled_rotations,
    sealed_secrets,
    secret_mails,
)
from portal.ledger.clock import database_now
from portal.ledger.tasks import entrys_id, is_an_id

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
def send_invitation(invitation_id: object, **kwargs: object) -> None:
    """Send the mail of an invitation. Its token is made there, so that none is ever in the broker."""
    if is_an_id(invitation_id, of="an invitation"):
        invitation_mails.send_invitation(invitation_id=invitation_id, at=database_now())


@shared_task
def send_unsent_invitations(**kwargs: object) -> None:
    """Send what the queue has forgotten, or a mail server would not take before."""
    invitation_mails.send_unsent_invitations(at=database_now())


@shared_task
def decide_bulk_rows(bulk_change_id: object, **kwargs: object) -> None:
    """Decide the next rows of one bulk change."""
    if is_an_id(bulk_change_id, of="a bulk change"):
        bulk_rows.carry_on(bulk_change_id=bulk_change_id, at=database_now())


@shared_task
def tend_bulk_changes(**kwargs: object) -> None:
    """Go on with the bulk changes that nobody is at, and let go of the plans that expired."""
    bulk_rows.tend(at=database_now())


@shared_task
def follow_offboardings(**kwargs: object) -> None:
    """Decide the deletions of offboardings whose time has come."""
    offboarding.follow_offboardings(at=database_now())


@shared_task
def end_group_grants(**kwargs: object) -> None:
    """End the time-bound memberships of groups whose time is over."""
    group_grants.end_due_grants(at=database_now())


@shared_task
def expire_requests(**kwargs: object) -> None:
    """Close the requests that nobody decided about in time."""
    requests.expire_requests(at=database_now())


@shared_task
def tell_of_request(request_id: object, **kwargs: object) -> None:
    """Mail those whom a request concerns in the state that it is in."""
    if is_an_id(request_id, of="a request"):
        request_mails.tell_of_request(request_id=request_id)


@shared_task
def expire_sealed_secrets(**kwargs: object) -> None:
    """Wipe the secrets that nobody opened in time, and have their keys deleted."""
    sealed_secrets.expire_sealed_secrets(by=None, at=database_now())


@shared_task
def tell_of_asking_again(entry_id: object, **kwargs: object) -> None:
    """Mail those whose secret was asked for a second time."""
    if (pk := entrys_id(entry_id)) is not None:
        secret_mails.tell_of_asking_again(entry_id=pk)


@shared_task
def tell_of_hand_over(entry_id: object, **kwargs: object) -> None:
    """Mail the one to whom a secret was handed over."""
    if (pk := entrys_id(entry_id)) is not None:
        secret_mails.tell_of_hand_over(entry_id=pk)


@shared_task
def follow_rotations(**kwargs: object) -> None:
    """Let rotations follow what AWS was read to hold."""
    rotation_following.follow_rotations(at=database_now())


@shared_task
def tend_scheduled_rotations(**kwargs: object) -> None:
    """Decide the next steps of the rotations that the portal carries on by itself."""
    scheduled_rotations.tend_scheduled_rotations(by=None, at=database_now())


@shared_task
def remind_of_keys(**kwargs: object) -> None:
    """Remind people of the access keys that are due."""
    key_reminders.remind(by=None, at=database_now())


@shared_task
def forget_used_signatures(**kwargs: object) -> None:
    """Forget the signatures whose requests have expired."""
    rotation_proofs.forget_used_signatures(at=database_now())


@shared_task
def send_rotation_asks(**kwargs: object) -> None:
    """Mail those who were asked to rotate access keys."""
    rotation_ask_mails.send_rotation_asks(at=database_now())


@shared_task
def follow_mfa_registrations(**kwargs: object) -> None:
    """Wipe codes that are of no use any more, and end the registrations of MFA devices that were not finished."""
    mfa_following.follow_registrations(at=database_now())
