"""Uploaded CSV files: whatever Excel or Google Sheets makes of a download is read as it was downloaded."""

from __future__ import annotations

import csv
import io
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import uploaded_csv
from portal.listing import csv_parts
from portal.uploaded_csv import MAX_BYTES, MAX_ROWS, Row, UnreadableFileError, read

TITLES = ["product id", "Own SKU", "note"]
COLUMNS = [(title, lambda cells, at=at: cells[at]) for at, title in enumerate(TITLES)]
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.text(
    st.sampled_from("=+-@'\"\r\n;|\t, aé\ufeff")
)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS).filter(lambda cells: any(cell.strip() for cell in cells)), max_size=5)


def _cells(rows: list[Row]) -> list[tuple[str, ...]]:
    return [tuple(row.cells[title.casefold()] for title in TITLES) for row in rows]


@given(ROWS)
def test_download_is_read_as_it_was(rows: list[tuple[str, str, str]]) -> None:
    data = "".join(csv_parts(COLUMNS, [rows])).encode()
    found = read(data, ["product id"])
    assert _cells(found) == rows
    assert [row.number for row in found] == list(range(2, len(rows) + 2))


@given(ROWS, st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.permutations(range(3)))
def test_what_a_spreadsheet_saves_is_read_alike(
    rows: list[tuple[str, str, str]], separator: str, encoding: str, order: list[int]
) -> None:
    downloaded = csv.reader(io.StringIO("".join(csv_parts(COLUMNS, [rows])).removeprefix("\ufeff"), newline=""))
    saved = io.StringIO()
    csv.writer(saved, delimiter=separator).writerows([cells[at] for at in order] for cells in downloaded)
    assert _cells(read(saved.getvalue().encode(encoding), ["product id", "own sku"])) == rows


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    with suppress(UnreadableFileError):
        read(data, ["own sku"])


def test_excels_files_of_other_countries_are_read() -> None:
    text = 'sep=;\r\nOwn  SKU;Product ID;Größe\r\n;;\r\n\r\nÄ-1;101;"zwei\r\nZeilen"\r\nB;102\r\n'
    for encoding in ("cp1252", "utf-8-sig", "utf-16-le", "utf-16-be"):
        mark = "\ufeff" if encoding.startswith("utf-16") else ""
        first, second = read((mark + text).encode(encoding), ["product id", "own sku"])
        assert (first.number, dict(first.cells)) == (
            5, {"own sku": "Ä-1", "product id": "101", "grösse": "zwei\r\nZeilen"},
        )  # fmt: skip
        assert second.cells["grösse"] == "", "a short row"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \r\n", "The file is empty."),
        (b"PK\x03\x04rest", "This is an Excel workbook."),
        (b"\xd0\xcf\x11\xe0rest", "This is an Excel workbook."),
        (b"a\0b", "This isn't a CSV file."),
        (b"\xff\xfea", "The file is damaged"),
        (b"product,sku\r\n1,2\r\n", "among them “product id”, “own sku”."),
        (b"product id,own sku\r\n" + b"x" * 140_000 + b",1\r\n", "a cell that is too long"),
        (b"x" * (MAX_BYTES + 1), "The file is larger than 1.5 MB."),
        (b"product id,own sku\r\n" + b"1,2\r\n" * (MAX_ROWS + 1), "The file has more than 20,000 rows."),
    ],
)
def test_unreadable_file_is_explained(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        read(data, ["product id", "own sku"])
    assert why in unicodedata.normalize("NFC", str(raised.value))
    assert len(read(b"product id,own sku\r\n" + b"1,2\r\n" * MAX_ROWS, ["own sku"])) == uploaded_csv.MAX_ROWS
