"""Every CSV download quotes cells that a spreadsheet would run as a formula, and leaves other cells unchanged."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from portal.extensions import db
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
    "tab": "\t=1+1",
    "carriage return": "\r=1+1",
}
HARMLESS = ["SHIRT-1", "1-2", "a=b", " =1", "'=1", "me@shop.example"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: the database makes no difference here."""
    return sqlite_url


def _rows(client: FlaskClient, url: str) -> list[dict[str, str]]:
    text = client.get(url).get_data(as_text=True).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _put(app: Flask, kind: type[Attempt | Order | Product], column: str, text: str) -> None:
    with app.app_context():
        db.session.execute(update(kind).values({column: text}))
        db.session.commit()


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
    # Product names are shown without surrounding whitespace.
    assert {row["product"] for row in products} == {f"'{text.strip()}"}


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_unchanged(app: Flask, world: World, orders: Orders, owner: FlaskClient, text: str) -> None:
    _put(app, Attempt, "words", text)

    assert {row["words"] for row in _rows(owner, "/m/816/attempts/attempts.csv")} == {text}
