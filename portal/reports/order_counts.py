"""How many orders match the filters of their list, by state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, literal, select, union_all

from portal.models import Order, OrderState
from portal.reports.overview import OPEN, in_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

MOST_COUNTED = 10_000
"""Complete orders, and closed ones, that a page counts: there are more every year, and nobody has to act on them."""


def counts(session: Session, matching: Select[Any]) -> Mapping[OrderState, int]:
    """Count the matching orders per state, up to one more than MOST_COUNTED of those that are complete, or closed."""
    still_open = matching.with_only_columns(cast(Order.state, Text), func.count()).where(in_state(*OPEN))
    ended = (_up_to_most(matching, state) for state in OrderState if state not in OPEN)
    rows = session.execute(union_all(still_open.group_by(Order.state), *ended))
    return {OrderState(state): number for state, number in rows if number}


def _up_to_most(matching: Select[Any], state: OrderState) -> Select[str, int]:
    some = matching.with_only_columns(Order.id).where(in_state(state)).limit(MOST_COUNTED + 1).subquery()
    return select(literal(state.value), func.count()).select_from(some)


def in_words(count: int) -> str:
    """Return a count, or a sum of them: "812", "10,000+"."""
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else str(count)
