"""Conditions on orders that a figure and the list that it leads to share, so that the two never differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, cast, literal_column, or_

from portal.models import Order, OrderState
from portal.rules.hold_reasons import HeldBy, HoldReason

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

TO_FIX = tuple(reason for reason in HoldReason if reason.row.held_by is HeldBy.MERCHANT)
"""Hold reasons that the merchant has to fix; the others wait for the buyer or are the merchant's choice."""
NOT_TO_FIX = tuple(reason for reason in HoldReason if reason not in TO_FIX)
OPEN = (
    OrderState.HELD,
    OrderState.READY,
    OrderState.SUBMITTING,
    OrderState.UNCONFIRMED,
    OrderState.REJECTED,
    OrderState.SUBMITTED,
    OrderState.SHIPPED,
)


def in_state(*states: OrderState) -> ColumnElement[bool]:
    """Return the condition for these states, named in the statement: a prepared one is planned for no others."""
    return Order.state.in_([literal_column(f"'{state}'") for state in states])


def not_sent() -> ColumnElement[bool]:
    """Return the condition for orders that weren't sent within 72 hours; retries have stopped."""
    return and_(in_state(OrderState.READY), Order.next_attempt_at.is_(None))


def not_told() -> ColumnElement[bool]:
    """Return the condition for shipped orders that Big Cartel couldn't be told about within 72 hours."""
    return and_(in_state(OrderState.SHIPPED), Order.next_attempt_at.is_(None))


def lost() -> ColumnElement[bool]:
    """Return the condition for orders that the warehouse accepted and can't find anymore."""
    return and_(in_state(OrderState.SUBMITTED), Order.fcp_missing_since.is_not(None))


def to_fix(holds: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition for hold reasons of which the merchant has to fix one.

    It isn't met by those of an order that the choice of what to send leaves out.
    """
    is_left_out = or_(names(holds, HoldReason.NOT_LIVE), names(holds, HoldReason.BEFORE_START))
    return and_(~is_left_out, or_(*(names(holds, reason) for reason in TO_FIX)))


def has_product(product_id: str) -> ColumnElement[bool]:
    """Return the condition for orders with an item of this product. It may also be met by one with such an option."""
    return cast(Order.lines, Text).contains(json.dumps(product_id), autoescape=True)


def attention_parts() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of which an order that needs attention meets one; each is about one state."""
    return (
        in_state(OrderState.REJECTED),
        and_(in_state(OrderState.HELD), to_fix(cast(Order.holds, Text))),
        not_sent(),
        not_told(),
        lost(),
    )


def needs_attention() -> ColumnElement[bool]:
    """Return the condition for orders that a person must act on: those that OpenOrders.needing_attention counts."""
    return or_(*attention_parts())


def held_for(reason: HoldReason) -> ColumnElement[bool]:
    """Return the condition for a hold reason; pages use it for a figure and for the list that the figure links to."""
    return names(cast(Order.holds, Text), reason)


def names(holds: ColumnElement[str], reason: HoldReason) -> ColumnElement[bool]:
    """Return the condition for a stored text of hold reasons that names this one."""
    return holds.contains(f'"reason": {json.dumps(reason.value)}', autoescape=True)
