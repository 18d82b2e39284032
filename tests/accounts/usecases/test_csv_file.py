"""Reading a CSV file of IAM users (A27, and what spreadsheets make of files)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.usecases import csv_file
from accounts.usecases.csv_file import CSVRefused, harmless, meant, read

HEADER = "user_name,account,team,kind,owner,purpose,groups,tags"


def written(*lines: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *lines]).encode()


def refused(content: bytes) -> list[str]:
    with pytest.raises(CSVRefused) as refusal:
        read(content)
    return refusal.value.messages


def test_a_row_is_read_by_its_columns_in_any_order() -> None:
    (row,) = read(written("acme-prod,mia,stage=prod", header="Account, user_name ,TAGS"))

    assert row.position == 2
    assert row.cells == {"account": "acme-prod", "user_name": "mia", "tags": "stage=prod"}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(mark: bytes, separator: str, end: str) -> None:
    lines = [HEADER.replace(",", separator), separator.join(["mia", "1", '"a;b,c"', "", "", "", "", ""]), ""]

    (row,) = read(mark + end.join(lines).encode())

    assert (row.cells["user_name"], row.cells["team"]) == ("mia", "a;b,c")


def test_empty_rows_are_left_out_and_still_counted() -> None:
    first, second = read(written("a,1,,,,,,", ",,,,,,,", "", "b,1,,,,,,"))

    assert (first.position, second.position) == (2, 5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The column user_name is missing."),
        (written(), "no rows below the first"),
        (written("a,1", header="user_name,password"), "There is no column “password”."),
        (written("a,1,b", header="user_name,account,account"), "The column account stands there twice."),
        (written("a", header="user_name"), "The column account is missing."),
        (written("a,1"), "Row 2: It has 2 cells, and the first row has 8."),
        (written("a,1,,,,,,,more"), "Row 2: It has 9 cells"),
        (written('a,"1,,,,,,'), "cannot be read"),
        (written("a,1,,,,,,").decode().encode("utf-16"), "not UTF-8"),
        ("user_name,account\r\nm\u00fcller,1".encode("latin-1"), "not UTF-8"),
        (b"user_name,account\r\na\x00b,1", "no text"),
        (b"PK\x03\x04\x14\x00\x06\x00", "no text"),
        (written(f"a,1,,,,{'x' * 5000},,"), "Row 2: One of its cells is too long."),
    ],
    ids=range(13),
)
def test_what_is_no_such_file_is_refused_with_a_sentence(content: bytes, words: str) -> None:
    assert words in " ".join(refused(content))


def test_more_rows_than_it_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(read(written(*["a,1,,,,,,"] * 10_000))) == 10_000

    assert "more than 10,000 rows" in refused(written(*["a,1,,,,,,"] * 10_001))[0]


def test_a_file_over_five_megabytes_is_refused() -> None:
    assert "over 5 MB" in refused(b"x" * (csv_file.BYTES_AT_MOST + 1))[0]


def test_fifty_are_told_and_the_rest_is_counted() -> None:
    told = refused(written(*["a,1"] * 120))

    assert len(told) == 51
    assert (told[0][:6], told[-1]) == ("Row 2:", "And 70 more. Mend these first.")


@pytest.mark.parametrize("text", ["=1+1", "+mia", "-x", "@robot", "=cmd|' /C calc'!A0", "a;=1", "|a=b"])
def test_a_formula_is_text_that_comes_back_as_it_was(text: str) -> None:
    assert harmless(text) != text
    assert meant(harmless(text)) == text


@given(st.text(alphabet=st.sampled_from("=+-@;, ab|%c\uff1d"), max_size=20))
def test_what_was_written_means_what_it_was(text: str) -> None:
    assert meant(harmless(text.strip())) == text.strip()
