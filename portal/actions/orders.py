"""Actions on one order: retry it, release it from a hold, or close it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.fulfillment import search_rows
from portal.fulfillment.changes import acknowledge_past
from portal.fulfillment.order_columns import (
    FRESH_START,
    assessed_columns,
    closed_columns,
    ready_columns,
    reopened_columns,
)
from portal.fulfillment.rulebook import assess_alone, stored_hold
from portal.models import Order, OrderState
from portal.models.audit import CLOSED, RELEASED, RETRIED, record
from portal.models.states import REOPENED_BY_RETRY, ClosedBecause, OrderChange, move, rewrite
from portal.rules.hold_reasons import Hold
from portal.wording import actions as wording
from portal.wording.history import DONE
from portal.wording.states import closed_by

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import StoredHold
    from portal.models.states import OrderColumns


class Action(StrEnum):
    RETRY = "retry"
    RELEASE = "release"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Result:
    """What an action did: if ``done``, the order's state shows it; otherwise ``sentence`` says why it wasn't done."""

    order: Order
    done: bool
    sentence: str = ""


def is_releasable(order: Order) -> bool:
    """Return whether a person can release the order: it is held for a reason that is only a guess."""
    return bool(_releasable_holds(order))


def why_not(order: Order, action: Action) -> str:
    """Return why the order's state doesn't allow the action, as a sentence, or "" if it does."""
    match action:
        case Action.CLOSE:
            return "" if order.needs_attention else wording.WHY_NO_CLOSE.get(order.state, "")
        case Action.RELEASE if not is_releasable(order):
            return wording.NOTHING_TO_RELEASE
        case Action.RETRY if is_releasable(order):
            return wording.release_instead([Hold(hold.reason).sentence for hold in _releasable_holds(order)])
        case _:
            return _why_no_retry(order)


def possible(order: Order) -> tuple[Action, ...]:
    """Return the actions that the order's state allows now."""
    return tuple(action for action in Action if not why_not(order, action))


def act(
    session: Session, order: Order, action: Action, *, is_fresh: bool, actor: str, reason: str, now: datetime
) -> Result:
    """Carry out the action. ``is_fresh`` says whether the order was just read from Big Cartel. Commits."""
    match action:
        case Action.RETRY:
            return retry(session, order, is_fresh=is_fresh, actor=actor, reason=reason, now=now)
        case Action.RELEASE:
            return release(session, order, actor=actor, reason=reason, now=now)
        case Action.CLOSE:
            return close(session, order, actor=actor, reason=reason, now=now)


def retry(session: Session, order: Order, *, is_fresh: bool, actor: str, reason: str, now: datetime) -> Result:
    """Reassess the order. If nothing holds it, the next run sends it. Commits.

    Only a release ends a hold that is a guess. An order that the warehouse lost becomes
    unconfirmed, and is sent again only if the warehouse confirms that it doesn't have it. An order that we couldn't
    mark in Big Cartel is due to be marked again. If the order must be read before a retry
    (``Order.is_read_before_retry``) and is not ``is_fresh``, nothing changes.
    """
    if why := why_not(order, Action.RETRY):
        return Result(order, done=False, sentence=wording.cannot_be("retried", order.number, why))
    if order.is_read_before_retry:
        if not is_fresh:
            return Result(order, done=False, sentence=wording.not_reread(order.number))
        if read_stored(order.document).shipping_status == "shipped":
            why = wording.SHIPPED_IN_BIG_CARTEL
            return Result(order, done=False, sentence=wording.cannot_be("retried", order.number, why))
    return _send_again(session, order, RETRIED, actor=actor, reason=reason, now=now)


def release(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> Result:
    """Release the order from the holds on it that are only guesses. It is sent unless something else holds it. Commits.

    What is released is remembered. The order goes on hold again if the same reason comes up with another detail.
    """
    if why := why_not(order, Action.RELEASE):
        return Result(order, done=False, sentence=wording.cannot_be("released", order.number, why))
    order.released_holds, order.released = released_by(order, Action.RELEASE), True
    return _send_again(session, order, RELEASED, actor=actor, reason=reason, now=now)


def close(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> Result:
    """Close the order, so it is never sent. An order that is or may be at the warehouse can't be closed. Commits."""
    if why := why_not(order, Action.CLOSE):
        return Result(order, done=False, sentence=wording.cannot_be("closed", order.number, why))
    columns = closed_columns(closed_by(actor, reason), ClosedBecause.PERSON)
    closing = OrderChange(order.id, columns, reason=reason, actor=actor)
    if not move(session, [closing], from_state=order.state, to_state=OrderState.CLOSED, now=now):
        session.rollback()
        return Result(order, done=False, sentence=wording.just_changed(order.number))
    return _done(session, order, CLOSED, actor=actor, reason=reason, now=now)


def released_by(order: Order, action: Action) -> list[StoredHold]:
    """Return the holds that no longer count after the action: those released before, and those that it releases."""
    released = list(order.released_holds or ())
    if action is Action.RELEASE:
        released += [hold for hold in order.holds if hold not in released and stored_hold(hold).reason.row.releasable]
    return released


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
    done = DONE[action]
    if order.state in REOPENED_BY_RETRY:
        fresh: OrderColumns = {**reopened_columns(), "assessed_at": None, **FRESH_START}
        change = OrderChange(order.id, fresh, reason=done, actor=actor)
        move(session, [change], from_state=order.state, to_state=OrderState.HELD, now=now)
    elif order.is_lost:
        lost: OrderColumns = {"fcp_missing_since": None, "submitted_at": None, **ready_columns(now)}
        change = OrderChange(order.id, lost, reason=done, actor=actor)
        move(session, [change], from_state=order.state, to_state=OrderState.UNCONFIRMED, now=now)
    elif order.state is not OrderState.HELD:
        rewrite(session, [OrderChange(order.id, ready_columns(now))], state=order.state)
    session.flush()
    session.refresh(order)
    if order.state is OrderState.HELD:
        _assess_again(session, order, done, actor, now)
    return _done(session, order, action, actor=actor, reason=reason, now=now)


def _assess_again(session: Session, order: Order, done: str, actor: str, now: datetime) -> None:
    session.flush()
    assessment = assess_alone(session, order, order.edits)
    change = OrderChange(order.id, assessed_columns(assessment, now), reason=done, actor=actor)
    if assessment.holds:
        rewrite(session, [change], state=OrderState.HELD)
    else:
        ready = replace(change, columns={**change.columns, **ready_columns(now)})
        move(session, [ready], from_state=OrderState.HELD, to_state=OrderState.READY, now=now)
    search_rows.refresh(session, [order.id])


def _done(session: Session, order: Order, action: str, *, actor: str, reason: str, now: datetime) -> Result:
    record(session, action, merchant_id=order.merchant_id, subject=order.number, actor=actor, reason=reason, now=now)
    acknowledge_past(session, order.merchant_id, now)
    session.commit()
    session.refresh(order)
    return Result(order, done=True)
