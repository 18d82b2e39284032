"""A lead holds, or has others hold, only what can do no more than the team may have."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts import envelope
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Envelope, IAMGroup, IAMUser, Person, Team
from accounts.usecases.iam_users import add_iam_user_to_group, remove_iam_user_from_group
from tests import factories

READING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}
ESCALATING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "iam:Create?olicyVersion", "Resource": "*"},
}

Break = Callable[[IAMUser, Envelope], None]


def _be_in_a_group_outside(iam_user: IAMUser, held: Envelope) -> None:
    factories.group_membership(iam_user, IAMGroup.objects.get(group_name="administrators"))


def _be_in_a_group_that_grew(iam_user: IAMUser, held: Envelope) -> None:
    policy = factories.iam_policy(iam_user.account, "grown", document=ESCALATING)
    group = IAMGroup.objects.get(group_name="ledger-writers")
    IAMGroup.objects.filter(pk=group.pk).update(attached_policy_arns=[policy.arn])
    factories.group_membership(iam_user, group)


def _be_in_a_group_that_is_not_read(iam_user: IAMUser, held: Envelope) -> None:
    arn = f"arn:aws:iam::{iam_user.account.account_id}:policy/unread"
    IAMGroup.objects.filter(group_name="ledger-writers").update(attached_policy_arns=[arn])
    factories.group_membership(iam_user, IAMGroup.objects.get(group_name="ledger-writers"))


def _have_a_policy_outside(iam_user: IAMUser, held: Envelope) -> None:
    policy = factories.iam_policy(iam_user.account, "outside", document=READING)
    IAMUser.objects.filter(pk=iam_user.pk).update(attached_policy_arns=[policy.arn])


def _have_a_policy_that_escalates(iam_user: IAMUser, held: Envelope) -> None:
    policy = factories.iam_policy(iam_user.account, "grown", document=ESCALATING)
    held.policies.add(policy)
    IAMUser.objects.filter(pk=iam_user.pk).update(attached_policy_arns=[policy.arn])


def _have_an_inline_policy(iam_user: IAMUser, held: Envelope) -> None:
    IAMUser.objects.filter(pk=iam_user.pk).update(inline_policies={"mine": READING})


def _lack_the_boundary(iam_user: IAMUser, held: Envelope) -> None:
    held.permissions_boundary = factories.iam_policy(iam_user.account, "boundary", document=READING)
    held.save()


def _have_another_boundary(iam_user: IAMUser, held: Envelope) -> None:
    _lack_the_boundary(iam_user, held)
    other = factories.iam_policy(iam_user.account, "wider", document=READING)
    IAMUser.objects.filter(pk=iam_user.pk).update(permissions_boundary_arn=other.arn)


def _have_a_boundary_that_is_not_read(iam_user: IAMUser, held: Envelope) -> None:
    arn = f"arn:aws:iam::{iam_user.account.account_id}:policy/unread"
    IAMUser.objects.filter(pk=iam_user.pk).update(permissions_boundary_arn=arn)


def _be_in_an_account_outside(iam_user: IAMUser, held: Envelope) -> None:
    held.accounts.clear()


BREAKS: dict[str, tuple[Break, str]] = {
    "a group outside": (_be_in_a_group_outside, "it is in administrators"),
    "a group that grew": (_be_in_a_group_that_grew, "group ledger-writers → grown would let it"),
    "a group that is not read": (_be_in_a_group_that_is_not_read, "could allow anything"),
    "a policy outside": (_have_a_policy_outside, "policy/outside is attached"),
    "a policy that escalates": (_have_a_policy_that_escalates, "grown would let it"),
    "an inline policy": (_have_an_inline_policy, "inline policy, mine"),
    "no boundary": (_lack_the_boundary, "permissions boundary is not the team's"),
    "another boundary": (_have_another_boundary, "permissions boundary is not the team's"),
    "a boundary that is not read": (_have_a_boundary_that_is_not_read, "could allow anything"),
    "an account outside": (_be_in_an_account_outside, "Your team has no access to"),
}


@pytest.fixture
def broken(request: pytest.FixtureRequest, ledger_writer: IAMUser, administrators: IAMGroup) -> tuple[IAMUser, str]:
    """An IAM user of Payments that can do more than Payments may have, and what is said of it."""
    break_it, words = BREAKS[request.param]
    break_it(ledger_writer, Envelope.objects.get())
    ledger_writer.refresh_from_db()
    return ledger_writer, words


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
def test_a_lead_is_refused_what_can_do_more(lena: Person, broken: tuple[IAMUser, str]) -> None:
    iam_user, words = broken

    with pytest.raises(OutsideEnvelope, match=words):
        envelope.require_within(by=lena, iam_user=iam_user)


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
def test_an_owner_stands_above(olive: Person, broken: tuple[IAMUser, str]) -> None:
    envelope.require_within(by=olive, iam_user=broken[0])


def test_a_lead_may_have_all_that_the_envelope_holds(
    lena: Person, ledger_writer: IAMUser, ledger_writers: IAMGroup
) -> None:
    held, account = Envelope.objects.get(), ledger_writer.account
    boundary = factories.iam_policy(account, "boundary", document=READING)
    policy = factories.iam_policy(account, "reading", document=READING)
    held.permissions_boundary = boundary
    held.save()
    held.policies.add(policy)
    factories.group_membership(ledger_writer, ledger_writers)
    IAMUser.objects.update(attached_policy_arns=[policy.arn], permissions_boundary_arn=boundary.arn)
    ledger_writer.refresh_from_db()

    envelope.require_within(by=lena, iam_user=ledger_writer)


def test_what_is_on_its_way_counts_already(
    lena: Person, olive: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    add_iam_user_to_group(by=olive, iam_user=ledger_writer, group_name="administrators", at=timezone.now())

    with pytest.raises(OutsideEnvelope, match="administrators"):
        envelope.require_within(by=lena, iam_user=ledger_writer)


def test_what_is_on_its_way_out_counts_still(lena: Person, ledger_writer: IAMUser, administrators: IAMGroup) -> None:
    factories.group_membership(ledger_writer, administrators)
    remove_iam_user_from_group(by=lena, iam_user=ledger_writer, group_name="administrators", at=timezone.now())

    with pytest.raises(OutsideEnvelope, match="administrators"):
        envelope.require_within(by=lena, iam_user=ledger_writer)


def test_a_group_of_the_same_name_in_another_account_is_another(
    lena: Person, acme_dev: Account, payments: Team, ledger_writer: IAMUser
) -> None:
    held = Envelope.objects.get()
    held.accounts.add(acme_dev)
    elsewhere = factories.iam_user(acme_dev, "elsewhere", team=payments)
    factories.group_membership(elsewhere, factories.iam_group(acme_dev, "ledger-writers"))

    with pytest.raises(OutsideEnvelope, match="ledger-writers"):
        envelope.require_within(by=lena, iam_user=elsewhere)
