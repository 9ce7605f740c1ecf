"""How many orders match the filters of their list, by state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, literal, select, union_all

from portal.models import Order, OrderState
from portal.reports.order_conditions import OPEN, in_state, needs_attention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

_ATTENTION = "attention"
MOST_COUNTED = 10_000
"""Complete orders, and closed ones, that a page counts: there are more every year, and nobody has to act on them."""


def counts(session: Session, matching: Select[Any]) -> Mapping[OrderState, int]:
    """Count the matching orders per state, up to one more than MOST_COUNTED of those that are complete, or closed."""
    return _counts(session, matching)[0]


def counts_with_attention(session: Session, matching: Select[Any]) -> tuple[Mapping[OrderState, int], int]:
    """Count as above and, in the same query, the orders that a person must act on."""
    attention = matching.with_only_columns(literal(_ATTENTION), func.count()).where(needs_attention())
    return _counts(session, matching, attention)


def needing_attention(session: Session, matching: Select[Any]) -> int:
    """Count the matching orders that a person must act on."""
    query = matching.with_only_columns(func.count()).where(needs_attention())
    return int(session.scalars(query).one())


def _counts(session: Session, matching: Select[Any], *others: Select[str, int]) -> tuple[Mapping[OrderState, int], int]:
    still_open = matching.with_only_columns(cast(Order.state, Text), func.count()).where(in_state(*OPEN))
    ended = (_up_to_most(matching, state) for state in OrderState if state not in OPEN)
    rows = session.execute(union_all(still_open.group_by(Order.state), *ended, *others)).all()
    found: dict[str, int] = {state: number for state, number in rows if number}
    attention = found.pop(_ATTENTION, 0)
    return {OrderState(state): number for state, number in found.items()}, attention


def _up_to_most(matching: Select[Any], state: OrderState) -> Select[str, int]:
    some = matching.with_only_columns(Order.id).where(in_state(state)).limit(MOST_COUNTED + 1).subquery()
    return select(literal(state.value), func.count()).select_from(some)


def in_words(count: int) -> str:
    """Return a count, or a sum of them: "812", "10,000+"."""
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else str(count)
