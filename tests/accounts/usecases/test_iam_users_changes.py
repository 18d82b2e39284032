"""Rename, change path, set the boundary, attach and detach: what is decided, and what is refused."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, IAMPolicy, IAMUser, Organization, Person, Team
from accounts.usecases.deliveries import give_up
from accounts.usecases.iam_users import delete_iam_user
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.changes import AT, DECISIONS, PATH, PREFIX, decide, policy_of
from tests.faults.drifting import document
from tests.portal.ledger.carrying import together

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]

DETAILS = {
    "rename": ("renamed", {"user_name": "ledger-keeper", "before": "ledger-writer"}, "user_name", "ledger-keeper"),
    "path": ("path_changed", {"path": f"{PATH}batch/", "before": PATH}, "path", f"{PATH}batch/"),
    "boundary": (
        "boundary_changed",
        {"permissions_boundary": f"{PREFIX}/limit", "before": ""},
        "permissions_boundary_arn",
        f"{PREFIX}/limit",
    ),
    "attach": (
        "policy_attached",
        {"policy": f"{PREFIX}/reading"},
        "attached_policy_arns",
        [f"{PREFIX}/old", f"{PREFIX}/reading"],
    ),
    "detach": ("policy_detached", {"policy": f"{PREFIX}/old"}, "attached_policy_arns", []),
}
each = pytest.mark.parametrize("name", DECISIONS)


# What is decided


@each
def test_it_is_recorded_and_carried_and_the_record_follows(name: str, lena: Person, writer: IAMUser) -> None:
    kind, details, attribute, value = DETAILS[name]

    decide(name, writer, lena, reason="Agreed")

    entry, delivery = Entry.objects.get(), Delivery.objects.get()
    assert (entry.kind, entry.reason, entry.by_id) == (f"accounts.iam_user.{kind}", "Agreed", str(lena.pk))
    assert {key: found for key, found in entry.details.items() if key != "managed_from"} == details
    assert (delivery.lane, delivery.subject) == ("111122223333", writer.arn)
    assert getattr(writer.record, attribute) == value
    before = IAMUser.objects.get()
    assert (before.user_name, before.path, before.permissions_boundary_arn) == ("ledger-writer", PATH, "")


@each
def test_giving_it_up_takes_it_back_from_the_record(name: str, lena: Person, olive: Person, writer: IAMUser) -> None:
    factories.iam_user_record(writer)
    before = writer.record.attributes
    decide(name, writer, lena)
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied it.")

    give_up(by=olive, delivery=Delivery.objects.get(), reason="Not now", at=AT)

    writer.refresh_from_db()
    assert not hasattr(writer, "record") or writer.record.attributes == before


def test_what_comes_after_a_rename_queues_behind_it(lena: Person, writer: IAMUser) -> None:
    arn = writer.arn
    decide("rename", writer, lena)
    decide("path", writer, lena)
    decide("attach", writer, lena)

    assert {delivery.subject for delivery in Delivery.objects.all()} == {arn}
    assert writer.record.user_name == "ledger-keeper"
    assert writer.record.path == f"{PATH}batch/"


def test_a_boundary_is_taken_away_by_whoever_stands_above_the_envelope(olive: Person, writer: IAMUser) -> None:
    decide("boundary", writer, olive)
    decide("boundary", writer, olive, policy_arn="")

    assert [entry.details["permissions_boundary"] for entry in Entry.objects.order_by("sequence")] == [
        f"{PREFIX}/limit",
        "",
    ]


# Who may not


@each
@pytest.mark.parametrize("duty", [Duty.HELPDESK, Duty.AUDITOR])
def test_it_refuses_who_only_looks(
    name: str, duty: Duty, acme: Organization, payments: Team, writer: IAMUser, leaves_nothing: Block
) -> None:
    somebody = factories.member("somebody@acme.test", duty, of=acme, team=payments)

    with leaves_nothing(NotAllowed):
        decide(name, writer, somebody)


@each
def test_it_refuses_its_owner_and_hides_it_from_others(
    name: str, mia: Person, oskar: Person, acme: Organization, platform: Team, writer: IAMUser, leaves_nothing: Block
) -> None:
    lead_of_another = factories.member("leo@acme.test", Duty.LEAD, of=acme, team=platform)
    for stranger in (oskar, mia, lead_of_another):
        with leaves_nothing(NotThere):
            decide(name, writer, stranger)
    IAMUser.objects.update(owner=mia)
    with leaves_nothing(NotAllowed):
        decide(name, writer, mia)


@each
def test_nothing_changes_once_it_is_gone_or_going(
    name: str, lena: Person, writer: IAMUser, leaves_nothing: Block
) -> None:
    IAMUser.objects.update(gone_at=AT)
    with leaves_nothing(ValidationError, match="no longer holds"):
        decide(name, writer, lena)
    IAMUser.objects.update(gone_at=None)
    delete_iam_user(by=lena, iam_user=writer, reason="Left", at=AT)
    with leaves_nothing(ValidationError, match="being deleted"):
        decide(name, writer, lena)


# Names


@pytest.mark.parametrize("user_name", ["", " ", "a b", "x" * 65, "möwe", "a/b", "mia\n", "mia\x00", "аdmin", "*"])
def test_it_refuses_a_name_that_aws_refuses(
    lena: Person, writer: IAMUser, leaves_nothing: Block, user_name: str
) -> None:
    with leaves_nothing(ValidationError, match="1 to 64 letters") as refused:
        decide("rename", writer, lena, user_name=user_name)
    assert list(refused.value.message_dict) == ["user_name"]


def test_it_refuses_its_own_name_in_any_case(lena: Person, writer: IAMUser, leaves_nothing: Block) -> None:
    for user_name in ("ledger-writer", "Ledger-Writer"):
        with leaves_nothing(ValidationError, match="its name already"):
            decide("rename", writer, lena, user_name=user_name)


def test_it_refuses_a_name_that_another_has_or_will_have(
    lena: Person, acme_prod: Account, payments: Team, writer: IAMUser, leaves_nothing: Block
) -> None:
    other = factories.iam_user(acme_prod, "other", team=payments)
    with leaves_nothing(ValidationError, match="upper and lower case count as the same"):
        decide("rename", writer, lena, user_name="OTHER")

    decide("rename", other, lena, user_name="coming")
    for user_name, words in (("Coming", "another IAM user of this account gets"), ("other", "of this name already")):
        with leaves_nothing(ValidationError, match=words):
            decide("rename", writer, lena, user_name=user_name)


def test_a_name_is_free_in_another_account_and_of_one_that_is_gone(
    lena: Person, acme_prod: Account, acme_dev: Account, writer: IAMUser
) -> None:
    factories.iam_user(acme_dev, "ledger-keeper")
    factories.iam_user_record(factories.iam_user(acme_prod, "ledger-keeper", gone_at=AT))

    assert decide("rename", writer, lena).record.user_name == "ledger-keeper"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_want_one_name_at_once_one_gets_it(
    lena: Person, acme_prod: Account, payments: Team, writer: IAMUser
) -> None:
    both = [writer, factories.iam_user(acme_prod, "other", team=payments)]

    outcomes = together(2, lambda number: decide("rename", both[number], lena))

    assert sorted(isinstance(outcome, ValidationError) for outcome in outcomes) == [False, True]
    assert Delivery.objects.count() == 1


# Paths


@pytest.mark.parametrize("path", ["", "portal/", "/portal", "/a b/", "//" + "x" * 512, f"/{'x' * 511}/", "/mö/"])
def test_it_refuses_a_path_that_aws_refuses(olive: Person, writer: IAMUser, leaves_nothing: Block, path: str) -> None:
    with leaves_nothing(ValidationError, match="begins and ends with a slash") as refused:
        decide("path", writer, olive, path=path)
    assert list(refused.value.message_dict) == ["path"]


@pytest.mark.parametrize("path", ["/", "/portal/acme/", "/portal/acme/payments-too/", "/PORTAL/acme/payments/"])
def test_a_lead_stays_inside_the_teams_path(
    lena: Person, olive: Person, writer: IAMUser, leaves_nothing: Block, path: str
) -> None:
    with leaves_nothing(OutsideEnvelope, match="outside your team's path") as refused:
        decide("path", writer, lena, path=path)
    assert list(refused.value.message_dict) == ["path"]
    assert decide("path", writer, olive, path=path).record.path == path


def test_another_teams_path_below_ones_own_is_outside(
    lena: Person, platform: Team, writer: IAMUser, leaves_nothing: Block
) -> None:
    factories.envelope(platform, path=f"{PATH}platform/")

    for path in (f"{PATH}platform/", f"{PATH}platform/deep/"):
        with leaves_nothing(OutsideEnvelope, match="outside your team's path"):
            decide("path", writer, lena, path=path)


def test_it_refuses_the_path_that_it_has(lena: Person, writer: IAMUser, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="That is its path"):
        decide("path", writer, lena, path=PATH)


# Boundaries


@pytest.mark.parametrize("policy_arn", ["", f"{PREFIX}/reading"])
def test_a_lead_sets_the_teams_boundary_and_no_other(
    lena: Person, writer: IAMUser, leaves_nothing: Block, policy_arn: str
) -> None:
    with leaves_nothing(OutsideEnvelope, match="that the team must have") as refused:
        decide("boundary", writer, lena, policy_arn=policy_arn)
    assert list(refused.value.message_dict) == ["permissions_boundary"]


def test_it_refuses_a_boundary_that_is_not_there(
    lena: Person, olive: Person, acme_dev: Account, writer: IAMUser, leaves_nothing: Block
) -> None:
    elsewhere = policy_of(acme_dev, "elsewhere", "s3:*")
    IAMPolicy.objects.filter(policy_name="reading").update(gone_at=AT)
    for policy_arn in (f"{PREFIX}/nobody-made-it", elsewhere, f"{PREFIX}/reading", "no ARN at all"):
        with leaves_nothing(OutsideEnvelope, match="is not a policy of acme-prod"):
            decide("boundary", writer, olive, policy_arn=policy_arn)
    IAMPolicy.objects.filter(policy_name="limit").update(gone_at=AT)
    with leaves_nothing(OutsideEnvelope, match="is not a policy of acme-prod"):
        decide("boundary", writer, lena)


def test_it_refuses_the_boundary_that_it_has(olive: Person, writer: IAMUser, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="has no permissions boundary"):
        decide("boundary", writer, olive, policy_arn="")
    decide("boundary", writer, olive)
    with leaves_nothing(ValidationError, match="or will be"):
        decide("boundary", writer, olive)


def test_a_wider_boundary_is_no_way_around_a_narrow_one(
    lena: Person, payments: Team, acme_prod: Account, writer: IAMUser, wide: IAMPolicy, leaves_nothing: Block
) -> None:
    """What an admin gave behind a narrow boundary does not open because the team's own is wider."""
    policy_of(acme_prod, "narrow", "s3:*")
    payments.envelope.permissions_boundary = wide
    payments.envelope.save()
    IAMUser.objects.update(
        permissions_boundary_arn=f"{PREFIX}/narrow", inline_policies={"all": document("iam:CreatePolicyVersion")}
    )

    with leaves_nothing(OutsideEnvelope, match="would let it rewrite a policy") as refused:
        decide("boundary", writer, lena, policy_arn=wide.arn)
    assert list(refused.value.message_dict) == ["permissions_boundary"]
