"""What a person decides about one order: send it once more, or never."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import update

from portal.clients.bigcartel import read_order
from portal.fulfillment.assessing import Rulebook, assessed_columns
from portal.models import AuditEntry, Order, OrderState
from portal.models.states import move

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


class NotPossibleError(Exception):
    """The order's state does not allow it; the text says why and what to do instead."""


_WHY_NO_RETRY = {
    OrderState.SUBMITTING: "It is being handed to the warehouse right now.",
    OrderState.SUBMITTED: "The warehouse has it already.",
    OrderState.SHIPPED: "The warehouse has shipped it already.",
    OrderState.COMPLETED: "It is shipped, and marked shipped in Big Cartel.",
}
_WHY_NO_CLOSE = {
    OrderState.SUBMITTING: "It is being handed to the warehouse right now. Try again in a minute.",
    OrderState.UNCONFIRMED: "It may be at the warehouse. Wait until that is settled.",
    OrderState.SUBMITTED: "The warehouse has it: cancel it there, and it is closed here by itself.",
    OrderState.SHIPPED: "The warehouse has shipped it.",
    OrderState.COMPLETED: "It is done.",
    OrderState.CLOSED: "It is closed already.",
}


def why_no_retry(order: Order) -> str:
    """Why the order cannot be sent again, as a sentence; empty when it can."""
    if order.state is OrderState.CLOSED and order.submitted_at is not None:
        return "It was at the warehouse before it was closed."
    if order.state in _WHY_NO_RETRY:
        return _WHY_NO_RETRY[order.state]
    return "The buyer's data have been purged." if order.purged_at is not None else ""


def why_no_close(order: Order) -> str:
    """Why the order cannot be closed, as a sentence; empty when it can."""
    return _WHY_NO_CLOSE.get(order.state, "")


def retry(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> OrderState:
    """Look at the order afresh and let it leave at the next run if nothing holds it. Commits; returns its new state.

    The person has looked: what merely seemed to be a pickup does not hold the order any more.
    Raises NotPossibleError for an order that is at the warehouse or on its way there.
    """
    if why := why_no_retry(order):
        raise NotPossibleError(f"{order.number} cannot be sent again. {why}")
    if order.state in {OrderState.REJECTED, OrderState.CLOSED}:
        fresh = {
            "id": order.id,
            "state_reason": "",
            "failures": 0,
            "first_failed_at": None,
            "assessed_at": None,
        }
        move(session, [fresh], frm=order.state, to=OrderState.HELD, now=now)
    elif order.state in {OrderState.READY, OrderState.UNCONFIRMED}:
        values = {"next_attempt_at": now, "failures": 0, "first_failed_at": None}
        session.execute(update(Order).where(Order.id == order.id, Order.state == order.state).values(**values))
    session.flush()
    session.refresh(order)
    if order.state is OrderState.HELD:
        order.released = True
        _look_again(session, order, now)
    _audit(session, order, "order retried", actor, reason, now)
    session.commit()
    session.refresh(order)
    return order.state


def close(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> None:
    """Never send the order. Commits. Raises NotPossibleError for one that is, or may be, at the warehouse."""
    if why := why_no_close(order):
        raise NotPossibleError(f"{order.number} cannot be closed. {why}")
    closing = {"id": order.id, "state_reason": f"Closed by {actor}: {reason}", "next_attempt_at": None}
    if not move(session, [closing], frm=order.state, to=OrderState.CLOSED, now=now):
        session.rollback()
        raise NotPossibleError(f"{order.number} has just changed. Look at it again.")
    _audit(session, order, "order closed", actor, reason, now)
    session.commit()
    session.refresh(order)


def _look_again(session: Session, order: Order, now: datetime) -> None:
    book = Rulebook(session)
    document = read_order(json.loads(order.document))
    book.learn([(order.store_id, document)])
    assessment = book.assess(order.store_id, document, released=True)
    columns = assessed_columns(assessment, now)
    if assessment.holds:
        session.execute(update(Order).where(Order.id == order.id, Order.state == OrderState.HELD).values(**columns))
    else:
        ready = {"id": order.id, "next_attempt_at": now, **columns}
        move(session, [ready], frm=OrderState.HELD, to=OrderState.READY, now=now)


def _audit(session: Session, order: Order, action: str, actor: str, reason: str, now: datetime) -> None:
    session.add(
        AuditEntry(
            at=now,
            actor=actor,
            merchant_id=order.merchant_id,
            action=action,
            subject=order.number,
            reason=reason,
        )
    )
