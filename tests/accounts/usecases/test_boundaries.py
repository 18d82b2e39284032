"""Deciding about the boundary that the portal keeps in an account."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.kinds import Kind
from accounts.models import Account, Boundary, Person
from accounts.policy.boundary import gaps
from accounts.usecases.boundaries import change_boundary_policy, create_boundary, restore_boundary
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/break-glass"

LeavesNothing = Callable[..., AbstractContextManager[Any]]

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def boundary(acme_prod: Account) -> Boundary:
    return factories.boundary(acme_prod)


def change(by: Person, boundary: Boundary, **what: Any) -> Boundary:
    given: dict[str, Any] = {"accepted": ["ssm:StartSession"], "protected_roles": [ROLE], "reason": "Their work"}
    return change_boundary_policy(by=by, boundary=boundary, at=AT, **given | what)


def denied_roles(boundary: Boundary) -> list[str]:
    [roles] = [statement for statement in boundary.document["Statement"] if statement["Sid"] == "Roles"]
    return list(roles["Resource"])


def test_it_denies_what_nobody_may_ever_do_and_the_portals_role(olive: Person, acme_prod: Account) -> None:
    boundary = create_boundary(by=olive, account=acme_prod, at=AT)

    assert gaps(boundary.document) == ()
    assert denied_roles(boundary) == [acme_prod.role_arn]
    assert boundary.state == Boundary.State.PENDING
    entry = Entry.objects.get(kind=Kind.BOUNDARY_CREATED)
    assert entry.details["document"] == boundary.document
    delivery = Delivery.objects.get(entry=entry)
    assert (delivery.lane, delivery.subject) == (acme_prod.account_id, boundary.arn)
    assert boundary.arn == "arn:aws:iam::111122223333:policy/gatehouse/gatehouse-boundary"


def test_an_owner_says_what_it_lets_through_and_which_roles_it_protects(olive: Person, boundary: Boundary) -> None:
    change(olive, boundary)

    boundary.refresh_from_db()
    assert sorted(denied_roles(boundary)) == [ROLE, boundary.account.role_arn]
    [never] = [statement for statement in boundary.document["Statement"] if statement["Sid"] == "Never"]
    assert "ssm:StartSession" not in never["Action"]
    assert gaps(boundary.document) == ()
    assert Entry.objects.get(kind=Kind.BOUNDARY_CHANGED).details["before"] == {"accepted": [], "protected_roles": []}


@pytest.mark.parametrize("who", ["lena", "hugo", "mia", "ada"])
def test_those_without_the_duty_make_none(
    request: pytest.FixtureRequest, leaves_nothing: LeavesNothing, acme_prod: Account, who: str
) -> None:
    person = request.getfixturevalue(who)

    with leaves_nothing(access.NotAllowed):
        create_boundary(by=person, account=acme_prod, at=AT)


def test_an_admin_restores_it_and_does_not_widen_it(
    leaves_nothing: LeavesNothing, acme_prod: Account, boundary: Boundary
) -> None:
    admin = factories.member("adam@acme.test", access.Duty.ADMIN, of=acme_prod.organization)

    with leaves_nothing(access.NotAllowed):
        change(admin, boundary)

    boundary.tell(Boundary.State.GONE, at=AT)
    assert restore_boundary(by=admin, boundary=boundary, at=AT).state == Boundary.State.PENDING


@pytest.mark.parametrize("decide", [change, lambda by, row: restore_boundary(by=by, boundary=row, at=AT)])
def test_it_does_not_exist_for_another_organization(
    leaves_nothing: LeavesNothing, oskar: Person, boundary: Boundary, decide: Callable[[Person, Boundary], Any]
) -> None:
    boundary.tell(Boundary.State.ALTERED, at=AT)

    with leaves_nothing(access.NotThere):
        decide(oskar, boundary)
    with leaves_nothing(access.NotThere):
        create_boundary(by=oskar, account=boundary.account, at=AT)


def test_an_account_has_one(leaves_nothing: LeavesNothing, olive: Person, boundary: Boundary) -> None:
    with leaves_nothing(ValidationError, match="already"):
        create_boundary(by=olive, account=boundary.account, at=AT)


def test_an_account_that_was_not_tested_has_none(
    leaves_nothing: LeavesNothing, olive: Person, acme_prod: Account
) -> None:
    acme_prod.state = Account.State.NEW
    acme_prod.save()

    with leaves_nothing(ValidationError):
        create_boundary(by=olive, account=acme_prod, at=AT)


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"accepted": ["iam:CreateUser"]}, "accepted"),
        ({"accepted": ["*"]}, "accepted"),
        ({"protected_roles": ["break-glass"]}, "protected_roles"),
        ({"protected_roles": ["arn:aws:iam::333344445555:role/theirs"]}, "protected_roles"),
        ({"protected_roles": [f"{ROLE}-{number:0>60}" for number in range(60)]}, "protected_roles"),
    ],
)
def test_what_it_cannot_be_is_refused_at_the_field(
    leaves_nothing: LeavesNothing, olive: Person, boundary: Boundary, what: dict[str, Any], field: str
) -> None:
    with leaves_nothing(ValidationError) as refused:
        change(olive, boundary, **what)

    assert set(refused.value.message_dict) == {field}


def test_what_it_says_already_is_not_decided_again(olive: Person, boundary: Boundary) -> None:
    with pytest.raises(ValidationError, match="already"):
        change(olive, boundary, accepted=[], protected_roles=[])


def test_nothing_is_decided_while_the_last_decision_is_on_its_way(
    leaves_nothing: LeavesNothing, olive: Person, boundary: Boundary
) -> None:
    change(olive, boundary)

    with leaves_nothing(ValidationError, match="on its way"):
        change(olive, boundary, accepted=[])


def test_what_is_as_it_was_decided_is_not_restored(
    leaves_nothing: LeavesNothing, olive: Person, boundary: Boundary
) -> None:
    with leaves_nothing(ValidationError, match="nothing to restore"):
        restore_boundary(by=olive, boundary=boundary, at=AT)
