"""After a restore: make sure that nothing which happened since the backup happens twice.

The database then says that orders wait which the warehouse has had for long, and that messages are due which people
have read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import select, update

from portal.clients.errors import NotFound, ServiceError
from portal.clients.fcp import MAX_STATUSES
from portal.fulfillment.clients import BlockedError, fcp_for
from portal.fulfillment.order_columns import ready_columns
from portal.models import Merchant, Message, Order, OrderState
from portal.models.states import OrderChange, move
from portal.wording.history import RESTORED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.models.states import OrderColumns

NOT_SENT_AGAIN = "Not sent: it was due when the backup was made that has been restored."
WAIT_FOR_A_PERSON = (OrderState.HELD, OrderState.REJECTED)
"""States from which an order is sent only after a person has acted. They stay, unless the warehouse has the order."""


class _Waiting(NamedTuple):
    """An order that was not sent yet, as the backup has it."""

    id: int
    number: str
    state: OrderState


@dataclass(frozen=True, slots=True)
class Checks:
    """What was done for one merchant's orders."""

    to_check: int
    """Orders that were ready to send. They are sent only if the warehouse says that it doesn't have them."""
    found: Sequence[str]
    """Orders that were on hold or rejected, and that the warehouse has."""
    problem: str
    """Why orders on hold or rejected couldn't be checked, as a sentence; empty if they were."""
    try_again: bool = False
    """Whether they can be checked once the problem is solved."""


def stop_messages(session: Session) -> int:
    """Give up the messages that were due when the backup was made: they have been sent since. Commits.

    Returns how many.
    """
    stopped = cast(
        "CursorResult[object]",
        session.execute(
            update(Message)
            .where(Message.next_attempt_at.is_not(None))
            .values(next_attempt_at=None, error=NOT_SENT_AGAIN)
        ),
    )
    session.commit()
    return stopped.rowcount


def check_before_sending(
    session: Session, merchant: Merchant, settings: Settings, *, actor: str, now: datetime
) -> Checks:
    """Make every order that is ready to send await confirmation, so that the warehouse is asked before it is sent.

    Of the orders that wait for a person, do the same with those that the warehouse has. Commits. No worker may run.
    """
    to_check = _await_confirmation(session, _orders(session, merchant, OrderState.READY), actor=actor, now=now)
    found: list[str] = []
    try:
        fcp = fcp_for(session, merchant, settings, now=now, ignore_pause=True)
        for state in WAIT_FOR_A_PERSON:
            waiting = _orders(session, merchant, state)
            for start in range(0, len(waiting), MAX_STATUSES):
                some = waiting[start : start + MAX_STATUSES]
                there = fcp.statuses([one.number for one in some])
                known = [one for one in some if one.number in there]
                _await_confirmation(session, known, actor=actor, now=now)
                found += [one.number for one in known]
    except NotFound:
        problem = "The warehouse has no status call. It will reject what it already has, should it be sent again."
        return Checks(to_check, found, problem)
    except (ServiceError, BlockedError) as error:
        session.rollback()
        return Checks(to_check, found, str(error), try_again=True)
    return Checks(to_check, found, "")


def _orders(session: Session, merchant: Merchant, state: OrderState) -> list[_Waiting]:
    """Return the merchant's orders in this state, and end the transaction: a call may follow."""
    query = select(Order.id, Order.number, Order.state).where(Order.merchant_id == merchant.id, Order.state == state)
    orders = [_Waiting._make(row) for row in session.execute(query.order_by(Order.id))]
    session.commit()
    return orders


def _await_confirmation(session: Session, orders: Sequence[_Waiting], *, actor: str, now: datetime) -> int:
    """Move the orders, which are all in the same state. Commits. Returns how many moved."""
    if not orders:
        return 0
    columns: OrderColumns = {**ready_columns(now), "holds": [], "state_reason": ""}
    changes = [OrderChange(one.id, columns, reason=RESTORED, actor=actor) for one in orders]
    moved = move(session, changes, from_state=orders[0].state, to_state=OrderState.UNCONFIRMED, now=now)
    session.commit()
    return moved
