"""The ledger as a file (A27)."""

import csv
import io
import json
import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.kinds import Kind
from accounts.models import IAMUser, Person
from accounts.usecases import iam_users
from accounts.usecases.csv_file import FORMULA_STARTS, harmless
from accounts.views.exports import csv_lines
from portal.ledger.models import Entry
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def entry(lena: Person, ledger_reader: IAMUser) -> Entry:
    iam_users.tag_iam_user(
        by=lena, iam_user=ledger_reader, tags={"env": "prod"}, at=timezone.now(), reason='=HYPERLINK("http://evil")'
    )
    return Entry.objects.get()


def exported(enter: Enter, person: Person, form: str, **filters: str) -> Any:
    return enter(person).post(reverse("export_ledger", args=[form]), filters)


def rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode())))


def test_csv_has_a_line_for_each_entry_and_no_formula(enter: Enter, ada: Person, entry: Entry) -> None:
    header, row = rows(exported(enter, ada, "csv"))

    facts = dict(zip(header, row, strict=True))
    assert (facts["sequence"], facts["by_name"], facts["hash"]) == ("1", "Lena", entry.hash)
    assert facts["reason"].startswith("'=HYPERLINK")
    assert not any(cell.startswith(FORMULA_STARTS) for cell in row)


def test_json_lines_hold_what_the_entry_says(enter: Enter, ada: Person, entry: Entry) -> None:
    (line,) = exported(enter, ada, "jsonl").getvalue().decode().splitlines()

    assert json.loads(line)["reason"] == entry.reason
    assert json.loads(line)["details"] == entry.details


def test_the_export_itself_stands_in_the_ledger(enter: Enter, ada: Person, entry: Entry) -> None:
    answer = exported(enter, ada, "csv", q="lena")

    noted = Entry.objects.get(kind=Kind.LEDGER_EXPORTED)
    assert (noted.by_name, noted.details["form"]) == ("Ada", "csv")
    assert noted.details["filters"] == [{"key": "q", "value": "lena"}]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ledger-acme-2.csv"'


def test_the_filters_hold_for_the_file(enter: Enter, ada: Person, entry: Entry) -> None:
    assert len(rows(exported(enter, ada, "csv", q="nobody"))) == 1
    assert len(rows(exported(enter, ada, "csv", kind=Kind.IAM_USER_TAGGED))) == 2


def test_nothing_of_another_organization_is_in_it(enter: Enter, oskar: Person, entry: Entry) -> None:
    assert len(rows(exported(enter, oskar, "csv"))) == 1


@pytest.mark.parametrize("who", ["lena", "hugo", "mia"])
def test_those_who_may_not_read_it_cannot_export_it(
    request: pytest.FixtureRequest, enter: Enter, entry: Entry, who: str
) -> None:
    assert exported(enter, request.getfixturevalue(who), "csv").status_code == 403
    assert Entry.objects.count() == 1


def test_a_get_exports_nothing(enter: Enter, ada: Person, entry: Entry) -> None:
    assert enter(ada).get(reverse("export_ledger", args=["csv"])).status_code == 405
    assert Entry.objects.count() == 1


# What a spreadsheet computes; it strips blanks and what it takes for quotes first.
COMPUTED = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def written(**texts: str) -> str:
    facts = {"id": uuid.uuid4(), "sequence": 1, "at": timezone.now(), "kind": "accounts.x", "hash": "f" * 64, **texts}
    return "".join(csv_lines([Entry(**facts)]))


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize(
    "text", ["a;=1+1", "a; =1", 'a;"=1"', "a\n=1", "a;\n+1", ";;@SUM(1)", '"=1', "a;\uff1d1", "x;", 'x;"', ";-)"]
)
def test_whatever_the_list_separator_is_no_cell_is_a_formula(delimiter: str, text: str) -> None:
    lines = written(reason=text, ticket=text, by_name=text, subject_name=text)

    cells = [cell for row in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter) for cell in row]

    assert [cell for cell in cells if cell.lstrip(' "').startswith(COMPUTED)] == []


@given(st.text(alphabet=st.sampled_from('=+-@;,"\n\r\t a\uff1d')))
def test_no_text_becomes_a_formula_within_another_cell(text: str) -> None:
    lines = written(reason=text, ticket=text[::-1])

    for delimiter in ",;":
        cells = [cell for row in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if cell.lstrip(' "').startswith(COMPUTED)] == []


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    assert not harmless(text).lstrip(" ").startswith(FORMULA_STARTS)
