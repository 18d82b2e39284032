"""Reading a CSV file of IAM users: bytes in, cells out, or all that is wrong with it. Nothing is looked up here.

RFC 4180, with what spreadsheets make of it: a byte-order mark, semicolons, an apostrophe before what is no formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError

COLUMNS = ("user_name", "account", "team", "kind", "owner", "purpose", "groups", "tags")
NEEDED = ("user_name", "account")
# What the portal's own file says besides; it is AWS's to say, so that a file which came from here may go back in.
FACTS = ("arn", "oldest_key", "mfa", "last_used", "created")
BYTES_AT_MOST = 5 * 1024 * 1024
ROWS_AT_MOST = 10_000
CELL_AT_MOST = 4000
TOLD_AT_MOST = 50
# Groups and tags in one cell.
BETWEEN = "|"
# A cell that begins so is taken for a formula by spreadsheets (OWASP, CSV injection; ASVS V1.2.10).
# The last four are their full-width twins, which some of them read as the same.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where the list separator is a semicolon, as in most of Europe, a spreadsheet does not heed the quotes of the second
# cell and on, and begins a new one after each semicolon or line's end inside the text.
INNER_STARTS = re.compile(rf'([;\t\r\n])(?=[\s"]*[{re.escape("".join(FORMULA_STARTS))}])')
INNER_APOSTROPHES = re.compile(rf"([;\t\r\n])'(?=[\s\"]*[{re.escape(''.join(FORMULA_STARTS))}])")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Problem:
    """What is wrong in one place: the row as a spreadsheet counts it, and the column, where it is in one."""

    row: int
    column: str
    words: str

    def __str__(self) -> str:
        place = f"Row {self.row}, {self.column}" if self.column else f"Row {self.row}"
        return f"{place}: {self.words}"


class CSVRefused(ValidationError):
    """The file is not taken, with a sentence for each place of the first fifty; nothing of it was done."""

    def __init__(self, problems: Iterable[Problem | str]) -> None:
        told = [str(problem) for problem in problems]
        rest = len(told) - TOLD_AT_MOST
        more = [f"And {rest:,} more. Mend these first."] if rest > 0 else []
        super().__init__([*told[:TOLD_AT_MOST], *more])


@dataclass(frozen=True)
class CSVRow:
    """One row: its place as a spreadsheet counts, and its cells by column, as people meant them."""

    position: int
    cells: dict[str, str]


def harmless(text: str) -> str:
    """The text so that no spreadsheet takes it, or what it would cut out of it, for a formula."""
    within = INNER_STARTS.sub(r"\1'", text)
    return f"'{within}" if text.lstrip(' "').startswith(FORMULA_STARTS) else within


def meant(cell: str) -> str:
    """The text of a cell, without the apostrophes by which `harmless` keeps it from being computed."""
    is_kept = cell.startswith("'") and cell[1:].lstrip(' "').startswith(FORMULA_STARTS)
    return INNER_APOSTROPHES.sub(r"\1", cell[1:] if is_kept else cell).strip()


def read(content: bytes) -> list[CSVRow]:
    """The rows below the first, without empty ones.

    :raises CSVRefused: for what is no such file, is too long, or has columns that are unknown or missing.
    """
    if len(content) > BYTES_AT_MOST:
        raise CSVRefused(["The file is over 5 MB. Make several of it."])
    text = _decoded(content)
    lines = _lines(text)
    header = [cell.strip().lower() for cell in next(lines, [])]
    _check_header(header)
    rows: list[CSVRow] = []
    problems: list[Problem] = []
    for position, line in enumerate(lines, start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(rows) == ROWS_AT_MOST:
            raise CSVRefused([f"The file has more than {ROWS_AT_MOST:,} rows. Make several of it."])
        problem = _misshapen(position, line, len(header))
        if problem is not None:
            problems.append(problem)
        rows.append(CSVRow(position, dict(zip(header, map(meant, line), strict=False))))
    if problems:
        raise CSVRefused(problems)
    if not rows:
        raise CSVRefused(["The file has no rows below the first, which names the columns."])
    return rows


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CSVRefused(["The file is not UTF-8. In a spreadsheet, save it as “CSV UTF-8”."]) from None
    if CONTROLS.search(text):
        raise CSVRefused(["The file is no text. In a spreadsheet, save it as “CSV UTF-8”."])
    return text


def _lines(text: str) -> Iterator[list[str]]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error:
        raise CSVRefused(
            [f"Line {reader.line_num} cannot be read: a quote that is opened there is not closed."]
        ) from None


def _check_header(header: list[str]) -> None:
    problems = [f"The column {name} is missing." for name in NEEDED if name not in header]
    unknown = [name for name in header if name not in (*COLUMNS, *FACTS)]
    problems += [f"There is no column “{name[:40]}”. The columns are {', '.join(COLUMNS)}." for name in unknown]
    problems += [f"The column {name} stands there twice." for name in sorted(set(header)) if header.count(name) > 1]
    if problems:
        raise CSVRefused(problems)


def _misshapen(position: int, line: list[str], width: int) -> Problem | None:
    if len(line) < width or any(cell.strip() for cell in line[width:]):
        return Problem(position, "", f"It has {len(line)} cells, and the first row has {width}.")
    longest = max(line, key=len)
    return Problem(position, "", "One of its cells is too long.") if len(longest) > CELL_AT_MOST else None
