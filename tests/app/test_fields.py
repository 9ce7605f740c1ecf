"""Another merchant's ids in a query or form field have no effect, whatever the field's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import select

from portal.extensions import db
from portal.models import Base
from tests.app.crawl import Crawl
from tests.app.routes import Caller, browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.app.world import Side, World

Fields = dict[str, str]


def test_another_merchants_ids_in_a_query_show_nothing(app: Flask, world: World) -> None:
    crawl, caller = Crawl(app, browser(app, world.own.user)).run(), Caller(app, world.own.user)
    asked, shown = crawl.queries(), []
    assert asked
    for path, query in asked:
        for changed in _with_ids_of(world.foreign, query):
            answer = caller.client.get(path, query_string=changed, follow_redirects=True)
            if world.foreign.name.lower() in answer.text.lower():
                shown.append(f"{path}?{urlencode(changed)}")
    assert shown == []


def test_another_merchants_ids_in_a_form_change_nothing(app: Flask, world: World) -> None:
    crawl, before = Crawl(app, browser(app, world.own.user)).run(), _rows_of(app, world.foreign)
    assert before
    shown = []
    for url, fields in crawl.kinds_of_forms():
        for changed in _with_ids_of(world.foreign, fields):
            answer = Caller(app, world.own.user).post(url, changed)
            if world.foreign.name.lower() in answer.text.lower():
                shown.append(f"{url} with {changed}")
    assert shown == []
    assert _rows_of(app, world.foreign) == before


def _with_ids_of(side: Side, fields: Fields) -> Iterator[Fields]:
    """Yield the fields with one numeric value at a time replaced by each of this merchant's ids."""
    for name, value in fields.items():
        if value.isdecimal():
            for foreign in side.ids:
                yield {**fields, name: str(foreign)}


def _rows_of(app: Flask, side: Side) -> list[Any]:
    """Return every database row of the merchant and its store."""
    with app.app_context():
        return [
            row
            for table in Base.metadata.sorted_tables
            for name in ("merchant_id", "store_id")
            if name in table.columns
            for row in db.session.execute(
                select(table).where(table.columns[name] == side.arguments[name]).order_by(*table.primary_key)
            )
        ]
