"""Attach and detach policies: what carries more rights is refused to a lead, in whichever order it comes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.limits import OutsideEnvelope
from accounts.models import Account, IAMGroup, IAMPolicy, IAMUser, Person, Team
from accounts.usecases.iam_users import add_iam_user_to_group, remove_iam_user_from_group
from tests import factories
from tests.accounts.usecases.changes import AT, PREFIX, decide, policy_of
from tests.faults.drifting import document

ADMINISTRATION = "arn:aws:iam::aws:policy/AdministratorAccess"

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def test_a_lead_attaches_only_what_the_envelope_names(
    lena: Person, olive: Person, writer: IAMUser, wide: IAMPolicy, leaves_nothing: Block
) -> None:
    for policy_arn in (wide.arn, ADMINISTRATION, "no ARN at all", ""):
        with leaves_nothing(OutsideEnvelope, match="not a policy that you may hand out") as refused:
            decide("attach", writer, lena, policy_arn=policy_arn)
        assert list(refused.value.message_dict) == ["policies"]
    assert decide("attach", writer, olive, policy_arn=wide.arn).record.attached_policy_arns == [
        f"{PREFIX}/old",
        wide.arn,
    ]


def test_nobody_attaches_what_is_not_there(
    lena: Person, olive: Person, payments: Team, acme_dev: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    elsewhere = policy_of(acme_dev, "elsewhere", "s3:*", team=payments)
    IAMPolicy.objects.filter(policy_name="reading").update(gone_at=AT)

    for person in (lena, olive):
        for policy_arn in (elsewhere, f"{PREFIX}/reading", f"{PREFIX}/nobody-made-it"):
            with leaves_nothing(OutsideEnvelope, match="not a policy that you may hand out"):
                decide("attach", writer, person, policy_arn=policy_arn)


@pytest.mark.parametrize(
    "action", ["*", "iam:*", "iam:Create?olicyVersion", "IAM:createpolicyversion", "iam:PutUser*", "lambda:Update*"]
)
def test_a_policy_of_the_envelope_that_carries_more_rights_is_refused_to_a_lead(
    lena: Person, payments: Team, acme_prod: Account, writer: IAMUser, leaves_nothing: Block, action: str
) -> None:
    policy_arn = policy_of(acme_prod, "turned", action, team=payments)

    with leaves_nothing(OutsideEnvelope, match="turned would let it"):
        decide("attach", writer, lena, policy_arn=policy_arn)


@pytest.mark.parametrize("broken", [{}, {"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]}])
def test_a_policy_that_cannot_be_read_is_refused_to_a_lead(
    lena: Person, reading: IAMPolicy, writer: IAMUser, leaves_nothing: Block, broken: dict[str, Any]
) -> None:
    IAMPolicy.objects.filter(pk=reading.pk).update(document=broken)

    with leaves_nothing(OutsideEnvelope, match="reading could allow anything"):
        decide("attach", writer, lena)


def test_an_unread_policy_that_it_has_hides_nothing(
    lena: Person, payments: Team, acme_prod: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    IAMUser.objects.update(attached_policy_arns=["arn:aws:iam::aws:policy/NobodyReadIt"])
    policy_arn = policy_of(acme_prod, "turned", "*", team=payments)

    with leaves_nothing(OutsideEnvelope, match="turned would let it do everything"):
        decide("attach", writer, lena, policy_arn=policy_arn)


def test_two_policies_of_one_name_are_not_taken_for_each_other(
    lena: Person, payments: Team, acme_prod: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    IAMUser.objects.update(attached_policy_arns=["arn:aws:iam::aws:policy/turned"])
    policy_arn = policy_of(acme_prod, "turned", "*", team=payments)

    with leaves_nothing(OutsideEnvelope):
        decide("attach", writer, lena, policy_arn=policy_arn)


def test_two_halves_of_a_way_are_refused_while_the_first_is_on_its_way(
    lena: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup, writer: IAMUser, leaves_nothing: Block
) -> None:
    passing = policy_of(acme_prod, "passing", "iam:PassRole", team=payments)
    running = policy_of(acme_prod, "running", "ec2:RunInstances")
    IAMGroup.objects.filter(pk=ledger_writers.pk).update(attached_policy_arns=[running])
    decide("attach", writer, lena, policy_arn=passing)

    with leaves_nothing(OutsideEnvelope, match="start an instance with another role"):
        add_iam_user_to_group(by=lena, iam_user=writer, group_name="ledger-writers", at=AT)


def test_what_is_on_its_way_off_still_counts(
    lena: Person, payments: Team, acme_prod: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    """The removal can be given up, and then both halves would be there."""
    policy_of(acme_prod, "passing", "iam:PassRole")
    IAMUser.objects.update(attached_policy_arns=[f"{PREFIX}/passing"])
    running = policy_of(acme_prod, "running", "ec2:RunInstances", team=payments)
    decide("detach", writer, lena, policy_arn=f"{PREFIX}/passing")

    with leaves_nothing(OutsideEnvelope, match="start an instance with another role"):
        decide("attach", writer, lena, policy_arn=running)


def test_what_an_admin_takes_away_is_not_brought_back_by_something_alike(
    lena: Person, olive: Person, payments: Team, acme_prod: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    policy_of(acme_prod, "all", "iam:*")
    IAMUser.objects.update(attached_policy_arns=[f"{PREFIX}/all"])
    alike = policy_of(acme_prod, "alike", "iam:*", team=payments)
    decide("detach", writer, olive, policy_arn=f"{PREFIX}/all")

    with leaves_nothing(OutsideEnvelope, match="alike would let it"):
        decide("attach", writer, lena, policy_arn=alike)


def test_it_refuses_what_is_attached_already_or_on_its_way(
    lena: Person, writer: IAMUser, leaves_nothing: Block
) -> None:
    decide("attach", writer, lena)

    with leaves_nothing(ValidationError, match="reading is attached to ledger-writer already"):
        decide("attach", writer, lena)


def test_it_refuses_an_eleventh_policy(
    olive: Person, acme_prod: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    IAMUser.objects.update(attached_policy_arns=[f"{PREFIX}/policy-{number}" for number in range(9)])
    decide("attach", writer, olive)
    more = policy_of(acme_prod, "more", "s3:*")

    with leaves_nothing(ValidationError, match="at most 10 policies"):
        decide("attach", writer, olive, policy_arn=more)
    Account.objects.update(summary={"AttachedPoliciesPerUserQuota": 20})
    decide("attach", IAMUser.objects.get(), olive, policy_arn=more)


def test_it_refuses_to_detach_what_is_not_attached(lena: Person, writer: IAMUser, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="reading is not attached"):
        decide("detach", writer, lena, policy_arn=f"{PREFIX}/reading")
    decide("detach", writer, lena)
    with leaves_nothing(ValidationError, match="on its way off"):
        decide("detach", writer, lena)


def test_a_lead_takes_no_denial_away_that_keeps_a_way_shut(
    lena: Person, olive: Person, acme_prod: Account, ledger_writers: IAMGroup, writer: IAMUser, leaves_nothing: Block
) -> None:
    denial = {"Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]}
    factories.iam_policy(acme_prod, "denial", document=denial)
    IAMUser.objects.update(attached_policy_arns=[f"{PREFIX}/denial"], inline_policies={"all": document("iam:*")})
    with leaves_nothing(OutsideEnvelope, match="inline policy all would let it"):
        decide("detach", writer, lena, policy_arn=f"{PREFIX}/denial")

    IAMUser.objects.update(attached_policy_arns=[])
    IAMGroup.objects.filter(pk=ledger_writers.pk).update(attached_policy_arns=[f"{PREFIX}/denial"])
    factories.group_membership(writer, ledger_writers)
    with leaves_nothing(OutsideEnvelope, match="inline policy all would let it"):
        remove_iam_user_from_group(by=lena, iam_user=writer, group_name="ledger-writers", at=AT)
    remove_iam_user_from_group(by=olive, iam_user=writer, group_name="ledger-writers", at=AT)
