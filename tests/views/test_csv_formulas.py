"""Every CSV download quotes each cell, and no cell is a formula, wherever a spreadsheet splits the file."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from portal.extensions import db
from portal.listing import csv_parts, unguarded
from portal.models import Attempt, Order, Product

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.orders_world import Orders

FORMULAS = {
    "equals": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(1,1)",
    "tab": "\tSKU",
    "carriage return": "\rSKU",
    "line break": "\nSKU",
    "space": " =1+1",
    "zero-width space": "\u200b=1+1",
    "no-break space": "\xa0@SUM(1,1)",
    "full-width": "\uff1d1\uff0b1",
    "small": "\ufe621",
}
HARMLESS = ["SHIRT-1", "1-2", "a=b", "'a=1", "me@shop.example", "2 x MUG-1; 1 x SHIRT-S", "a, -b", '"=1"', "5' 3\""]
STARTS = ("=", "+", "-", "@", "\u2212")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: the database makes no difference here."""
    return sqlite_url


def _text(client: FlaskClient, url: str) -> str:
    return client.get(url).get_data(as_text=True).removeprefix("\ufeff")


def _rows(client: FlaskClient, url: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_text(client, url), newline="")))


def _put(app: Flask, kind: type[Attempt | Order | Product], column: str, text: str) -> None:
    with app.app_context():
        db.session.execute(update(kind).values({column: text}))
        db.session.commit()


def _line_of(text: str) -> str:
    return list(csv_parts([("title", str)], [[text]]))[1]


@pytest.mark.parametrize("text", FORMULAS.values(), ids=FORMULAS)
def test_no_download_contains_a_formula(
    app: Flask, world: World, orders: Orders, owner: FlaskClient, text: str
) -> None:
    for kind, column in ((Attempt, "words"), (Order, "carrier"), (Product, "name")):
        _put(app, kind, column, text)

    attempts = _rows(owner, "/m/816/attempts/attempts.csv")
    listed = _rows(owner, "/m/816/orders/orders.csv")
    products = _rows(owner, "/m/816/products/products.csv")

    assert {row["words"] for row in attempts} == {f"'{text}"}
    assert {row["carrier"] for row in listed} == {f"'{text}"}
    # Product names are shown without surrounding whitespace and invisible characters.
    shown = text.strip(" \t\r\n\u200b\xa0")
    assert {row["product"] for row in products} == {shown if shown == "SKU" else f"'{shown}"}


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_unchanged(app: Flask, world: World, orders: Orders, owner: FlaskClient, text: str) -> None:
    _put(app, Attempt, "words", text)

    assert {row["words"] for row in _rows(owner, "/m/816/attempts/attempts.csv")} == {text}


def test_every_cell_is_quoted(app: Flask, world: World, orders: Orders, owner: FlaskClient) -> None:
    for address in ("attempts/attempts.csv", "orders/orders.csv", "products/products.csv"):
        text = _text(owner, f"/m/816/{address}")
        read = list(csv.reader(io.StringIO(text, newline="")))
        again = io.StringIO()
        csv.writer(again, quoting=csv.QUOTE_ALL).writerows(read)
        assert len(read) > 1
        assert text == again.getvalue()


@pytest.mark.parametrize("separator", [";", "|", "\t"])
@pytest.mark.parametrize(
    "text", ["x{}=1+1", "x{} =1+1", 'x{}"=1+1"', "{}@SUM(1,1)", "x{0}{0}-1", "x\n=1+1{}b", "x\r+1"]
)
def test_spreadsheet_that_splits_at_another_separator_finds_no_formula(separator: str, text: str) -> None:
    lines = f'"first",{_line_of(text.format(separator))}'.splitlines()
    cells = [cell for row in csv.reader(lines, delimiter=separator) for cell in row]
    assert [cell for cell in cells if cell.lstrip().startswith(STARTS)] == []


def test_every_sign_that_reads_like_one_of_a_formula_is_known() -> None:
    signs = [sign for sign in map(chr, range(0x110000)) if unicodedata.normalize("NFKC", sign).startswith(STARTS)]
    assert len(signs) > 10
    assert [sign for sign in signs if not _line_of(sign).startswith("\"'")] == []


@given(st.text(st.sampled_from("=+-@'\"\t\r\n;|, \u200ba\uff1d")) | st.text())
def test_guard_is_undone(text: str) -> None:
    """Whatever a cell had, apostrophes before signs included, is read from the file again."""
    [[cell]] = csv.reader(io.StringIO(_line_of(text), newline=""))
    assert unguarded(cell) == text


def test_long_text_takes_no_time() -> None:
    """A pattern that backtracks would take hours."""
    for run in ("\n", "\x1c", ";", " ", "\u200b", '"'):
        assert len(_line_of(run * 100_000 + "x")) > 100_000
