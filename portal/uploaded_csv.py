"""Read a CSV file that a person uploads, as Excel, Google Sheets, or another program saved it."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.listing import unguarded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

MAX_BYTES = 1_500_000
MAX_ROWS = 20_000
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How Excel's workbooks begin, today's and older ones."""
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What a file may begin with, and how it is then encoded. Excel saves "Unicode text" as UTF-16."""
_SEPARATORS = ",;\t"
"""Excel separates cells by what the reader's country uses: a semicolon where the comma is in decimals."""


class UnreadableFileError(Exception):
    """The file isn't such a table; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that isn't empty, with its number in a spreadsheet, and its cells by their titles in lower case."""

    number: int
    cells: Mapping[str, str]


def read(data: bytes, required: Collection[str]) -> list[Row]:
    """Return the rows of a table that has the ``required`` columns, in any order. Raises UnreadableFileError.

    Cells are returned as they were before our downloads guarded them against being run as formulas.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableFileError(f"The file is larger than {MAX_BYTES / 1e6:g} MB. Split it into smaller files.")
    text = _decoded(data)
    if not text.strip():
        raise UnreadableFileError("The file is empty.")
    for separator in _SEPARATORS:
        rows = _rows(text, separator)
        try:
            _, heads = next(rows)
            titles = [" ".join(head.split()).casefold() for head in heads]
            if titles.count("") == len(titles) or not set(required) <= set(titles):
                continue
            return [Row(number, _named(titles, cells)) for number, cells in rows]
        except csv.Error as error:
            raise UnreadableFileError("The file has a cell that is too long, or isn't a CSV file.") from error
        except StopIteration:
            continue
    named = ", ".join(f"“{title}”" for title in required)
    raise UnreadableFileError(f"The file needs a first row with the column titles, among them {named}.")


def _decoded(data: bytes) -> str:
    if data.startswith(_WORKBOOKS):
        raise UnreadableFileError("This is an Excel workbook. Save it as “CSV UTF-8” in Excel, then upload that file.")
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise UnreadableFileError("The file is damaged: it isn't the Unicode text it says it is.") from None
        # What Excel's plain "CSV" is in Western countries. Bytes that it doesn't define are none of a letter's.
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise UnreadableFileError("This isn't a CSV file.")
    return text


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that aren't empty, with their numbers. Raises UnreadableFileError if there are too many."""
    found = 0
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1):
        if number == 1 and cells and cells[0].casefold().startswith("sep="):
            continue  # a hint for Excel, which isn't a row of its own there
        if not any(cell.strip() for cell in cells):
            continue
        found += 1
        if found > MAX_ROWS + 1:
            raise UnreadableFileError(f"The file has more than {MAX_ROWS:,} rows. Split it into smaller files.")
        yield number, cells


def _named(titles: list[str], cells: list[str]) -> dict[str, str]:
    """Return the cells by title. Of two columns with the same title, the first counts."""
    given = [*cells, *[""] * (len(titles) - len(cells))]
    return {title: unguarded(cell) for title, cell in reversed(list(zip(titles, given, strict=False)))}
