"""A file of IAM users: planned whole, shown to whoever gave it, and applied as it was shown or not at all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import access
from accounts.kinds import Kind
from accounts.models import (
    Account,
    BulkChange,
    BulkRow,
    Envelope,
    IAMGroup,
    IAMUser,
    Membership,
    Organization,
    Person,
    Team,
)
from accounts.usecases import bulk_rows, iam_users
from accounts.usecases.bulk_plans import apply_plan, discard_plan, plan_csv
from accounts.usecases.csv_file import COLUMNS, CSVRefused
from portal.ledger.models import Delivery, Entry
from tests import factories

pytestmark = pytest.mark.usefixtures("envelope")

AT = timezone.now()
LeavesNothing = Callable[..., Any]


def line(**cells: str) -> str:
    return ",".join(cells.get(column, "") for column in COLUMNS)


def file(*rows: dict[str, str]) -> bytes:
    return "\n".join([",".join(COLUMNS), *(line(**row) for row in rows)]).encode()


def plan(by: Person, acme: Organization, *rows: dict[str, str], **more: Any) -> BulkChange:
    return plan_csv(by=by, organization=acme, name="users.csv", content=file(*rows), at=AT, **more)


def refused(by: Person, acme: Organization, *rows: dict[str, str]) -> list[str]:
    with pytest.raises(CSVRefused) as refusal, transaction.atomic():
        plan(by, acme, *rows)
    assert not BulkChange.objects.exists()
    assert not BulkRow.objects.exists()
    return refusal.value.messages


NEW = {"user_name": "new-one", "account": "acme-prod", "team": "Payments", "groups": "ledger-writers"}


def test_it_is_planned_and_nothing_is_decided_by_that(
    lena: Person, acme: Organization, ledger_writer: IAMUser, mia: Person, payments: Team, acme_prod: Account
) -> None:
    kept = plan(
        lena,
        acme,
        NEW | {"kind": "Application", "purpose": "Reads", "owner": "MIA@acme.test", "tags": "stage=prod|cost=1"},
        {"user_name": "LEDGER-writer", "account": "111122223333", "groups": "ledger-writers", "tags": "Stage=prod"},
        reason="They begin",
    )

    new, there = kept.rows.order_by("position")
    assert (kept.state, kept.by, kept.reason, str(kept)) == ("planned", lena, "They begin", "CSV file users.csv")
    assert (new.position, new.name, new.iam_user, new.state) == (2, "new-one in acme-prod", None, "pending")
    assert {name: new.plan[name] for name in ("account", "team", "kind", "owner", "groups")} == {
        "account": acme_prod.pk, "team": payments.pk, "kind": "application", "owner": mia.pk,
        "groups": ["ledger-writers"],
    }  # fmt: skip
    assert new.plan["tags"] == [{"key": "stage", "value": "prod"}, {"key": "cost", "value": "1"}]
    assert (there.iam_user, there.plan["groups"], there.plan["tags"]) == (ledger_writer, ["ledger-writers"], [])
    assert not Entry.objects.exists()
    assert IAMUser.objects.count() == 1


def test_applied_it_is_one_bulk_change_that_creates_and_completes(
    lena: Person, acme: Organization, ledger_writer: IAMUser
) -> None:
    there = {"user_name": "ledger-writer", "account": "acme-prod"}
    more = there | {"groups": "ledger-writers", "tags": "stage=test|cost=1"}
    kept = plan(lena, acme, NEW, more, {"user_name": "third", "account": "acme-prod"})

    apply_plan(by=lena, plan=kept, at=AT)
    bulk_rows.carry_on(bulk_change_id=kept.pk, at=AT)

    kept.refresh_from_db()
    assert (kept.state, set(kept.rows.values_list("state", "sentence"))) == ("done", {("decided", "")})
    begun = Entry.objects.get(kind=Kind.BULK_STARTED)
    assert begun.details == {"kind": "csv", "change": [{"key": "file", "value": "users.csv"}], "rows": 3}
    created, completed, _ = kept.rows.order_by("position")
    assert [entry.kind for entry in created.entries.all()] == [Kind.IAM_USER_CREATED]
    assert created.iam_user == IAMUser.objects.get(user_name="new-one")
    assert {entry.kind for entry in completed.entries.all()} == {Kind.IAM_USER_ADDED_TO_GROUP, Kind.IAM_USER_TAGGED}
    assert set(Delivery.objects.values_list("queue", flat=True)) == {"bulk"}


def test_the_entries_of_a_row_are_its_own(lena: Person, acme: Organization, ledger_writer: IAMUser) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_writer, tags={"other": "1"}, at=AT)
    kept = plan(lena, acme, {"user_name": "ledger-writer", "account": "acme-prod", "groups": "ledger-writers"})

    apply_plan(by=lena, plan=kept, at=AT)
    bulk_rows.carry_on(bulk_change_id=kept.pk, at=AT)

    assert [entry.kind for entry in kept.rows.get().entries.all()] == [Kind.IAM_USER_ADDED_TO_GROUP]


def test_one_that_lacks_nothing_is_left_alone(
    lena: Person, acme: Organization, ledger_writer: IAMUser, ledger_writers: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, ledger_writers)
    same = {"user_name": "ledger-writer", "account": "acme-prod", "team": "payments", "kind": "application",
            "purpose": "Writes the ledger", "groups": "ledger-writers", "tags": "stage=prod"}  # fmt: skip

    kept = plan(lena, acme, same)

    assert kept.rows.get().state == "unchanged"
    with pytest.raises(ValidationError, match="nothing to apply"), transaction.atomic():
        apply_plan(by=lena, plan=kept, at=AT)
    kept.refresh_from_db()
    assert kept.state == "planned"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"user_name": ""}, "Row 2, user_name: Say what it is called."),
        ({"user_name": "a b"}, "Row 2, user_name: It has 1 to 64 letters"),
        ({"user_name": "x" * 65}, "Row 2, user_name: It has 1 to 64 letters"),
        ({"user_name": "m\u00fcller"}, "Row 2, user_name: It has 1 to 64 letters"),
        ({"account": "999999999999"}, "Row 2, account: You have no AWS account “999999999999”"),
        ({"account": "globex-main"}, "Row 2, account: You have no AWS account “globex-main”"),
        ({"account": "acme-dev"}, "Row 2, account: "),
        ({"team": "Platform"}, "Row 2, team: You have no team “Platform”."),
        ({"kind": "robot"}, "Row 2, kind: It is person or application."),
        ({"kind": "application"}, "Row 2, purpose: Say what the application does"),
        ({"purpose": "x" * 201}, "Row 2, purpose: It has at most 200"),
        ({"owner": "oskar@globex.test"}, "Row 2, owner: Nobody of your organization"),
        ({"groups": "administrators"}, "Row 2, groups: administrators is not a group"),
        ({"groups": "|".join(f"g{number}" for number in range(11))}, "Row 2, groups: "),
        ({"tags": "stage"}, "Row 2, tags: Write stage as key=value."),
        ({"tags": "aws:x=y"}, "Row 2, tags: aws:x: tags that begin so"),
        ({"tags": "a=1|A=2"}, "Row 2, tags: Two tags differ only"),
    ],
    ids=range(17),
)
def test_what_is_wrong_is_named_by_row_and_column(
    lena: Person, acme: Organization, acme_dev: Account, globex_main: Account, platform: Team, oskar: Person,
    administrators: IAMGroup, cells: dict[str, str], words: str,
) -> None:  # fmt: skip
    (told,) = refused(lena, acme, NEW | cells)

    assert told.startswith(words)


def test_every_row_is_told_of_and_none_is_planned(lena: Person, acme: Organization) -> None:
    told = refused(lena, acme, NEW, NEW | {"user_name": "b c"}, NEW | {"user_name": "d", "kind": "x"})

    assert [sentence.partition(":")[0] for sentence in told] == ["Row 3, user_name", "Row 4, kind"]


def test_names_that_differ_only_in_case_are_one(lena: Person, acme: Organization) -> None:
    (told,) = refused(lena, acme, NEW, NEW | {"user_name": "NEW-one", "account": "111122223333"})

    assert told == "Row 3, user_name: NEW-one stands in row 2 too; upper and lower case count as the same."


def test_a_name_that_is_another_teams_is_taken(
    lena: Person, acme: Organization, acme_prod: Account, platform: Team
) -> None:
    factories.iam_user(acme_prod, "New-One", team=platform)

    (told,) = refused(lena, acme, NEW)

    assert told.startswith("Row 2, user_name: This account has an IAM user of this name already")


def test_one_that_may_be_seen_and_not_changed_is_refused(
    lena: Person, acme: Organization, acme_prod: Account, platform: Team
) -> None:
    factories.iam_user(acme_prod, "own", team=platform, owner=lena)

    (told,) = refused(lena, acme, {"user_name": "own", "account": "acme-prod", "groups": "ledger-writers"})

    assert "Your duty does not include changing own." in told


@pytest.mark.parametrize(("column", "value"), [("kind", "person"), ("owner", "mia@acme.test"), ("purpose", "Other")])
def test_a_file_says_of_nobody_else_than_it_is(
    lena: Person, acme: Organization, mia: Person, ledger_writer: IAMUser, column: str, value: str
) -> None:
    (told,) = refused(lena, acme, {"user_name": "ledger-writer", "account": "acme-prod", column: value})

    assert told.startswith(f"Row 2, {column}: ledger-writer is there, and it ")


def test_a_spreadsheet_may_drop_the_zeros_of_an_account(olive: Person, acme: Organization, payments: Team) -> None:
    factories.account(acme, "000000000042", name="old")

    kept = plan(olive, acme, {"user_name": "a", "account": "42", "team": "Payments"})

    assert kept.rows.get().name == "a in old"


def test_a_tag_that_the_team_bears_is_not_left_out(lena: Person, olive: Person, acme: Organization) -> None:
    Envelope.objects.update(tag_rules=[{"key": "cost", "values": ["1"]}])

    assert "bear the tag cost = 1" in refused(lena, acme, NEW | {"tags": "cost=2"})[0]
    assert plan(lena, acme, NEW | {"tags": "cost=1"}).state == "planned"
    assert plan(olive, acme, NEW).state == "planned"


def test_rows_for_which_the_team_has_no_room_are_refused(lena: Person, acme: Organization) -> None:
    Envelope.objects.update(iam_user_limit=1)

    [words] = refused(lena, acme, NEW, NEW | {"user_name": "one-too-many"})
    assert words.startswith("Row 3")
    assert "all it may have" in words


def test_a_formula_is_a_name_or_a_purpose_like_any_other(lena: Person, acme: Organization) -> None:
    kept = plan(lena, acme, NEW | {"user_name": "=cmd", "purpose": "'=1+1"})

    row = kept.rows.get()
    assert (row.plan["user_name"], row.plan["purpose"]) == ("=cmd", "=1+1")


def test_an_account_whose_connection_was_not_tested_is_refused(
    lena: Person, acme: Organization, acme_prod: Account
) -> None:
    Account.objects.update(state="new")

    assert refused(lena, acme, NEW) == ["Row 2, account: Its connection was not tested, or is refused."]


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_plan_nothing(
    request: pytest.FixtureRequest, leaves_nothing: LeavesNothing, acme: Organization, who: str
) -> None:
    person = request.getfixturevalue(who)

    with leaves_nothing(access.NotAllowed):
        plan(person, acme, NEW)


# Applying


@pytest.fixture
def kept(lena: Person, acme: Organization) -> BulkChange:
    return plan(lena, acme, NEW)


def test_another_persons_plan_is_not_there(olive: Person, kept: BulkChange, leaves_nothing: LeavesNothing) -> None:
    assert not BulkChange.objects.visible_to(olive).exists()
    for use_case in (apply_plan, discard_plan):
        with leaves_nothing(access.NotThere):
            use_case(by=olive, plan=kept, at=AT)


def test_nor_is_it_once_it_runs_and_others_see_it(
    lena: Person, olive: Person, kept: BulkChange, leaves_nothing: LeavesNothing
) -> None:
    apply_plan(by=lena, plan=kept, at=AT)

    assert BulkChange.objects.visible_to(olive).exists()
    for use_case in (apply_plan, discard_plan):
        with leaves_nothing(access.NotThere):
            use_case(by=olive, plan=kept, at=AT)


def test_a_plan_is_over_after_an_hour(lena: Person, kept: BulkChange, leaves_nothing: LeavesNothing) -> None:
    with leaves_nothing(ValidationError, "over an hour old"):
        apply_plan(by=lena, plan=kept, at=AT + timedelta(hours=1))

    bulk_rows.tend(at=AT + timedelta(minutes=59))
    assert BulkChange.objects.exists()
    bulk_rows.tend(at=AT + timedelta(hours=1))
    assert not BulkRow.objects.exists()


def test_a_plan_is_applied_once(lena: Person, kept: BulkChange, leaves_nothing: LeavesNothing) -> None:
    apply_plan(by=lena, plan=kept, at=AT)

    with leaves_nothing(ValidationError, "applied already"):
        apply_plan(by=lena, plan=kept, at=AT)
    with leaves_nothing(ValidationError, "applied already"):
        discard_plan(by=lena, plan=kept, at=AT)


def test_a_plan_that_would_do_something_else_by_now_is_not_applied(
    lena: Person, kept: BulkChange, acme_prod: Account, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    factories.iam_user(acme_prod, "new-one", team=payments)

    with leaves_nothing(ValidationError, "Row 2: new-one in acme-prod has changed since"):
        apply_plan(by=lena, plan=kept, at=AT)


def test_a_plan_that_would_be_refused_by_now_is_not_applied(
    lena: Person, kept: BulkChange, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    payments.envelope.groups.clear()

    with leaves_nothing(CSVRefused, "Row 2, groups"):
        apply_plan(by=lena, plan=kept, at=AT)


def test_whose_duty_has_ended_applies_nothing(lena: Person, kept: BulkChange, leaves_nothing: LeavesNothing) -> None:
    Membership.objects.filter(person=lena).update(ended_at=AT)

    with leaves_nothing(access.NotThere):
        apply_plan(by=lena, plan=kept, at=AT)


def test_a_plan_is_decided_by_nobody_before_it_is_applied(kept: BulkChange) -> None:
    bulk_rows.carry_on(bulk_change_id=kept.pk, at=AT)

    assert kept.rows.get().state == "pending"
    assert not Entry.objects.exists()


def test_a_plan_that_is_discarded_is_gone(lena: Person, kept: BulkChange) -> None:
    discard_plan(by=lena, plan=kept, at=AT)

    assert not BulkChange.objects.exists()
    assert not BulkRow.objects.exists()
    assert not Entry.objects.exists()
