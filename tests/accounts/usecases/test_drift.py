"""Adopt drift, or revert it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Drift, IAMGroup, IAMUser, IAMUserRecord, Person, Team
from accounts.usecases import deliveries, iam_users
from accounts.usecases.drift import adopt_drift, revert_drift
from portal.ledger import chain
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.conftest import AT, PATH, drifted, drifted_groups

WHY = "Agreed with the team"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DECISIONS = [adopt_drift, revert_drift]
each_decision = pytest.mark.parametrize("decide", DECISIONS)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Decide = Callable[..., list[Drift]]


# Adopt


def test_adopted_the_record_follows_aws_and_nothing_is_carried(
    lena: Person, managed: IAMUser, tags: list[Drift]
) -> None:
    adopt_drift(by=lena, drifts=tags, reason=WHY, at=AT)

    assert IAMUserRecord.objects.get().tags == {"stage": "test"}
    entry = Entry.objects.get()
    assert (entry.kind, entry.reason, entry.by_id) == ("accounts.drift.adopted", WHY, str(lena.pk))
    assert (entry.subject_type, entry.subject_id) == ("iam_user", str(managed.pk))
    assert entry.details == {
        "drift": tags[0].pk,
        "attribute": "tags",
        "decided": [{"key": "stage", "value": "prod"}],
        "held": [{"key": "stage", "value": "test"}],
    }
    row = Drift.objects.get()
    assert (row.state, row.ended_at) == (Drift.State.ADOPTED, AT)
    assert not Delivery.objects.exists()


def test_adopted_one_that_is_gone_is_not_managed_any_more(lena: Person, managed: IAMUser, gone: list[Drift]) -> None:
    adopt_drift(by=lena, drifts=gone, reason=WHY, at=AT)

    assert not IAMUserRecord.objects.exists()
    assert Entry.objects.get().details["gone"] == managed.user_id
    assert Drift.objects.get().state == Drift.State.ADOPTED
    assert not Delivery.objects.exists()


# Revert


def test_reverted_it_has_one_entry_with_one_delivery(lena: Person, managed: IAMUser, tags: list[Drift]) -> None:
    revert_drift(by=lena, drifts=tags, reason=WHY, at=AT)

    entry, delivery = Entry.objects.get(), Delivery.objects.get()
    assert (entry.kind, entry.reason) == ("accounts.drift.reverted", WHY)
    assert (entry.details["decided"], entry.details["held"]) == (
        [{"key": "stage", "value": "prod"}],
        [{"key": "stage", "value": "test"}],
    )
    assert (delivery.entry, delivery.subject, delivery.queue) == (entry, managed.arn, "interactive")
    assert IAMUserRecord.objects.get().tags == {"stage": "prod"}
    assert Drift.objects.get().state == Drift.State.REVERTED
    managed.refresh_from_db()
    assert managed.tags == {"stage": "test"}


def test_an_inline_policy_whose_name_looks_like_a_secret_can_be_reverted(olive: Person, managed: IAMUser) -> None:
    document = {**DOCUMENT, "password": {"token": 1.5}}
    drifts = drifted(managed, inline_policies={"secret-reader": document})

    revert_drift(by=olive, drifts=drifts, reason=WHY, at=AT)

    assert Entry.objects.get().details["held"][0]["name"] == "secret-reader"
    assert chain.verify(managed.organization) is None


def test_reverted_one_that_is_gone_is_made_anew_as_another(
    lena: Person, managed: IAMUser, gone: list[Drift], ledger_writers: IAMGroup, mia: Person
) -> None:
    IAMUser.objects.update(owner=mia)
    IAMUserRecord.objects.update(group_names=["ledger-writers"])

    revert_drift(by=lena, drifts=gone, reason=WHY, at=AT)

    anew = IAMUser.objects.present().get()
    assert (anew.pk != managed.pk, anew.user_name, anew.path, anew.user_id) == (True, "ledger-writer", PATH, "")
    assert (anew.team, anew.owner, anew.kind, anew.purpose) == (
        managed.team, mia, "application", "Writes the ledger"
    )  # fmt: skip
    decided: dict[str, Any] = gone[0].decided or {}
    assert anew.record.attributes.stored() == {**decided, "group_names": ["ledger-writers"]}
    said, made = Entry.objects.order_by("sequence")
    assert (said.kind, said.subject_id) == ("accounts.drift.reverted", str(managed.pk))
    assert (made.kind, made.subject_id) == ("accounts.iam_user.created", str(anew.pk))
    assert (made.details["groups"], made.details["instead_of"]) == (["ledger-writers"], managed.user_id)
    assert Delivery.objects.get().entry == made
    assert not IAMUserRecord.objects.filter(iam_user=managed).exists()


def test_an_application_without_a_purpose_and_with_a_lost_owner_is_made_anew(
    olive: Person, oskar: Person, gone: list[Drift]
) -> None:
    IAMUser.objects.update(purpose="", owner=oskar)

    revert_drift(by=olive, drifts=gone, reason=WHY, at=AT)

    anew = IAMUser.objects.present().get()
    assert anew.owner is None
    assert anew.purpose.startswith("In place of AIDA")


def test_it_is_not_made_anew_where_somebody_else_has_its_name(
    olive: Person, gone: list[Drift], acme_prod: Account, leaves_nothing: Block
) -> None:
    factories.iam_user(acme_prod, "Ledger-Writer")

    with leaves_nothing(ValidationError, match="IAM user of this name already"):
        revert_drift(by=olive, drifts=gone, reason=WHY, at=AT)


def test_a_name_that_is_another_ones_now_is_not_given_back(
    olive: Person, managed: IAMUser, acme_prod: Account, leaves_nothing: Block
) -> None:
    drifts = drifted(managed, user_name="renamed")
    factories.iam_user(acme_prod, "LEDGER-writer")

    with leaves_nothing(ValidationError, match="another IAM user's now"):
        revert_drift(by=olive, drifts=drifts, reason=WHY, at=AT)


def test_given_up_the_revert_waits_for_a_decision_again(olive: Person, managed: IAMUser, tags: list[Drift]) -> None:
    revert_drift(by=olive, drifts=tags, reason=WHY, at=AT)
    Delivery.objects.update(state="stuck", stuck_kind="denied")

    deliveries.give_up(by=olive, delivery=Delivery.objects.get(), reason="Not allowed there", at=AT)

    assert Drift.objects.get().state == Drift.State.OPEN
    assert IAMUserRecord.objects.get().tags == {"stage": "prod"}


# Several at once


@each_decision
def test_several_of_one_account_are_decided_at_once(
    olive: Person, managed: IAMUser, acme_prod: Account, payments: Team, decide: Decide
) -> None:
    other = factories.iam_user(acme_prod, "other", team=payments)
    factories.iam_user_record(other)
    drifts = [*drifted(managed, tags={}, attached_policy_arns=[READ_ONLY]), *drifted(other, tags={"a": "b"})]

    decide(by=olive, drifts=drifts, reason=WHY, at=AT)

    assert not Drift.objects.open().exists()
    assert Entry.objects.count() == 3
    assert set(Delivery.objects.values_list("queue", flat=True)) <= {"bulk"}


@each_decision
def test_of_several_all_are_decided_or_none(
    lena: Person, managed: IAMUser, tags: list[Drift], leaves_nothing: Block, decide: Decide
) -> None:
    policies = drifted(managed, inline_policies={"read": DOCUMENT})
    IAMUserRecord.objects.update(inline_policies={"read": {**DOCUMENT, "Id": "x"}})
    Drift.objects.filter(pk=policies[0].pk).update(decided={"read": {**DOCUMENT, "Id": "x"}})

    with leaves_nothing(OutsideEnvelope):
        decide(by=lena, drifts=[*tags, *policies], reason=WHY, at=AT)


@each_decision
def test_it_refuses_several_accounts_at_once_and_none_at_all(
    olive: Person, tags: list[Drift], acme_dev: Account, leaves_nothing: Block, decide: Decide
) -> None:
    elsewhere = factories.iam_user(acme_dev, "elsewhere")
    factories.iam_user_record(elsewhere)

    both = [*tags, *drifted(elsewhere, tags={"a": "b"})]

    with leaves_nothing(ValidationError, match="one AWS account"):
        decide(by=olive, drifts=both, reason=WHY, at=AT)
    with leaves_nothing(ValidationError, match="at least one"):
        decide(by=olive, drifts=[], reason=WHY, at=AT)


# Who may


@each_decision
@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, tags: list[Drift], leaves_nothing: Block, who: str, decide: Decide
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        decide(by=somebody, drifts=tags, reason=WHY, at=AT)


@each_decision
def test_elsewhere_it_does_not_exist(
    oskar: Person, mia: Person, lena: Person, platform: Team, tags: list[Drift], leaves_nothing: Block, decide: Decide
) -> None:
    for stranger in (oskar, mia):
        with leaves_nothing(NotThere):
            decide(by=stranger, drifts=tags, reason=WHY, at=AT)

    IAMUser.objects.update(team=platform)
    with leaves_nothing(NotThere):
        decide(by=lena, drifts=list(Drift.objects.all()), reason=WHY, at=AT)


@each_decision
def test_the_owner_of_an_iam_user_does_not_decide(
    mia: Person, tags: list[Drift], leaves_nothing: Block, decide: Decide
) -> None:
    IAMUser.objects.update(owner=mia)

    with leaves_nothing(NotAllowed):
        decide(by=mia, drifts=list(Drift.objects.all()), reason=WHY, at=AT)


# What cannot be decided


@each_decision
def test_it_wants_a_reason(lena: Person, tags: list[Drift], leaves_nothing: Block, decide: Decide) -> None:
    with leaves_nothing(ValidationError, match="Say why"):
        decide(by=lena, drifts=tags, reason=" ", at=AT)


@each_decision
@pytest.mark.parametrize("state", ["adopted", "reverted", "ended"])
def test_it_refuses_what_is_decided(
    lena: Person, tags: list[Drift], leaves_nothing: Block, decide: Decide, state: str
) -> None:
    Drift.objects.update(state=state, ended_at=AT)

    with leaves_nothing(ValidationError, match="decided already"):
        decide(by=lena, drifts=tags, reason=WHY, at=AT)


@each_decision
def test_it_waits_for_what_is_on_its_way(
    lena: Person, managed: IAMUser, tags: list[Drift], leaves_nothing: Block, decide: Decide
) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=managed, tags={"stage": "test", "new": "1"}, at=AT)

    with leaves_nothing(ValidationError, match="on its way to AWS"):
        decide(by=lena, drifts=tags, reason=WHY, at=AT)


@each_decision
def test_it_refuses_what_the_person_has_not_seen(
    lena: Person, tags: list[Drift], leaves_nothing: Block, decide: Decide
) -> None:
    seen_at = tags[0].read_at
    Drift.objects.update(read_at=AT)

    with leaves_nothing(ValidationError, match="has changed since you looked"):
        decide(by=lena, drifts=tags, reason=WHY, at=AT, seen_at=seen_at)

    decide(by=lena, drifts=tags, reason=WHY, at=AT, seen_at=AT)


@each_decision
@pytest.mark.parametrize("change", ["row", "record", "no record"])
def test_it_refuses_what_is_not_so_any_more(
    lena: Person, tags: list[Drift], leaves_nothing: Block, decide: Decide, change: str
) -> None:
    if change == "row":
        IAMUser.objects.update(tags={"stage": "dev"})
    elif change == "record":
        IAMUserRecord.objects.update(tags={"stage": "dev"})
    else:
        IAMUserRecord.objects.all().delete()

    with leaves_nothing(ValidationError, match="has changed since you looked"):
        decide(by=lena, drifts=tags, reason=WHY, at=AT)


@each_decision
def test_one_that_is_back_is_not_gone(lena: Person, gone: list[Drift], leaves_nothing: Block, decide: Decide) -> None:
    IAMUser.objects.update(gone_at=None)

    with leaves_nothing(ValidationError, match="has changed since you looked"):
        decide(by=lena, drifts=gone, reason=WHY, at=AT)


# In order with what else is on its way


def test_what_is_decided_after_a_name_is_given_back_waits_behind_it(olive: Person, managed: IAMUser) -> None:
    """The ARN by which deliveries are ordered changes with the name."""
    drifts = drifted(managed, user_name="renamed")
    revert_drift(by=olive, drifts=drifts, reason=WHY, at=AT)
    IAMUser.objects.update(user_name="ledger-writer")
    managed.refresh_from_db()

    iam_users.tag_iam_user(by=olive, iam_user=managed, tags={"stage": "test"}, at=AT + timedelta(minutes=1))

    assert len(set(Delivery.objects.values_list("subject", flat=True))) == 1


def test_a_group_that_is_being_brought_back_cannot_be_added_meanwhile(
    olive: Person, managed: IAMUser, administrators: IAMGroup, leaves_nothing: Block
) -> None:
    revert_drift(by=olive, drifts=drifted_groups(managed, decided=[administrators], held=[]), reason=WHY, at=AT)

    with leaves_nothing(ValidationError, match="or on its way there"):
        iam_users.add_iam_user_to_group(by=olive, iam_user=managed, group_name="administrators", at=AT)
