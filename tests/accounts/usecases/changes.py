"""What the tests of changes share: an IAM user with policies around it, and one decision of each kind."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Account, IAMPolicy, IAMUser, Person, Team
from accounts.usecases.iam_users_changes import (
    attach_policy,
    change_boundary,
    change_path,
    detach_policy,
    rename_iam_user,
)
from tests import factories
from tests.faults.drifting import document

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATH = "/portal/acme/payments/"
PREFIX = "arn:aws:iam::111122223333:policy"


@pytest.fixture
def reading(acme_prod: Account, payments: Team, envelope: None) -> IAMPolicy:
    """A policy inside the envelope of Payments."""
    policy = factories.iam_policy(acme_prod, "reading", document=document("s3:GetObject"))
    payments.envelope.policies.add(policy)
    return policy


@pytest.fixture
def limit(acme_prod: Account, payments: Team, envelope: None) -> IAMPolicy:
    """The permissions boundary that the IAM users of Payments must have."""
    policy = factories.iam_policy(acme_prod, "limit", document=document("s3:*"))
    payments.envelope.permissions_boundary = policy
    payments.envelope.save()
    return policy


@pytest.fixture
def wide(acme_prod: Account) -> IAMPolicy:
    """A policy outside every envelope."""
    return factories.iam_policy(acme_prod, "wide", document=document("*"))


def policy_of(account: Account, name: str, *actions: str, team: Team | None = None) -> str:
    policy = factories.iam_policy(account, name, document=document(actions[0]))
    if team is not None:
        team.envelope.policies.add(policy)
    return policy.arn


def decide(name: str, iam_user: IAMUser, by: Person, **changes: Any) -> IAMUser:
    """One decision of each kind, that is fine but for what the test says otherwise."""
    use_case, usual = DECISIONS[name]
    return use_case(**{"by": by, "iam_user": iam_user, "at": AT} | usual | changes)


DECISIONS: dict[str, tuple[Callable[..., IAMUser], dict[str, Any]]] = {
    "rename": (rename_iam_user, {"user_name": "ledger-keeper"}),
    "path": (change_path, {"path": f"{PATH}batch/"}),
    "boundary": (change_boundary, {"policy_arn": f"{PREFIX}/limit"}),
    "attach": (attach_policy, {"policy_arn": f"{PREFIX}/reading"}),
    "detach": (detach_policy, {"policy_arn": f"{PREFIX}/old"}),
}


@pytest.fixture
def writer(ledger_writer: IAMUser, reading: IAMPolicy, limit: IAMPolicy) -> IAMUser:
    """An IAM user of Payments under the team's path, with a policy that nobody may hand out."""
    factories.iam_policy(ledger_writer.account, "old", document=document("sqs:SendMessage"))
    IAMUser.objects.filter(pk=ledger_writer.pk).update(path=PATH, attached_policy_arns=[f"{PREFIX}/old"])
    ledger_writer.refresh_from_db()
    return ledger_writer
