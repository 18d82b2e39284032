"""Create, reset and remove the console access of an IAM user; its first access key."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, IAMGroup, IAMUser, Membership, Organization, Person, Team
from accounts.usecases import console_access, first_keys, iam_users
from accounts.usecases.ownership import assign_iam_users
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Decide = Callable[..., IAMUser]

MAKING: dict[str, Decide] = {
    "create": console_access.create_login_profile,
    "reset": console_access.reset_login_profile,
    "key": first_keys.create_access_key,
}
ALL = MAKING | {"remove": console_access.remove_login_profile}
KINDS = {
    "create": "accounts.login_profile.created",
    "reset": "accounts.login_profile.reset",
    "key": "accounts.access_key.created",
    "remove": "accounts.login_profile.deleted",
}


@pytest.fixture
def mias(ledger_writer: IAMUser, mia: Person) -> IAMUser:
    """The IAM user, owned by Mia."""
    ledger_writer.owner = mia
    ledger_writer.save()
    return ledger_writer


def ready_for(name: str, iam_user: IAMUser) -> None:
    """Let there be a password where one is to be reset or removed."""
    if name in ("reset", "remove"):
        factories.login_profile(iam_user)


@pytest.mark.parametrize("name", ALL)
def test_a_lead_decides_and_it_is_carried(lena: Person, mia: Person, mias: IAMUser, name: str) -> None:
    ready_for(name, mias)

    ALL[name](by=lena, iam_user=mias, reason="Starts on Monday", at=AT)

    entry = Entry.objects.get()
    assert (entry.kind, entry.reason, entry.subject_name) == (KINDS[name], "Starts on Monday", mias.arn)
    for_whom = {} if name == "remove" else {"recipient": "mia@acme.test", "recipient_id": str(mia.pk)}
    assert entry.details == {"user_name": "ledger-writer", **for_whom}
    assert Delivery.objects.get().subject == mias.arn


# But for its owner, who may reset: test_own_password.py.
@pytest.mark.parametrize(("name", "who"), sorted({*product(ALL, ["hugo", "ada", "mia"])} - {("reset", "mia")}))
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, mias: IAMUser, who: str, name: str
) -> None:
    ready_for(name, mias)
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        ALL[name](by=somebody, iam_user=mias, at=AT)


@pytest.mark.parametrize("name", ALL)
def test_elsewhere_it_does_not_exist(
    oskar: Person, lena: Person, leaves_nothing: Block, mias: IAMUser, platform: Team, name: str
) -> None:
    ready_for(name, mias)
    with leaves_nothing(NotThere):
        ALL[name](by=oskar, iam_user=mias, at=AT)

    mias.team = platform
    mias.save()
    with leaves_nothing(NotThere):
        ALL[name](by=lena, iam_user=mias, at=AT)


@pytest.mark.parametrize("name", MAKING)
def test_without_an_owner_there_is_nobody_to_seal_it_for(
    olive: Person, leaves_nothing: Block, ledger_writer: IAMUser, name: str
) -> None:
    ready_for(name, ledger_writer)

    with leaves_nothing(ValidationError, match="Assign an owner first"):
        MAKING[name](by=olive, iam_user=ledger_writer, at=AT)


@pytest.mark.parametrize("name", MAKING)
@pytest.mark.parametrize("ending", ["disabled", "left"])
def test_nothing_is_sealed_for_who_has_gone(
    olive: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, name: str, ending: str
) -> None:
    ready_for(name, mias)
    if ending == "disabled":
        Person.objects.filter(pk=mia.pk).update(is_active=False)
    else:
        Membership.objects.filter(person=mia).update(ended_at=AT)

    with leaves_nothing(ValidationError, match="Assign another owner first"):
        MAKING[name](by=olive, iam_user=IAMUser.objects.get(), at=AT)


@pytest.mark.parametrize("name", MAKING)
def test_a_lead_gets_no_secret_of_what_can_do_more(
    lena: Person, olive: Person, leaves_nothing: Block, mias: IAMUser, administrators: IAMGroup, name: str
) -> None:
    factories.group_membership(mias, administrators)
    ready_for(name, mias)

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        MAKING[name](by=lena, iam_user=mias, at=AT)
    MAKING[name](by=olive, iam_user=mias, at=AT)


def test_a_lead_takes_console_access_away_whatever_it_can_do(
    lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, administrators)
    factories.login_profile(ledger_writer)

    console_access.remove_login_profile(by=lena, iam_user=ledger_writer, at=AT)

    assert Entry.objects.get().kind == "accounts.login_profile.deleted"


@pytest.mark.parametrize("duty", [Duty.OWNER, Duty.ADMIN, Duty.HELPDESK, Duty.AUDITOR])
def test_a_lead_resets_no_password_of_somebody_of_higher_duty(
    lena: Person, olive: Person, mia: Person, acme: Organization, leaves_nothing: Block, mias: IAMUser, duty: Duty
) -> None:
    factories.membership(mia, duty, of=acme)
    ready_for("reset", mias)

    with leaves_nothing(ValidationError, match="has a duty beyond your team"):
        console_access.reset_login_profile(by=lena, iam_user=mias, at=AT)
    console_access.reset_login_profile(by=olive, iam_user=mias, at=AT)


@pytest.mark.parametrize("name", MAKING)
def test_whom_the_portal_offboards_gets_nothing(
    olive: Person, mia: Person, leaves_nothing: Block, mias: IAMUser, name: str
) -> None:
    ready_for(name, mias)
    offboarding = factories.offboarding(mias.organization, mia)
    factories.offboarded_iam_user(offboarding, mias)

    with leaves_nothing(ValidationError, match="being offboarded"):
        MAKING[name](by=olive, iam_user=mias, at=AT)


def test_a_second_password_is_refused(lena: Person, leaves_nothing: Block, mias: IAMUser) -> None:
    factories.login_profile(mias)

    with leaves_nothing(ValidationError, match="has a console password already"):
        console_access.create_login_profile(by=lena, iam_user=mias, at=AT)


@pytest.mark.parametrize("name", ["reset", "remove"])
def test_where_there_is_no_password_there_is_none_to_change(
    lena: Person, leaves_nothing: Block, mias: IAMUser, name: str
) -> None:
    with leaves_nothing(ValidationError, match="has no console password"):
        ALL[name](by=lena, iam_user=mias, at=AT)


@pytest.mark.parametrize("second", ["create", "reset", "remove"])
@pytest.mark.parametrize("first", ["create", "reset", "remove"])
def test_one_decision_about_the_password_at_a_time(
    lena: Person, leaves_nothing: Block, mias: IAMUser, first: str, second: str
) -> None:
    ready_for(first, mias)
    ALL[first](by=lena, iam_user=mias, at=AT)

    with leaves_nothing(ValidationError, match="is on its way"):
        ALL[second](by=lena, iam_user=mias, at=AT)


def test_a_second_key_waits_for_the_first(lena: Person, leaves_nothing: Block, mias: IAMUser) -> None:
    first_keys.create_access_key(by=lena, iam_user=mias, at=AT)

    with leaves_nothing(ValidationError, match="is on its way"):
        first_keys.create_access_key(by=lena, iam_user=mias, at=AT)


def test_a_third_key_is_refused(lena: Person, leaves_nothing: Block, mias: IAMUser) -> None:
    factories.access_key(mias, status="Inactive")
    factories.access_key(mias, gone_at=AT)
    first_keys.create_access_key(by=lena, iam_user=mias, at=AT)
    Delivery.objects.update(state="done", done_at=AT)
    factories.access_key(mias)

    with leaves_nothing(ValidationError, match="AWS's limit"):
        first_keys.create_access_key(by=lena, iam_user=mias, at=AT)


@pytest.mark.parametrize("name", ALL)
def test_what_is_gone_or_going_gets_nothing(lena: Person, leaves_nothing: Block, mias: IAMUser, name: str) -> None:
    ready_for(name, mias)
    iam_users.delete_iam_user(by=lena, iam_user=mias, reason="Unused", at=AT)
    with leaves_nothing(ValidationError, match="being deleted"):
        ALL[name](by=lena, iam_user=mias, at=AT)

    IAMUser.objects.update(gone_at=AT)
    with leaves_nothing(ValidationError, match="no longer holds"):
        ALL[name](by=lena, iam_user=mias, at=AT)


# Whose it is


def test_a_lead_makes_nobody_the_owner_of_what_can_do_more(
    lena: Person, olive: Person, mia: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, administrators)

    for somebody in (lena, mia):
        with leaves_nothing(OutsideEnvelope, match="administrators"):
            assign_iam_users(by=lena, iam_users=[ledger_writer], owner=somebody, at=AT)
    assign_iam_users(by=olive, iam_users=[ledger_writer], owner=mia, at=AT)


def test_who_is_the_owner_already_stays_it(lena: Person, mia: Person, mias: IAMUser, administrators: IAMGroup) -> None:
    factories.group_membership(mias, administrators)

    assign_iam_users(by=lena, iam_users=[mias], owner=mia, purpose="Writes it all", at=AT)

    mias.refresh_from_db()
    assert (mias.owner, mias.purpose) == (mia, "Writes it all")


# With the creation


def create(by: Person, team: Team, account: Account, **fields: Any) -> IAMUser:
    return iam_users.create_iam_user(by=by, team=team, account=account, user_name="mia", kind="person", at=AT, **fields)


@pytest.mark.usefixtures("envelope")
def test_a_new_iam_user_gets_password_and_key_in_this_order(
    lena: Person, mia: Person, payments: Team, acme_prod: Account
) -> None:
    iam_user = create(
        lena, payments, acme_prod, owner=mia, group_names=["ledger-writers"], console_access=True, access_key=True
    )

    assert list(Entry.objects.order_by("sequence").values_list("kind", flat=True)) == [
        "accounts.iam_user.created",
        "accounts.login_profile.created",
        "accounts.access_key.created",
    ]
    assert set(Delivery.objects.values_list("subject", flat=True)) == {iam_user.arn}
    assert Delivery.objects.deliverable(AT).get().entry.kind == "accounts.iam_user.created"


@pytest.mark.usefixtures("envelope")
@pytest.mark.parametrize("what", ["console_access", "access_key"])
def test_a_new_iam_user_without_an_owner_gets_neither(
    lena: Person, payments: Team, acme_prod: Account, leaves_nothing: Block, what: str
) -> None:
    with leaves_nothing(ValidationError, match="Assign an owner first"):
        create(lena, payments, acme_prod, **{what: True})
