"""Find orders by what people type of their numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from portal.models import Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import BindParameter, ColumnElement
    from sqlalchemy.orm import Session

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d\\-"
_WHOLE = re.compile(rf"([A-Za-z]+)[\s{_DASHES}]*(\d+)")
"""A number such as LMFN-543196, in any spelling."""
MOST_LISTED = 200
"""Numbers that are listed in a query."""


def spellings(text: str) -> set[str]:
    """Return the numbers that the text may be as a whole, without a leading "#" and in any case."""
    bare = text.removeprefix("#").strip()
    found = {text, bare, bare.upper(), bare.lower()}
    if whole := _WHOLE.fullmatch(bare):
        found.add(f"{whole[1].upper()}-{whole[2]}")
    return found


def numbered(session: Session, text: str, store_ids: Sequence[int] | None = None) -> ColumnElement[bool]:
    """Return the condition for orders with this number or, if there is none, for those with this part of it.

    Only those of the stores count, if they are given. A whole number, which people look for most, is found by an index
    that every database has.
    """
    is_whole = Order.number.in_(sorted(spellings(text)))
    if _found(session, is_whole, store_ids):
        return is_whole
    bare = text.removeprefix("#").strip() or text
    # Ignoring case takes three times as long, and most look for digits.
    find = Order.number.contains if bare.upper() == bare.lower() else Order.number.icontains
    return as_listed(session, find(bare, autoescape=True), store_ids)


def as_listed(
    session: Session, condition: ColumnElement[bool], store_ids: Sequence[int] | None = None
) -> ColumnElement[bool]:
    """Return a condition on numbers as the list of those that meet it, unless they are many.

    Without pg_trgm, all numbers are read to find them: here by an index alone, and once for all queries of a page.
    """
    found = _found(session, condition, store_ids)
    return condition if len(found) > MOST_LISTED else Order.number.in_(found)


def _found(session: Session, condition: ColumnElement[bool], store_ids: Sequence[int] | None) -> Sequence[str]:
    query = select(Order.number).where(condition)
    if store_ids is not None:
        # In the statement itself: without them, PostgreSQL expects few orders, and reads all of a large store.
        ids: BindParameter[Sequence[int]] = bindparam("store_ids", store_ids, expanding=True, literal_execute=True)
        query = query.where(Order.store_id.in_(ids))
    return session.scalars(query.limit(MOST_LISTED + 1)).all()
