"""Create IAM user: what is decided, by whom, and what is refused before anything is saved."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, IAMGroup, IAMUser, Organization, Person, Team
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import NotRecordable
from tests import factories
from tests.portal.ledger.carrying import together

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Create = Callable[..., IAMUser]


def test_it_saves_the_user_the_entry_and_one_delivery(
    create: Create, lena: Person, payments: Team, ledger_writers: IAMGroup
) -> None:
    iam_user = create(group_names=["ledger-writers"], tags={"cost-center": "4711"}, owner=lena, reason="New service")

    iam_user.refresh_from_db()
    assert (iam_user.user_name, iam_user.path, iam_user.team) == ("ledger-writer", "/portal/acme/payments/", payments)
    assert iam_user.tags == {"cost-center": "4711"}
    assert not iam_user.is_in_aws
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.reason, entry.at) == (
        "accounts.iam_user.created",
        str(lena.pk),
        "New service",
        AT,
    )
    assert entry.subject_name == "arn:aws:iam::111122223333:user/portal/acme/payments/ledger-writer"
    assert entry.details == {
        "user_name": "ledger-writer",
        "path": "/portal/acme/payments/",
        "permissions_boundary": "",
        "kind": "application",
        "owner": "lena@acme.test",
        "team": "Payments",
        "purpose": "Writes the ledger",
        "tags": [{"key": "cost-center", "value": "4711"}],
        "groups": ["ledger-writers"],
        "policies": [],
    }
    delivery = Delivery.objects.get()
    assert (delivery.entry, delivery.lane, delivery.subject, delivery.state) == (
        entry,
        "111122223333",
        entry.subject_name,
        Delivery.State.DUE,
    )


def test_the_path_and_the_boundary_are_the_teams(create: Create, payments: Team, acme_prod: Account) -> None:
    payments.envelope.permissions_boundary = factories.iam_policy(acme_prod, "portal-boundary")
    payments.envelope.save()

    iam_user = create()

    assert iam_user.permissions_boundary_arn == "arn:aws:iam::111122223333:policy/portal-boundary"
    assert Entry.objects.get().details["permissions_boundary"] == iam_user.permissions_boundary_arn


def test_in_another_account_the_boundary_is_the_one_of_that_account(
    create: Create, payments: Team, acme_prod: Account, acme_dev: Account
) -> None:
    boundary = factories.iam_policy(acme_prod, "kept", arn="arn:aws:iam::111122223333:policy/gatehouse/kept")
    payments.envelope.permissions_boundary = boundary
    payments.envelope.save()
    payments.envelope.accounts.add(acme_dev)

    assert create(account=acme_dev).permissions_boundary_arn == "arn:aws:iam::222233334444:policy/gatehouse/kept"


def test_a_boundary_of_awss_is_the_same_in_every_account(
    create: Create, payments: Team, acme_prod: Account, acme_dev: Account
) -> None:
    arn = "arn:aws:iam::aws:policy/PowerUserAccess"
    payments.envelope.permissions_boundary = factories.iam_policy(acme_prod, "PowerUserAccess", arn=arn)
    payments.envelope.save()
    payments.envelope.accounts.add(acme_dev)

    assert create(account=acme_dev).permissions_boundary_arn == arn


def test_an_owner_is_not_held_by_the_envelope(
    create: Create, olive: Person, acme_dev: Account, administrators: IAMGroup
) -> None:
    in_dev = create(by=olive, account=acme_dev)
    in_prod = create(by=olive, group_names=[administrators.group_name])

    assert (in_dev.account_id, in_prod.account_id) == (acme_dev.pk, administrators.account_id)


# Who may not


@pytest.mark.parametrize("duty", [Duty.HELPDESK, Duty.AUDITOR, Duty.MEMBER])
def test_it_refuses_who_has_no_duty_for_it(
    create: Create, leaves_nothing: Block, duty: Duty, acme: Organization, payments: Team
) -> None:
    somebody = factories.member("somebody@acme.test", duty, of=acme, team=payments)

    with leaves_nothing(NotAllowed):
        create(by=somebody)


def test_it_refuses_the_lead_of_another_team(create: Create, leaves_nothing: Block, platform: Team) -> None:
    with leaves_nothing(NotAllowed):
        create(team=platform)


def test_to_another_organization_nothing_of_this_one_exists(
    create: Create, leaves_nothing: Block, oskar: Person, core: Team, globex_main: Account
) -> None:
    with leaves_nothing(NotThere):
        create(by=oskar)
    with leaves_nothing(NotThere):
        create(by=oskar, account=globex_main)
    with leaves_nothing(NotThere):
        create(by=oskar, team=core)


def test_an_account_of_another_organization_does_not_exist(
    create: Create, leaves_nothing: Block, olive: Person, globex_main: Account
) -> None:
    with leaves_nothing(NotThere):
        create(account=globex_main)
    with leaves_nothing(NotThere):
        create(by=olive, account=globex_main)


# What is refused


def test_it_refuses_an_account_outside_the_envelope(create: Create, leaves_nothing: Block, acme_dev: Account) -> None:
    with leaves_nothing(OutsideEnvelope, match="no access to acme-dev"):
        create(account=acme_dev)


def test_it_refuses_a_group_outside_the_envelope(
    create: Create, leaves_nothing: Block, administrators: IAMGroup
) -> None:
    with leaves_nothing(OutsideEnvelope, match="administrators is not a group"):
        create(group_names=["ledger-writers", "administrators"])


def test_it_refuses_a_group_that_is_not_there(
    create: Create, leaves_nothing: Block, olive: Person, ledger_writers: IAMGroup
) -> None:
    with leaves_nothing(OutsideEnvelope, match="nobody-made-it is not a group"):
        create(by=olive, group_names=["nobody-made-it"])

    ledger_writers.gone_at = AT
    ledger_writers.save()
    with leaves_nothing(OutsideEnvelope, match="ledger-writers is not a group"):
        create(by=olive, group_names=["ledger-writers"])


def test_a_group_of_another_account_is_not_there(
    create: Create, leaves_nothing: Block, olive: Person, acme_dev: Account, globex_main: Account
) -> None:
    factories.iam_group(acme_dev, "dev-only")
    factories.iam_group(globex_main, "globex-only")

    for name in ("dev-only", "globex-only"):
        with leaves_nothing(OutsideEnvelope, match=name):
            create(by=olive, group_names=[name])


def test_it_refuses_an_eleventh_group(create: Create, leaves_nothing: Block, olive: Person, acme_prod: Account) -> None:
    names = [factories.iam_group(acme_prod, f"group-{number}").group_name for number in range(11)]

    with leaves_nothing(ValidationError, match="at most 10 groups"):
        create(by=olive, group_names=names)
    create(by=olive, group_names=names[:10])


@pytest.mark.parametrize(
    "user_name", ["a b/c", "x" * 65, "", " ", "mia\n", "möwe", "a/b", "a:b", "*", "<b>", "mia\x00", "\u0430dmin"]
)
def test_it_refuses_a_name_that_aws_refuses(create: Create, leaves_nothing: Block, user_name: str) -> None:
    with leaves_nothing(ValidationError, match="1 to 64 letters"):
        create(user_name=user_name)


@pytest.mark.parametrize("user_name", ["a", "x" * 64, "A+b=c,d.e@f-g_h"])
def test_it_takes_a_name_that_aws_takes(create: Create, user_name: str) -> None:
    assert create(user_name=user_name).user_name == user_name


@pytest.mark.parametrize("user_name", ["ledger-writer", "Ledger-Writer", "LEDGER-WRITER"])
def test_it_refuses_a_name_that_differs_only_in_case(create: Create, leaves_nothing: Block, user_name: str) -> None:
    create()

    with leaves_nothing(ValidationError) as refused:
        create(user_name=user_name)
    sentence = "This account has an IAM user of this name already; upper and lower case count as the same."
    assert refused.value.message_dict == {"user_name": [sentence]}


def test_a_name_is_free_in_another_account_and_when_its_user_is_gone(
    create: Create, olive: Person, acme_prod: Account, acme_dev: Account
) -> None:
    factories.iam_user(acme_dev, "ledger-writer")
    factories.iam_user(acme_prod, "ledger-writer", gone_at=AT)

    assert create().account == acme_prod


def test_it_refuses_an_owner_of_another_organization(create: Create, leaves_nothing: Block, oskar: Person) -> None:
    with leaves_nothing(ValidationError, match="somebody of your organization"):
        create(kind="person", owner=oskar)


def test_it_refuses_an_owner_who_has_left_or_is_disabled(create: Create, leaves_nothing: Block, mia: Person) -> None:
    mia.is_active = False
    mia.save()
    with leaves_nothing(ValidationError, match="somebody of your organization"):
        create(kind="person", owner=mia)

    mia.is_active = True
    mia.save()
    mia.membership_set.update(ended_at=AT)
    with leaves_nothing(ValidationError, match="somebody of your organization"):
        create(kind="person", owner=mia)


@pytest.mark.parametrize("purpose", ["", "   "])
def test_it_refuses_an_application_without_a_purpose(create: Create, leaves_nothing: Block, purpose: str) -> None:
    with leaves_nothing(ValidationError, match="what the application does"):
        create(purpose=purpose)


def test_it_refuses_a_kind_that_nobody_knows(create: Create, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="kind"):
        create(kind="robot")


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({f"key-{number}": "" for number in range(51)}, "allows 50 tags"),
        ({f"key-{number}": "" for number in range(50)}, "allows 50 tags"),
        ({"aws:createdBy": "me"}, "not people's to set"),
        ({"AWS:createdBy": "me"}, "not people's to set"),
        ({"gatehouse:entry": "forged"}, "not people's to set"),
        ({"Gatehouse:Entry": "forged"}, "not people's to set"),
        ({"Team": "a", "team": "b"}, "only in upper and lower case"),
        ({"a\tb": ""}, "letters, digits"),
        ({"a\x00b": ""}, "letters, digits"),
        ({"a": "b\n"}, "letters, digits"),
        ({"a": "b\x7f"}, "letters, digits"),
        ({"": "empty"}, "letters, digits"),
        ({"k" * 129: ""}, "letters, digits"),
        ({"k": "v" * 257}, "letters, digits"),
        ({"<script>": ""}, "letters, digits"),
    ],
)
def test_it_refuses_tags_that_aws_or_the_portal_keeps_from_people(
    create: Create, leaves_nothing: Block, tags: dict[str, str], words: str
) -> None:
    with leaves_nothing(ValidationError, match=words):
        create(tags=tags)


def test_it_takes_forty_nine_tags_with_the_portals_own_that_makes_fifty(create: Create) -> None:
    tags = {f"Abteilung {number}": "Zürich / 北京 + a=b@c.d:e_f-g" for number in range(49)}

    assert create(tags=tags).tags == tags


def test_a_reason_that_no_database_holds_leaves_nothing(create: Create, leaves_nothing: Block) -> None:
    for reason in ("a\x00b", "\ud800", "x" * 2001):
        with leaves_nothing(NotRecordable):
            create(reason=reason)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_for_a_name_at_once_one_gets_it(create: Create) -> None:
    names = ["ledger-writer", "LEDGER-WRITER"]

    outcomes = together(2, lambda number: create(user_name=names[number]))

    made, refused = sorted(outcomes, key=lambda outcome: isinstance(outcome, ValidationError))
    assert isinstance(refused, ValidationError)
    assert list(refused.message_dict) == ["user_name"]
    assert [made] == list(IAMUser.objects.all())
    assert (Entry.objects.count(), Delivery.objects.count()) == (1, 1)


def test_a_name_that_is_taken_after_the_check_is_refused_at_the_name(
    create: Create, leaves_nothing: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    create()
    monkeypatch.setattr(IAMUser, "full_clean", lambda *args, **kwargs: None)

    with leaves_nothing(ValidationError, match="Somebody has just made"):
        create(user_name="LEDGER-WRITER")


@pytest.mark.parametrize(
    ("state", "words"),
    [(Account.State.NEW, "was not tested yet"), (Account.State.REFUSED, "The portal refuses to enter")],
)
def test_an_account_that_the_portal_may_not_enter_gets_none(
    create: Create, leaves_nothing: Block, acme_prod: Account, state: Account.State, words: str
) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(state=state)

    with leaves_nothing(ValidationError, match=words) as refused:
        create()
    assert list(refused.value.message_dict) == ["account"]


def test_an_account_that_cannot_be_entered_just_now_gets_it_later(create: Create, acme_prod: Account) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(state=Account.State.UNREACHABLE)

    assert create().account == acme_prod
