"""Store the words by which orders are found, in the transaction that stores the order or changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.clients.bigcartel import read_stored
from portal.clients.bigcartel_types import BigCartelAddress
from portal.clients.errors import UnexpectedAnswer
from portal.fulfillment.order_edits import read_edits
from portal.models import Order, OrderSearch
from portal.models.base import chunks
from portal.models.states import lock
from portal.rules.search_words import merchant_word, order_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.models import StoredEdits, StoredLine

BATCH = 200
"""Orders that are filled in together; nobody can change them for that long."""
RECENT = 10_000
"""Orders in which rows are looked for that an older version didn't write while it still ran."""

_rows = cast("Table", OrderSearch.__table__)
_NOBODY = BigCartelAddress()


class Found(NamedTuple):
    """What the words of an order are made of."""

    order_id: int
    merchant_id: int
    number: str
    lines: Sequence[StoredLine]
    tracking_numbers: Sequence[str] = ()
    buyer: BigCartelAddress = _NOBODY
    edited: BigCartelAddress = _NOBODY
    """The address that people gave the order instead."""


def insert(session: Session, orders: Iterable[Found]) -> None:
    """Store the words of new orders with one statement. The caller commits."""
    _store(session, [_row(order) for order in orders])


def refresh(session: Session, order_ids: Sequence[int]) -> None:
    """Store the words of orders that have changed. The caller has locked them by changing them, and commits.

    An order that has no row yet gets it from fill(), which counts on going through the orders in sequence.
    """
    for some in chunks(order_ids):
        query = _select().join(OrderSearch, OrderSearch.order_id == Order.id).add_columns(OrderSearch.terms)
        rows = []
        for *columns, terms in session.execute(query.where(Order.id.in_(some)).order_by(Order.id)):
            row = _row(_read(*columns))
            if row["terms"] != terms:
                rows.append(row)
        _store(session, rows)


def fill(session: Session) -> Iterator[int]:
    """Store the words of orders that have none, newest first, in batches. Commit each, and yield how many it has."""
    newest = session.scalar(select(func.max(Order.id)))
    if newest is None:
        session.commit()
        return
    # The newest ones first: an older version that still ran may have left gaps among them.
    missing = select(Order.id).outerjoin(OrderSearch, OrderSearch.order_id == Order.id)
    missing = missing.where(OrderSearch.order_id.is_(None), Order.id > newest - RECENT)
    while ids := session.scalars(missing.order_by(Order.id.desc()).limit(BATCH)).all():
        yield _fill(session, ids)
    # All newer ones have a row by now, so the oldest row says how far earlier runs came.
    reached = session.scalar(select(func.min(OrderSearch.order_id))) or newest + 1
    while ids := session.scalars(
        select(Order.id).where(Order.id < reached).order_by(Order.id.desc()).limit(BATCH)
    ).all():
        reached = ids[-1]
        yield _fill(session, ids)
    session.commit()


def _fill(session: Session, ids: Sequence[int]) -> int:
    # Whoever changes one of these orders now either finds its row, or is read here.
    lock(session, ids)
    query = _select().where(Order.id.in_(ids)).order_by(Order.id)
    _store(session, [_row(_read(*columns)) for columns in session.execute(query)])
    session.commit()
    return len(ids)


def _select() -> Select[int, int, str, str, list[StoredLine], list[str], StoredEdits | None]:
    return select(
        Order.id, Order.merchant_id, Order.number, Order.document, Order.lines, Order.tracking_numbers, Order.edits
    )


def _read(
    order_id: int,
    merchant_id: int,
    number: str,
    document: str,
    lines: list[StoredLine],
    tracking_numbers: list[str],
    edits: StoredEdits | None,
) -> Found:
    """Read the order. Once it is purged, its document says nothing of its buyer anymore."""
    try:
        buyer = read_stored(document).address
    except UnexpectedAnswer:
        buyer = _NOBODY
    address = read_edits(edits).address
    return Found(order_id, merchant_id, number, lines, tracking_numbers, buyer, address.address if address else _NOBODY)


def _row(order: Found) -> dict[str, object]:
    terms = order_words(
        order.number,
        skus=[line["sku"] for line in order.lines],
        tracking_numbers=order.tracking_numbers,
        buyers=[(one.first_name, one.last_name, one.email) for one in (order.buyer, order.edited)],
    )
    terms = f"{merchant_word(order.merchant_id)} {terms}"
    return {"order_id": order.order_id, "merchant_id": order.merchant_id, "terms": terms}


def _store(session: Session, rows: Sequence[dict[str, object]]) -> None:
    if not rows:
        return
    connection = session.connection()
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(_rows)
    changed = {"merchant_id": statement.excluded.merchant_id, "terms": statement.excluded.terms}
    connection.execute(statement.on_conflict_do_update(index_elements=["order_id"], set_=changed), rows)
