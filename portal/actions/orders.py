"""What a person decides about one order: send it once more, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from portal.clients.bigcartel import read_stored
from portal.fulfillment.rulebook import Rulebook, assessed_columns
from portal.models import AuditEntry, Order, OrderState
from portal.models.audit import CLOSED, RETRIED
from portal.models.states import REOPENED_BY_RETRY, move

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
    """Why the order cannot be tried again, as a sentence; empty when it can."""
    if order.needs_a_person:
        return ""
    if order.state is OrderState.CLOSED and order.submitted_at is not None:
        return "It was at the warehouse before it was closed."
    if order.state in _WHY_NO_RETRY:
        return _WHY_NO_RETRY[order.state]
    return "The buyer's data have been purged." if order.purged_at is not None else ""


def why_no_close(order: Order) -> str:
    """Why the order cannot be closed, as a sentence; empty when it can."""
    return "" if order.needs_a_person else _WHY_NO_CLOSE.get(order.state, "")


def retry(
    session: Session,
    order: Order,
    *,
    is_fresh: bool,
    actor: str,
    reason: str,
    now: datetime,
    action: str = RETRIED,
) -> OrderState:
    """Look at the order afresh and let it leave at the next run if nothing holds it. Commits; returns its new state.

    The person has looked: what merely seemed to be a pickup does not hold the order any more. One that the warehouse
    has lost is in doubt again, and sent again only once the warehouse says that it has no such order. One that Big
    Cartel could not be told of is told again.
    Raises NotPossibleError for an order that is at the warehouse or on its way there, that Big Cartel shows as shipped,
    or that is to be read again first (``Order.is_read_before_retry``) and has not been (``is_fresh``).
    """
    if why := why_no_retry(order):
        raise NotPossibleError(f"{order.number} cannot be sent again. {why}")
    if order.is_read_before_retry:
        if not is_fresh:
            raise NotPossibleError(
                f"{order.number} is as it was: before it is sent again, the order and its product descriptions are "
                "read again, and they could not be read from Big Cartel. Check that the store is connected, and try "
                "again in a minute."
            )
        if read_stored(order.document).shipping_status == "shipped":
            raise NotPossibleError(f"{order.number} cannot be sent again. Big Cartel shows it as shipped.")
    if order.state in REOPENED_BY_RETRY:
        fresh = {"id": order.id, "state_reason": "", "assessed_at": None, **_FROM_THE_START}
        move(session, [fresh], frm=order.state, to=OrderState.HELD, now=now)
    elif order.is_lost:
        doubted = {
            "id": order.id, "fcp_missing_since": None, "submitted_at": None, "next_attempt_at": now, **_FROM_THE_START
        }  # fmt: skip
        move(session, [doubted], frm=order.state, to=OrderState.UNCONFIRMED, now=now)
    elif order.state is not OrderState.HELD:
        values = {"next_attempt_at": now, **_FROM_THE_START}
        session.execute(update(Order).where(Order.id == order.id, Order.state == order.state).values(**values))
    session.flush()
    session.refresh(order)
    if order.state is OrderState.HELD:
        order.released = True
        _look_again(session, order, now)
    _audit(session, order, action, actor, reason, now)
    session.commit()
    session.refresh(order)
    return order.state


_FROM_THE_START: dict[str, Any] = {"failures": 0, "first_failed_at": None}


def close(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> None:
    """Never send the order. Commits. Raises NotPossibleError for one that is, or may be, at the warehouse."""
    if why := why_no_close(order):
        raise NotPossibleError(f"{order.number} cannot be closed. {why}")
    closing = {"id": order.id, "state_reason": f"Closed by {actor}: {reason}", "next_attempt_at": None}
    if not move(session, [closing], frm=order.state, to=OrderState.CLOSED, now=now):
        session.rollback()
        raise NotPossibleError(f"{order.number} has just changed. Look at it again.")
    _audit(session, order, CLOSED, actor, reason, now)
    session.commit()
    session.refresh(order)


def _look_again(session: Session, order: Order, now: datetime) -> None:
    book = Rulebook(session)
    document = read_stored(order.document)
    book.learn([(order.store_id, document)])
    assessment = book.assess(order.store_id, document, released=True)
    columns = assessed_columns(assessment, now)
    if assessment.holds:
        session.execute(update(Order).where(Order.id == order.id, Order.state == OrderState.HELD).values(**columns))
    else:
        ready = {"id": order.id, "next_attempt_at": now, **_FROM_THE_START, **columns}
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
