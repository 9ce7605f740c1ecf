"""Insert the rows of orders seen for the first time, many with one statement."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import orjson
from sqlalchemy import JSON, Table, Text, bindparam, func, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite

from portal.models import Order
from portal.models.base import chunks
from portal.models.states import OrderColumns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session
    from sqlalchemy.sql.dml import ReturningInsert

    from portal.models import OrderState, StoredHold

_orders = cast("Table", Order.__table__)
_UNIQUE = ("store_id", "number")
_INSERTED = (_orders.c.id, _orders.c.number, _orders.c.merchant_id, _orders.c.state, _orders.c.holds)


class NewOrder(OrderColumns):
    """The row of an order seen for the first time."""

    merchant_id: int
    store_id: int
    number: str
    state: OrderState
    state_changed_at: datetime
    first_seen_at: datetime
    released: bool


def insert_orders(
    session: Session, rows: Sequence[NewOrder]
) -> Sequence[Row[int, str, int, OrderState, list[StoredHold]]]:
    """Insert orders, skipping any that another worker has already inserted. Return the _INSERTED columns of each.

    All rows must have the same columns. The caller commits.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        insert = sqlite.insert(_orders).on_conflict_do_nothing(index_elements=_UNIQUE).returning(*_INSERTED)
        return connection.execute(insert, rows).all()
    inserted: list[Row[int, str, int, OrderState, list[StoredHold]]] = []
    for some in chunks(rows):
        given = {"rows": orjson.dumps([_with_stored_texts(row) for row in some]).decode()}
        inserted += connection.execute(_insert_json(tuple(some[0])), given).all()
    return inserted


def _with_stored_texts(row: NewOrder) -> dict[str, object]:
    """Return the row with each list as the JSON text that updates store, too: hold reasons are found in that text."""
    return {
        name: orjson.Fragment(json.dumps(value)) if isinstance(value, list) else value for name, value in row.items()
    }


@lru_cache(maxsize=8)
def _insert_json(columns: tuple[str, ...]) -> ReturningInsert[int, str, int, OrderState, list[StoredHold]]:
    """Return an INSERT of rows that are given as one JSON text.

    With a parameter for each value, psycopg would spend more time on reading the statement than the rest takes.
    """
    given = sql_cast(bindparam("rows", type_=Text), JSON)
    rows = func.json_populate_recordset(literal_column("NULL::orders"), given).table_valued(*columns)
    insert = postgresql.insert(_orders).from_select(list(columns), select(*rows.c))
    return insert.on_conflict_do_nothing(index_elements=_UNIQUE).returning(*_INSERTED)
