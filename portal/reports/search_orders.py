"""Find orders by any word of theirs: number, buyer, email address, SKU, tracking number, or the warehouse's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, cast, func, literal_column, or_, select, text, union_all
from sqlalchemy.dialects.postgresql import TSQUERY

from portal.clients.bigcartel import read_stored
from portal.clients.errors import UnexpectedAnswer
from portal.fulfillment.order_edits import read_edits
from portal.models import Merchant, Order, OrderSearch
from portal.models.order_search import WORDS
from portal.reports.order_numbers import spellings
from portal.rules.search_words import is_prefix, merchant_word, order_words, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy.orm import Session

    from portal.models import OrderState, StoredEdits, StoredLine
    from portal.rules.search_words import Query

RECENT = 5_000
"""Orders that are read one by one before the index of words is asked. That takes a few milliseconds."""


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """One order, as results show it."""

    number: str
    merchant_id: int
    merchant: str
    buyer: str
    """The buyer's name, "" once it is purged."""
    state: OrderState
    placed_at: datetime | None
    tracking_numbers: Sequence[str]
    is_by_buyer: bool
    """Whether it was found by the buyer's name or email address."""
    is_whole: bool
    """Whether what was typed is its whole number, tracking number, or number at the warehouse."""


def orders(session: Session, typed: str, query: Query, merchant_id: int | None, *, at_most: int) -> list[FoundOrder]:
    """Return the newest of the orders that are found, of one merchant or (None) of all."""
    if query.is_empty:
        return []
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    first = (_by_numbers(typed, merchant_id, at_most), _recent(query, merchant_id, at_most, all_of_them=is_sqlite))
    ids = set(session.scalars(union_all(*(select(one.subquery()) for one in first))))
    if len(ids) < at_most and not is_sqlite:
        ids.update(session.scalars(_indexed(query, merchant_id, at_most)))
    columns = (
        Order.id,
        Order.number,
        Order.merchant_id,
        Merchant.name,
        Order.document,
        Order.state,
        Order.placed_at,
        Order.tracking_numbers,
        Order.lines,
        Order.fcp_order_id,
        Order.edits,
    )
    rows = session.execute(select(*columns).join(Merchant, Merchant.id == Order.merchant_id).where(Order.id.in_(ids)))
    found = [_found(row, query) for row in sorted(rows, key=lambda row: row.id, reverse=True)]
    # The one that was named in full comes first.
    return sorted(found, key=lambda order: not order.is_whole)[:at_most]


def _by_numbers(typed: str, merchant_id: int | None, at_most: int) -> Select[int]:
    # The condition of the index, word for word: the planner doesn't infer it from a parameter.
    is_theirs = and_(Order.fcp_order_id == typed.removeprefix("#").strip(), text("fcp_order_id <> ''"))
    found = select(Order.id).where(or_(Order.number.in_(sorted(spellings(typed))), is_theirs))
    if merchant_id is not None:
        found = found.where(Order.merchant_id == merchant_id)
    return found.order_by(Order.id.desc()).limit(at_most)


def _recent(query: Query, merchant_id: int | None, at_most: int, *, all_of_them: bool) -> Select[int]:
    """Select the newest of the RECENT orders that match.

    What many orders have, so many recent ones have that the others need not be read. SQLite has no index of words, so
    it looks through ``all_of_them``.
    """
    rows = select(OrderSearch.order_id, OrderSearch.terms)
    if merchant_id is not None:
        rows = rows.where(OrderSearch.merchant_id == merchant_id).order_by(OrderSearch.order_id.desc())
        rows = rows if all_of_them else rows.limit(RECENT)
    elif not all_of_them:
        newest = select(func.max(OrderSearch.order_id)).scalar_subquery()
        rows = rows.where(OrderSearch.order_id > newest - RECENT)
    recent = rows.subquery()
    return (
        select(recent.c.order_id).where(_like(query, recent.c.terms)).order_by(recent.c.order_id.desc()).limit(at_most)
    )


def _indexed(query: Query, merchant_id: int | None, at_most: int) -> Select[int]:
    """Select the newest orders that match, by PostgreSQL's index of words.

    All that match are found before they are put in order. To stop early, PostgreSQL would otherwise go through all
    orders, newest first, and find the last one after seconds if they are few. The words are quoted, so nothing in them
    is an operator.
    """
    ways = [" & ".join(_lexeme(word) for word in query.words), _lexeme(query.joined) if query.joined else ""]
    wanted = " | ".join(f"({way})" for way in ways if way)
    if merchant_id is not None:
        wanted = f"'{merchant_word(merchant_id)}' & ({wanted})"
    stored: ColumnElement[str] = literal_column(WORDS)
    is_match = stored.bool_op("@@")(cast(bindparam("wanted", wanted), TSQUERY))
    found = select(OrderSearch.order_id).where(is_match).cte("found").prefix_with("MATERIALIZED")
    return select(found.c.order_id).order_by(found.c.order_id.desc()).limit(at_most)


def _lexeme(word: str) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*" if is_prefix(word) else f"'{quoted}'"


def _like(query: Query, stored: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition for rows that are read one by one. Words have neither "%" nor "_"."""
    terms = " " + stored + " "

    def has(word: str) -> ColumnElement[bool]:
        return terms.contains(f" {word}" if is_prefix(word) else f" {word} ", autoescape=True)

    ways = [and_(*(has(word) for word in query.words))] if query.words else []
    return or_(*ways, *([has(query.joined)] if query.joined else []))


def _found(
    row: Row[
        int, str, int, str, str, OrderState, datetime | None, list[str], list[StoredLine], str, StoredEdits | None
    ],
    query: Query,
) -> FoundOrder:
    numbers = [*order_words(row.number, tracking_numbers=row.tracking_numbers).split(), *words(row.fcp_order_id)]
    skus = order_words("", skus=[line["sku"] for line in row.lines]).split()
    return FoundOrder(
        row.number,
        row.merchant_id,
        row.name,
        _buyer(row.document, row.edits),
        row.state,
        row.placed_at,
        row.tracking_numbers,
        is_by_buyer=not query.matches([*numbers, *skus]),
        is_whole=query.whole in {*numbers, "".join(words(row.number))},
    )


def _buyer(document: str, edits: StoredEdits | None) -> str:
    """Return the name that the parcel is addressed to."""
    edited = read_edits(edits).address
    try:
        buyer = edited.address if edited else read_stored(document).address
    except UnexpectedAnswer:
        return ""
    return " ".join(f"{buyer.first_name} {buyer.last_name}".split())
