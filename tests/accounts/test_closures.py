"""What a grant carries decides, and not what it is called (abuses A02 and A25)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import closures
from accounts.limits import OutsideEnvelope
from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from accounts.usecases.iam_users import add_iam_user_to_group, create_iam_user
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADMINISTRATION = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
VERSIONS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iam:Create?olicyVersion", "Resource": "*"}],
}
READING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
NO_IAM = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    ],
}

pytestmark = pytest.mark.usefixtures("envelope")

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def carry(group: IAMGroup, document: dict[str, Any], *, name: str = "rights") -> None:
    """Let a policy with this document hang on the group."""
    policy = factories.iam_policy(group.account, name, document=document)
    group.attached_policy_arns = [policy.arn]
    group.save()


def create(by: Person, team: Team, account: Account, group: IAMGroup) -> IAMUser:
    return create_iam_user(
        by=by, team=team, account=account, user_name="new", kind="person", group_names=[group.group_name], at=AT
    )


@pytest.mark.parametrize("document", [ADMINISTRATION, VERSIONS])
def test_a_group_of_the_envelope_that_carries_more_rights_is_refused_to_a_lead(
    lena: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup, ledger_writer: IAMUser,
    leaves_nothing: Block, document: dict[str, Any],
) -> None:  # fmt: skip
    carry(ledger_writers, document)

    with leaves_nothing(OutsideEnvelope, match="group ledger-writers → rights would let it"):
        create(lena, payments, acme_prod, ledger_writers)
    with leaves_nothing(OutsideEnvelope, match="group ledger-writers → rights would let it"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_an_inline_policy_of_the_group_counts_too(
    lena: Person, ledger_writers: IAMGroup, ledger_writer: IAMUser, leaves_nothing: Block
) -> None:
    ledger_writers.inline_policies = {"more": VERSIONS}
    ledger_writers.save()

    with leaves_nothing(OutsideEnvelope, match="inline policy more would let it"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_two_halves_of_a_way_in_two_policies_are_the_way(
    lena: Person, ledger_writers: IAMGroup, ledger_writer: IAMUser, leaves_nothing: Block
) -> None:
    half = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}}
    other = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}}
    IAMUser.objects.update(inline_policies={"half": half})
    ledger_writer.refresh_from_db()
    carry(ledger_writers, other)

    with leaves_nothing(OutsideEnvelope, match="would let it"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_a_policy_that_was_not_read_could_be_anything(
    lena: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup, leaves_nothing: Block
) -> None:
    ledger_writers.attached_policy_arns = ["arn:aws:iam::aws:policy/NobodyReadIt"]
    ledger_writers.save()

    with leaves_nothing(OutsideEnvelope, match="NobodyReadIt could allow anything"):
        create(lena, payments, acme_prod, ledger_writers)


def test_what_the_boundary_denies_is_not_carried(
    lena: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup
) -> None:
    carry(ledger_writers, VERSIONS)
    payments.envelope.permissions_boundary = factories.iam_policy(acme_prod, "boundary", document=NO_IAM)
    payments.envelope.save()

    assert create(lena, payments, acme_prod, ledger_writers).pk


def test_a_harmless_group_is_a_leads_to_hand_out_and_any_group_an_owners(
    lena: Person, olive: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup, administrators: IAMGroup
) -> None:
    carry(ledger_writers, READING)
    carry(administrators, ADMINISTRATION, name="all")

    iam_user = create(lena, payments, acme_prod, ledger_writers)

    assert iam_user.pk
    IAMUser.objects.filter(pk=iam_user.pk).update(user_id="AIDA1", source="get_user", read_at=AT, create_date=AT)
    iam_user.refresh_from_db()
    add_iam_user_to_group(by=olive, iam_user=iam_user, group_name="administrators", at=AT)
    assert iam_user.record.group_names == ["administrators", "ledger-writers"]


def test_what_was_open_before_is_not_the_changes_doing(
    lena: Person, ledger_writers: IAMGroup, ledger_writer: IAMUser
) -> None:
    IAMUser.objects.update(inline_policies={"old": ADMINISTRATION})
    ledger_writer.refresh_from_db()
    carry(ledger_writers, READING)

    add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)

    assert ledger_writer.record.group_names == ["ledger-writers"]


def test_a_closure_takes_a_fixed_number_of_queries(
    acme_prod: Account, ledger_writer: IAMUser, django_assert_num_queries: Any
) -> None:
    for number in range(8):
        group = factories.iam_group(acme_prod, f"group-{number}")
        carry(group, READING, name=f"reading-{number}")
        factories.group_membership(ledger_writer, group)

    with django_assert_num_queries(3):
        closure = closures.of_iam_user(ledger_writer)
    assert closure.allows("s3:GetObject")
    assert not closures.opened(before=closure, after=closure)
