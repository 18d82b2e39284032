"""Adopt and revert drift inside the envelope: a lead hands out no more by them than by any other decision."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from accounts.limits import OutsideEnvelope
from accounts.models import Account, Drift, IAMGroup, IAMUser, IAMUserRecord, Person, Team
from accounts.usecases.drift import adopt_drift, revert_drift
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.usecases.conftest import AT, PATH, drifted, drifted_groups
from tests.faults.drifting import document

WHY = "Agreed with the team"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def test_a_lead_adopts_and_brings_back_no_group_outside_the_envelope(
    lena: Person, olive: Person, managed: IAMUser, administrators: IAMGroup, ledger_writers: IAMGroup,
    leaves_nothing: Block,
) -> None:  # fmt: skip
    gained = drifted_groups(managed, decided=[], held=[administrators])
    with leaves_nothing(OutsideEnvelope, match="administrators"):
        adopt_drift(by=lena, drifts=gained, reason=WHY, at=AT)
    Drift.objects.all().delete()
    managed.group_memberships.all().delete()

    lost = drifted_groups(managed, decided=[administrators], held=[ledger_writers])
    with leaves_nothing(OutsideEnvelope, match="administrators"):
        revert_drift(by=lena, drifts=lost, reason=WHY, at=AT)

    adopt_drift(by=lena, drifts=lost, reason=WHY, at=AT)
    assert IAMUserRecord.objects.get().group_names == ["ledger-writers"]


def test_a_lead_takes_a_group_away_again_that_lies_outside_the_envelope(
    lena: Person, managed: IAMUser, administrators: IAMGroup
) -> None:
    revert_drift(by=lena, drifts=drifted_groups(managed, decided=[], held=[administrators]), reason=WHY, at=AT)

    assert Entry.objects.get().details["decided"] == []


BOUNDARY, OTHER = "arn:aws:iam::111122223333:policy/portal-boundary", "arn:aws:iam::111122223333:policy/wide"


@pytest.mark.parametrize(
    ("name", "decided", "held", "adopts", "reverts"),
    [
        ("attached_policy_arns", [], [READ_ONLY], False, True),
        ("attached_policy_arns", [READ_ONLY], [], True, False),
        ("inline_policies", {}, {"a": DOCUMENT}, False, True),
        ("inline_policies", {"a": DOCUMENT}, {}, True, False),
        ("inline_policies", {"a": DOCUMENT}, {"a": {**DOCUMENT, "Id": "x"}}, False, False),
        ("path", PATH, "/elsewhere/", False, True),
        ("path", "/elsewhere/", PATH, True, False),
        ("permissions_boundary_arn", "", OTHER, True, False),
        ("permissions_boundary_arn", OTHER, "", False, True),
        ("permissions_boundary_arn", BOUNDARY, OTHER, False, True),
        ("permissions_boundary_arn", OTHER, BOUNDARY, True, False),
        ("user_name", "ledger-writer", "renamed", True, True),
        ("tags", {"a": "1"}, {"a": "2"}, True, True),
    ],
)
def test_a_lead_never_hands_out_more_than_the_envelope(
    lena: Person, olive: Person, managed: IAMUser, payments: Team, leaves_nothing: Block, acme_prod: Account,
    name: str, decided: Any, held: Any, adopts: bool, reverts: bool,
) -> None:  # fmt: skip
    payments.envelope.permissions_boundary = factories.iam_policy(acme_prod, "portal-boundary")
    payments.envelope.save()
    IAMUserRecord.objects.update(**{name: decided})
    managed.refresh_from_db()
    drifts = drifted(managed, **{name: held})

    for decide, is_allowed in ((adopt_drift, adopts), (revert_drift, reverts)):
        if not is_allowed:
            with leaves_nothing(OutsideEnvelope, match="you may hand out"):
                decide(by=lena, drifts=drifts, reason=WHY, at=AT)
    if adopts or reverts:
        (adopt_drift if adopts else revert_drift)(by=lena, drifts=drifts, reason=WHY, at=AT)
    else:
        adopt_drift(by=olive, drifts=drifts, reason=WHY, at=AT)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("outside", ["path", "permissions_boundary_arn", "group_names"])
def test_a_lead_makes_nobody_anew_outside_the_envelope(
    lena: Person, olive: Person, gone: list[Drift], administrators: IAMGroup, leaves_nothing: Block, outside: str
) -> None:
    value = {"path": "/x/", "permissions_boundary_arn": OTHER, "group_names": ["administrators"]}[outside]
    IAMUserRecord.objects.update(**{outside: value})

    with leaves_nothing(OutsideEnvelope):
        revert_drift(by=lena, drifts=gone, reason=WHY, at=AT)

    revert_drift(by=olive, drifts=gone, reason=WHY, at=AT)
    assert getattr(IAMUserRecord.objects.get(), outside) == value


def test_a_lead_makes_nobody_anew_in_an_account_outside_the_envelope(
    lena: Person, acme_dev: Account, payments: Team, envelope: None, leaves_nothing: Block
) -> None:
    row = factories.iam_user(acme_dev, "elsewhere", team=payments, path=PATH, gone_at=AT)
    factories.iam_user_record(row)
    drift = factories.drift(row, kind="gone", attribute="", decided={}, held=None)

    with leaves_nothing(OutsideEnvelope, match="has no access"):
        revert_drift(by=lena, drifts=[drift], reason=WHY, at=AT)


def test_a_lead_adopts_no_group_or_policy_of_the_envelope_that_carries_more_rights(
    lena: Person, payments: Team, managed: IAMUser, ledger_writers: IAMGroup, leaves_nothing: Block
) -> None:
    """AWS holds it already, but it was not decided here, and a lead decides no such thing."""
    turned = factories.iam_policy(managed.account, "turned", document=document("iam:*"))
    payments.envelope.policies.add(turned)
    policy = drifted(managed, attached_policy_arns=[turned.arn])
    with leaves_nothing(OutsideEnvelope, match="turned would let it"):
        adopt_drift(by=lena, drifts=policy, reason=WHY, at=AT)

    IAMUser.objects.update(attached_policy_arns=[])
    IAMGroup.objects.filter(pk=ledger_writers.pk).update(attached_policy_arns=[turned.arn])
    group = drifted_groups(managed, decided=[], held=[ledger_writers])
    with leaves_nothing(OutsideEnvelope, match="turned would let it"):
        adopt_drift(by=lena, drifts=group, reason=WHY, at=AT)
