"""What a person does with one order: send it once more, release it from a hold, or close it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.fulfillment.order_columns import FRESH_START, assessed_columns, closed_columns, ready_columns
from portal.fulfillment.rulebook import Rulebook, stored_hold
from portal.models import Order, OrderState
from portal.models.audit import CLOSED, RELEASED, RETRIED, record
from portal.models.states import REOPENED_BY_RETRY, OrderChange, move, rewrite
from portal.wording import actions as wording
from portal.wording.states import closed_by

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models.states import OrderColumns
    from portal.rules.hold_reasons import Hold


class Action(StrEnum):
    RETRY = "retry"
    RELEASE = "release"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Result:
    """What an action did with an order: done, its state says what; else ``sentence`` says why nothing was done."""

    order: Order
    done: bool
    sentence: str = ""


def is_releasable(order: Order) -> bool:
    """Whether it is held for a reason that rests on a guess."""
    return bool(_releasable_holds(order))


def why_not(order: Order, action: Action) -> str:
    """Return why the order's state does not allow the action, as a sentence; "" when it does."""
    match action:
        case Action.CLOSE:
            return "" if order.needs_attention else wording.WHY_NO_CLOSE.get(order.state, "")
        case Action.RELEASE if not is_releasable(order):
            return wording.NOTHING_TO_RELEASE
        case Action.RETRY if is_releasable(order):
            return wording.release_instead([hold.reason.row.sentence for hold in _releasable_holds(order)])
        case _:
            return _why_no_retry(order)


def possible(order: Order) -> tuple[Action, ...]:
    """Return the actions that the order's state allows now."""
    return tuple(action for action in Action if not why_not(order, action))


def act(
    session: Session, order: Order, action: Action, *, is_fresh: bool, actor: str, reason: str, now: datetime
) -> Result:
    """Do it; ``is_fresh`` says whether the order has just been read from Big Cartel. Commits."""
    match action:
        case Action.RETRY:
            return retry(session, order, is_fresh=is_fresh, actor=actor, reason=reason, now=now)
        case Action.RELEASE:
            return release(session, order, actor=actor, reason=reason, now=now)
        case Action.CLOSE:
            return close(session, order, actor=actor, reason=reason, now=now)


def retry(session: Session, order: Order, *, is_fresh: bool, actor: str, reason: str, now: datetime) -> Result:
    """Assess the order afresh and let it be sent at the next run if nothing holds it. Commits.

    The person has looked: a hold that rests on a guess does not count any more. One that the warehouse
    has lost is unconfirmed again, and sent again only once the warehouse says that it has no such order. One that Big
    Cartel could not be told of is told again. One that is read before a retry (``Order.is_read_before_retry``) must be
    ``is_fresh``.
    """
    if why := why_not(order, Action.RETRY):
        return Result(order, done=False, sentence=wording.cannot_retry(order.number, why))
    if order.is_read_before_retry:
        if not is_fresh:
            return Result(order, done=False, sentence=wording.not_reread(order.number))
        if read_stored(order.document).shipping_status == "shipped":
            why = wording.SHIPPED_IN_BIG_CARTEL
            return Result(order, done=False, sentence=wording.cannot_retry(order.number, why))
    return _send_again(session, order, RETRIED, actor=actor, reason=reason, now=now)


def release(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> Result:
    """Send the order in spite of a hold that rests on a guess, unless something else holds it. Commits."""
    if why := why_not(order, Action.RELEASE):
        return Result(order, done=False, sentence=wording.cannot_release(order.number, why))
    return _send_again(session, order, RELEASED, actor=actor, reason=reason, now=now)


def close(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> Result:
    """Never send the order. Commits. One that is, or may be, at the warehouse cannot be closed."""
    if why := why_not(order, Action.CLOSE):
        return Result(order, done=False, sentence=wording.cannot_close(order.number, why))
    closing = OrderChange(order.id, closed_columns(closed_by(actor, reason)))
    if not move(session, [closing], from_state=order.state, to_state=OrderState.CLOSED, now=now):
        session.rollback()
        return Result(order, done=False, sentence=wording.just_changed(order.number))
    return _done(session, order, CLOSED, actor=actor, reason=reason, now=now)


def _releasable_holds(order: Order) -> list[Hold]:
    holds = [stored_hold(hold) for hold in order.holds] if order.state is OrderState.HELD else []
    return [hold for hold in holds if hold.reason.row.releasable]


def _why_no_retry(order: Order) -> str:
    if order.needs_attention:
        return ""
    if order.state is OrderState.CLOSED and order.submitted_at is not None:
        return wording.WAS_AT_THE_WAREHOUSE
    if order.state in wording.WHY_NO_RETRY:
        return wording.WHY_NO_RETRY[order.state]
    return wording.PURGED if order.purged_at is not None else ""


def _send_again(session: Session, order: Order, action: str, *, actor: str, reason: str, now: datetime) -> Result:
    if order.state in REOPENED_BY_RETRY:
        fresh: OrderColumns = {"state_reason": "", "assessed_at": None, **FRESH_START}
        move(session, [OrderChange(order.id, fresh)], from_state=order.state, to_state=OrderState.HELD, now=now)
    elif order.is_lost:
        lost: OrderColumns = {
            "fcp_missing_since": None, "submitted_at": None, **ready_columns(now)
        }  # fmt: skip
        change = OrderChange(order.id, lost)
        move(session, [change], from_state=order.state, to_state=OrderState.UNCONFIRMED, now=now)
    elif order.state is not OrderState.HELD:
        rewrite(session, [OrderChange(order.id, ready_columns(now))], state=order.state)
    session.flush()
    session.refresh(order)
    if order.state is OrderState.HELD:
        order.released = True
        _assess_again(session, order, now)
    return _done(session, order, action, actor=actor, reason=reason, now=now)


def _assess_again(session: Session, order: Order, now: datetime) -> None:
    session.flush()
    book = Rulebook(session)
    document = read_stored(order.document)
    book.load([(order.store_id, document)])
    assessment = book.assess(order.store_id, document, released=True)
    columns = assessed_columns(assessment, now)
    if assessment.holds:
        rewrite(session, [OrderChange(order.id, columns)], state=OrderState.HELD)
    else:
        ready = OrderChange(order.id, {**columns, **ready_columns(now)})
        move(session, [ready], from_state=OrderState.HELD, to_state=OrderState.READY, now=now)


def _done(session: Session, order: Order, action: str, *, actor: str, reason: str, now: datetime) -> Result:
    record(session, action, merchant_id=order.merchant_id, subject=order.number, actor=actor, reason=reason, now=now)
    session.commit()
    session.refresh(order)
    return Result(order, done=True)
