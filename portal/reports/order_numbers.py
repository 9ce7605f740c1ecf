"""Find orders by what people type of their numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.models import Order

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d\\-"
_WHOLE = re.compile(rf"([A-Za-z]+)[\s{_DASHES}]*(\d+)")
"""A number such as LMFN-543196, in any spelling."""


def spellings(text: str) -> set[str]:
    """Return the numbers that the text may be as a whole, without a leading "#" and in any case."""
    bare = text.removeprefix("#").strip()
    found = {text, bare, bare.upper(), bare.lower()}
    if whole := _WHOLE.fullmatch(bare):
        found.add(f"{whole[1].upper()}-{whole[2]}")
    return found


def numbered(session: Session, orders: Select[Order], text: str) -> ColumnElement[bool]:
    """Return the condition for the orders with this number or, if there is none, for those with this part of it.

    A whole number, which people look for most, is found by an index that every database has.
    """
    is_whole = Order.number.in_(sorted(spellings(text)))
    if whole := session.scalars(orders.with_only_columns(Order.id).where(is_whole)).all():
        return Order.id.in_(whole)
    return Order.number.icontains(text.removeprefix("#").strip() or text, autoescape=True)
