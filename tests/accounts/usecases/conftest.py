"""What the tests of deciding about drift share: an IAM user that the portal manages, and how AWS came to differ."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Account, Drift, IAMGroup, IAMUser, IAMUserRecord, Person, Team
from accounts.usecases.iam_users import create_iam_user
from tests import factories
from tests.accounts.usecases.changes import limit, reading, wide, writer
from tests.accounts.usecases.rotating import mias, old_key

__all__ = ["limit", "mias", "old_key", "reading", "wide", "writer"]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATH = "/portal/acme/payments/"


@pytest.fixture
def managed(ledger_writer: IAMUser) -> IAMUser:
    """An IAM user of Payments that the portal manages, under the team's path."""
    IAMUser.objects.filter(pk=ledger_writer.pk).update(path=PATH)
    ledger_writer.refresh_from_db()
    factories.iam_user_record(ledger_writer)
    return ledger_writer


def drifted(iam_user: IAMUser, **fields: Any) -> list[Drift]:
    """Let AWS hold something else of it, and conclude that."""
    before = {name: getattr(iam_user.record, name) for name in fields}
    IAMUser.objects.filter(pk=iam_user.pk).update(**fields)
    iam_user.refresh_from_db()
    return [factories.drift(iam_user, attribute=name, decided=before[name], held=fields[name]) for name in fields]


def drifted_groups(iam_user: IAMUser, *, decided: list[IAMGroup], held: list[IAMGroup]) -> list[Drift]:
    names = [[group.group_name for group in groups] for groups in (decided, held)]
    IAMUserRecord.objects.filter(iam_user=iam_user).update(group_names=names[0])
    for group in held:
        factories.group_membership(iam_user, group)
    return [factories.drift(iam_user, attribute="group_names", decided=names[0], held=names[1])]


@pytest.fixture
def tags(managed: IAMUser) -> list[Drift]:
    """Somebody has changed a tag in AWS."""
    return drifted(managed, tags={"stage": "test"})


@pytest.fixture
def gone(managed: IAMUser) -> list[Drift]:
    """Somebody has deleted it in AWS."""
    IAMUser.objects.filter(pk=managed.pk).update(gone_at=AT)
    managed.refresh_from_db()
    return [factories.drift(managed, kind="gone", attribute="", decided=managed.record.attributes.stored(), held=None)]


@pytest.fixture
def create(lena: Person, payments: Team, acme_prod: Account, envelope: None) -> Callable[..., IAMUser]:
    """Lena creates an application's IAM user for Payments in acme-prod, but for what the test says otherwise."""

    def create(**changes: Any) -> IAMUser:
        told: dict[str, Any] = {
            "by": lena,
            "team": payments,
            "account": acme_prod,
            "user_name": "ledger-writer",
            "kind": "application",
            "purpose": "Writes the ledger",
            "at": AT,
        }
        return create_iam_user(**told | changes)

    return create
