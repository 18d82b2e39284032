"""The AWS organization of the demo: Acme's accounts, a few of them not connected, one closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import cast

from moto.iam.models import iam_backends
from moto.organizations.models import FakeAccount, FakeOrganization, OrganizationsBackend, organizations_backends

from portal.aws.simulator.hub import PARTITION, REGION

MANAGEMENT_ACCOUNT_ID = "111122223333"
# Number, name and state; the first is the management account.
MEMBERS = (
    (MANAGEMENT_ACCOUNT_ID, "acme-prod", "ACTIVE"),
    ("222233334444", "acme-dev", "ACTIVE"),
    ("444455556666", "acme-sandbox", "ACTIVE"),
    ("555566667777", "acme-data", "ACTIVE"),
    ("666677778888", "acme-archive", "SUSPENDED"),
)
AGE = timedelta(days=900)


def load_organization(*, at: datetime) -> None:
    """Make the organization anew, as it is at `at` (UTC without a zone, as moto keeps its times)."""
    backend = organizations_backends[MANAGEMENT_ACCOUNT_ID][PARTITION]
    backend.reset()
    organizations_backends.master_accounts.pop(MANAGEMENT_ACCOUNT_ID, None)
    with _no_invented_accounts():
        backend.create_organization(REGION, FeatureSet="ALL")
    if backend.org is not None:
        backend.org.id = "o-acmedemo001"
    backend.accounts.clear()
    for account_id, name, state in MEMBERS:
        add_member(backend, account_id, name, state=state, joined_at=at - AGE)


def add_member(
    backend: OrganizationsBackend, account_id: str, name: str, *, state: str = "ACTIVE", joined_at: datetime
) -> None:
    """Make an account a member of the organization."""
    with _no_invented_accounts():
        member = FakeAccount(cast("FakeOrganization", backend.org), AccountName=name, Email=f"aws+{name}@acme.test")
    member.id, member.create_time = account_id, joined_at
    member.status = member.state = state
    backend.accounts.append(member)


@contextmanager
def _no_invented_accounts() -> Iterator[None]:
    """Take back what moto makes by itself: for each member an account of some number, with a role in it."""
    before = set(iam_backends)
    yield
    for account_id in set(iam_backends) - before:
        iam_backends.pop(account_id)
