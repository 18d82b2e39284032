"""IAM users from a file and into one."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.kinds import Kind
from accounts.models import Account, BulkChange, IAMUser, Person, Team
from accounts.usecases import bulk, csv_file
from accounts.usecases.bulk_plans import plan_csv
from accounts.usecases.csv_file import COLUMNS, FORMULA_STARTS
from accounts.views.csv_files import DOCUMENTED
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

GOOD = "user_name,account,team,groups\nnew-one,acme-prod,Payments,ledger-writers\n"


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker."""
    monkeypatch.setattr(bulk, "ring", lambda pk: None)


def give(client: Client, content: bytes | str, **more: str) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post(reverse("csv_import"), {"file": SimpleUploadedFile("users.csv", raw), **more})


def exported(client: Client, narrowing: str = "") -> Any:
    return client.post(reverse("export_iam_users"), {"narrowing": narrowing})


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


# In


def test_the_page_tells_of_each_column_and_the_example_is_such_a_file(enter: Enter, lena: Person) -> None:
    client = enter(lena)

    text, example = client.get(reverse("csv_import")).content.decode(), client.get(reverse("csv_example")).content

    assert [column for column, _, _ in DOCUMENTED] == list(COLUMNS)
    assert all(f"<code>{column}</code>" in text for column in COLUMNS)
    assert len(csv_file.read(example)) == 2


def test_a_good_file_leads_to_its_plan_which_applied_is_a_bulk_change(enter: Enter, lena: Person) -> None:
    client = enter(lena)

    answer = give(client, GOOD, reason="They begin")

    plan = BulkChange.objects.get()
    assert answer.headers["Location"] == reverse("bulk_change", args=[plan.pk])
    shown = client.get(answer.headers["Location"]).content.decode()
    assert "Nothing has been changed yet" in shown
    assert 'creates <b class="figures">1</b> IAM user,' in shown
    assert "person of team Payments, group ledger-writers" in shown
    assert not Entry.objects.exists()
    client.post(reverse("apply_plan", args=[plan.pk]))
    plan.refresh_from_db()
    assert plan.state == "running"
    assert "1 wait their turn" in client.get(answer.headers["Location"]).content.decode()


def test_what_is_wrong_is_told_at_once_and_the_reason_stays(enter: Enter, lena: Person) -> None:
    answer = give(enter(lena), GOOD + "b c,acme-prod,Payments,\nd,nowhere,Payments,\n", reason="They begin")

    text = answer.content.decode()
    assert "Row 3, user_name: It has 1 to 64" in text
    assert "Row 4, account: You have no AWS account" in text
    assert 'value="They begin"' in text
    assert not BulkChange.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * (5 * 1024 * 1024 + 1)], ids=["empty", "utf-16", "large"])
def test_what_is_no_file_of_ours_is_refused(enter: Enter, lena: Person, content: bytes) -> None:
    answer = give(enter(lena), content)

    assert answer.status_code == 200
    assert any(words in answer.content.decode() for words in ("is empty", "not UTF-8", "over 5 MB"))
    assert not BulkChange.objects.exists()


def test_hostile_cells_are_text(enter: Enter, lena: Person) -> None:
    hostile = "<script>alert(1)</script>{{ 7 }}"
    client = enter(lena)

    refused = give(client, f"user_name,account\na,{hostile}\n").content.decode()
    give(client, f"user_name,account,purpose\nnew,acme-prod,{hostile}\n", reason=hostile)
    shown = client.get(reverse("bulk_change", args=[BulkChange.objects.get().pk])).content.decode()

    for text in (refused, shown):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_give_no_file(request: pytest.FixtureRequest, enter: Enter, who: str) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(reverse("csv_import")).status_code == 403
    assert client.get(reverse("csv_example")).status_code == 403
    assert give(client, GOOD).status_code == 403
    assert not BulkChange.objects.exists()


@pytest.fixture
def plan(lena: Person, payments: Team) -> BulkChange:
    return plan_csv(
        by=lena, organization=payments.organization, name="users.csv", content=GOOD.encode(), at=timezone.now()
    )


def test_a_plan_is_there_for_whoever_gave_the_file_alone(enter: Enter, olive: Person, plan: BulkChange) -> None:
    client = enter(olive)

    for name in ("bulk_change", "bulk_change_progress"):
        assert client.get(reverse(name, args=[plan.pk])).status_code == 404
    for name in ("apply_plan", "discard_plan"):
        assert client.post(reverse(name, args=[plan.pk])).status_code == 404
    assert BulkChange.objects.get().state == "planned"


def test_a_plan_that_is_too_old_says_so_and_offers_no_button(enter: Enter, lena: Person, plan: BulkChange) -> None:
    BulkChange.objects.update(created_at=timezone.now() - timedelta(hours=1))
    client = enter(lena)

    text = client.get(reverse("bulk_change", args=[plan.pk])).content.decode()
    answer = client.post(reverse("apply_plan", args=[plan.pk]), follow=True)

    assert "over an hour old" in text
    assert reverse("apply_plan", args=[plan.pk]) not in text
    assert "Give the file again." in answer.content.decode()
    assert BulkChange.objects.get().state == "planned"


def test_a_plan_is_discarded(enter: Enter, lena: Person, plan: BulkChange) -> None:
    answer = enter(lena).post(reverse("discard_plan", args=[plan.pk]), follow=True)

    assert "nothing was changed" in answer.content.decode()
    assert not BulkChange.objects.exists()


# Out


def test_the_list_is_a_file_with_what_matters(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    answer = exported(enter(lena))

    (row,) = rows(answer)
    assert row["user_name"] == "ledger-reader"
    assert (row["account"], row["team"], row["owner"]) == ("111122223333", "Payments", "mia@acme.test")
    assert (row["groups"], row["tags"], row["mfa"]) == ("ledger-writers", "cost-center=4711", "yes")
    assert row["arn"] == ledger_reader.arn
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_file_that_went_out_comes_in_again_and_changes_nothing(
    enter: Enter, olive: Person, acme_prod: Account, payments: Team, ledger_reader: IAMUser
) -> None:
    factories.iam_user(acme_prod, "+plus", team=payments, kind="application", purpose="=SUM(1);=2", tags={"a": "b"})
    client = enter(olive)

    give(client, exported(client).getvalue())

    assert set(BulkChange.objects.get().rows.values_list("state", flat=True)) == {"unchanged"}


def test_no_cell_is_a_formula(enter: Enter, olive: Person, acme_prod: Account) -> None:
    for number, name in enumerate("=+-@"):
        factories.iam_user(acme_prod, f"{name}cmd{number}", purpose="=1+1", tags={"=a": "=b"})

    found = rows(exported(enter(olive)))

    assert len(found) == 4
    assert not any(cell.startswith(FORMULA_STARTS) for row in found for cell in row.values())


def test_the_file_has_what_the_filters_leave_and_the_ledger_says_so(
    enter: Enter, ada: Person, ledger_reader: IAMUser, platform_robot: IAMUser
) -> None:
    found = rows(exported(enter(ada), "q=robot"))

    assert [row["user_name"] for row in found] == ["platform-robot"]
    noted = Entry.objects.get()
    assert (noted.kind, noted.by_name) == (Kind.IAM_USERS_EXPORTED, "Ada")
    assert noted.details == {"filters": [{"key": "q", "value": "robot"}]}


def test_a_lead_gets_the_teams_and_no_other(
    enter: Enter, lena: Person, oskar: Person, ledger_reader: IAMUser, platform_robot: IAMUser
) -> None:
    assert [row["user_name"] for row in rows(exported(enter(lena)))] == ["ledger-reader"]
    assert rows(exported(enter(oskar))) == []


@pytest.mark.parametrize("who", ["hugo", "mia"])
def test_those_without_the_duty_take_none(
    request: pytest.FixtureRequest, enter: Enter, who: str, ledger_reader: IAMUser
) -> None:
    client = enter(request.getfixturevalue(who))

    assert exported(client).status_code == 403
    assert "Export as CSV" not in client.get(reverse("team")).content.decode()
    assert not Entry.objects.exists()


def test_a_filter_that_cannot_be_read_exports_nothing(enter: Enter, ada: Person, ledger_reader: IAMUser) -> None:
    assert exported(enter(ada), "team=987654").status_code == 302
    assert not Entry.objects.exists()


def test_a_get_exports_nothing(enter: Enter, ada: Person) -> None:
    assert enter(ada).get(reverse("export_iam_users")).status_code == 405


def test_more_rows_need_no_more_queries(enter: Enter, olive: Person, acme_prod: Account) -> None:
    client = enter(olive)
    factories.access_key(factories.iam_user(acme_prod, "robot"))
    with CaptureQueriesContext(connection) as for_one:
        exported(client).getvalue()
    for number in range(30):
        factories.access_key(factories.iam_user(acme_prod, f"robot-{number}"))

    with CaptureQueriesContext(connection) as for_many:
        exported(client).getvalue()

    assert len(for_many) <= len(for_one) + 1
