"""Create IAM user with policies, and the room that AWS leaves."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.limits import OutsideEnvelope
from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from accounts.usecases.iam_users_changes import rename_iam_user
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.usecases.changes import AT
from tests.faults.drifting import document

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Create = Callable[..., IAMUser]


def test_policies_are_part_of_the_creation(create: Create, payments: Team, acme_prod: Account) -> None:
    reading = factories.iam_policy(acme_prod, "reading", document=document("s3:GetObject"))
    payments.envelope.policies.add(reading)

    iam_user = create(policy_arns=[reading.arn])

    assert Entry.objects.get().details["policies"] == [reading.arn]
    assert iam_user.record.attached_policy_arns == [reading.arn]
    assert iam_user.attached_policy_arns == []


def test_it_refuses_a_policy_outside_the_envelope_or_that_is_not_there(
    create: Create, leaves_nothing: Block, olive: Person, payments: Team, acme_prod: Account, acme_dev: Account
) -> None:
    outside = factories.iam_policy(acme_prod, "outside", document=document("s3:GetObject"))
    gone = factories.iam_policy(acme_prod, "gone", document=document("s3:GetObject"), gone_at=AT)
    elsewhere = factories.iam_policy(acme_dev, "elsewhere", document=document("s3:GetObject"))
    payments.envelope.policies.set([gone, elsewhere])

    with leaves_nothing(OutsideEnvelope, match="outside is not a policy") as refused:
        create(policy_arns=[outside.arn])
    assert list(refused.value.message_dict) == ["policies"]
    for arn in (gone.arn, elsewhere.arn, "arn:aws:iam::aws:policy/NobodyMadeIt"):
        for person in ({}, {"by": olive}):
            with leaves_nothing(OutsideEnvelope, match="is not a policy of"):
                create(policy_arns=[arn], **person)
    assert create(by=olive, policy_arns=[outside.arn]).pk


def test_a_group_and_a_policy_that_are_a_way_together_are_refused(
    create: Create, leaves_nothing: Block, payments: Team, acme_prod: Account, ledger_writers: IAMGroup
) -> None:
    passing = factories.iam_policy(acme_prod, "passing", document=document("iam:PassRole"))
    running = factories.iam_policy(acme_prod, "running", document=document("ec2:RunInstances"))
    payments.envelope.policies.set([running])
    ledger_writers.attached_policy_arns = [passing.arn]
    ledger_writers.save()

    with leaves_nothing(OutsideEnvelope, match="start an instance with another role"):
        create(group_names=["ledger-writers"], policy_arns=[running.arn])


def test_what_the_teams_boundary_denies_is_not_carried(
    create: Create, leaves_nothing: Block, payments: Team, acme_prod: Account
) -> None:
    wide = factories.iam_policy(acme_prod, "wide", document=document("iam:*"))
    payments.envelope.policies.add(wide)
    with leaves_nothing(OutsideEnvelope, match="wide would let it"):
        create(policy_arns=[wide.arn])

    payments.envelope.permissions_boundary = factories.iam_policy(acme_prod, "limit", document=document("s3:*"))
    payments.envelope.save()
    assert create(policy_arns=[wide.arn]).pk


def test_it_refuses_an_eleventh_policy_and_goes_by_what_aws_told(
    create: Create, leaves_nothing: Block, olive: Person, acme_prod: Account
) -> None:
    arns = [factories.iam_policy(acme_prod, f"policy-{number}").arn for number in range(11)]

    with leaves_nothing(ValidationError, match="at most 10 policies here, by AWS's documented default"):
        create(by=olive, policy_arns=arns)
    acme_prod.summary = {"AttachedPoliciesPerUserQuota": 20}
    acme_prod.save()
    assert create(by=olive, policy_arns=arns).pk


def test_a_full_account_takes_no_more(create: Create, leaves_nothing: Block, acme_prod: Account) -> None:
    acme_prod.summary, acme_prod.read_at, acme_prod.source = {"Users": 4999, "UsersQuota": 5000}, AT, "get_user"
    acme_prod.save()
    assert create().pk

    with leaves_nothing(ValidationError, match="at most 5,000 IAM users") as refused:
        create(user_name="one-more")
    assert list(refused.value.message_dict) == ["account"]


def test_it_refuses_a_name_that_another_was_decided_to_get(
    create: Create, leaves_nothing: Block, lena: Person, ledger_writer: IAMUser
) -> None:
    rename_iam_user(by=lena, iam_user=ledger_writer, user_name="On-Its-Way", at=AT)

    with leaves_nothing(ValidationError, match="another IAM user of this account gets this name"):
        create(user_name="on-its-way")
