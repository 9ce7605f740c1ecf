"""Take back a release or a closing, unless the order was sent. A retry isn't taken back: it may be on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.actions.orders import Action, Result
from portal.clients.bigcartel import read_stored
from portal.fulfillment.order_columns import (
    FRESH_START,
    assessed_columns,
    held_columns,
    ready_columns,
    reopened_columns,
)
from portal.fulfillment.rulebook import assess_alone
from portal.models import Attempt, AttemptKind, ClosedBecause, OrderState
from portal.models.audit import CLOSING_UNDONE, RELEASE_UNDONE, record
from portal.models.states import NOT_SENT, OrderChange, move, rewrite
from portal.wording import actions as wording

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Order
    from portal.models.states import OrderColumns

UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Before:
    """What an undo has to know of an order before the action."""

    order_id: int
    state: OrderState
    released: int
    """How many holds had been released before."""
    is_given_up: bool

    @classmethod
    def of(cls, order: Order) -> Before:
        return cls(order.id, order.state, len(order.released_holds or ()), order.is_given_up)


def can_be_undone(action: Action) -> bool:
    return action in {Action.RELEASE, Action.CLOSE}


def why_not(order: Order, action: Action) -> str:
    """Return why the action can't be taken back anymore, as a sentence, or "" if it can."""
    if order.purged_at is not None:
        return wording.PURGED
    if action is Action.RELEASE:
        return "" if order.state in NOT_SENT else wording.TOO_LATE_TO_UNDO.get(order.state, wording.CHANGED_SINCE)
    if order.state is not OrderState.CLOSED or order.closed_because not in {ClosedBecause.PERSON, None}:
        return wording.CHANGED_SINCE
    return wording.WAS_AT_THE_WAREHOUSE if order.submitted_at is not None else ""


def undo(
    session: Session,
    order: Order,
    action: Action,
    before: Before,
    *,
    is_fresh: bool,
    actor: str,
    reason: str,
    now: datetime,
) -> Result:
    """Take the action back. If the order was sent or has changed meanwhile, nothing changes. Commits.

    A closed order is opened again only if it ``is_fresh``: just read from Big Cartel, as before a retry.
    """
    why = why_not(order, action)
    if not why and action is Action.CLOSE:
        if not is_fresh:
            return Result(order, done=False, sentence=wording.not_reread(order.number))
        if read_stored(order.document).shipping_status == "shipped":
            why = wording.SHIPPED_IN_BIG_CARTEL
    if why:
        return Result(order, done=False, sentence=wording.cannot_be("undone", order.number, why))
    if action is Action.RELEASE:
        done, moved = RELEASE_UNDONE, _hold_again(session, order, before, actor, now)
    else:
        done, moved = CLOSING_UNDONE, _reopen(session, order, before, actor, now)
    if not moved:
        session.rollback()
        return Result(order, done=False, sentence=wording.just_changed(order.number))
    record(session, done, merchant_id=order.merchant_id, subject=order.number, actor=actor, reason=reason, now=now)
    session.commit()
    session.refresh(order)
    return Result(order, done=True)


def _hold_again(session: Session, order: Order, before: Before, actor: str, now: datetime) -> bool:
    """Put the holds back that the release ended; False if the order is being sent, or nothing holds it anymore."""
    holds = list(order.released_holds or ())[: before.released]
    order.released_holds, order.released = holds, bool(holds)
    session.flush()
    assessment = assess_alone(session, order, order.edits)
    if not assessment.holds:
        return False
    if order.state is OrderState.HELD:
        change = OrderChange(order.id, assessed_columns(assessment, now), reason=UNDONE, actor=actor)
        return bool(rewrite(session, [change], state=OrderState.HELD))
    # One that a worker has claimed is no longer ready, so it is not moved.
    change = OrderChange(order.id, held_columns(assessment, now), reason=UNDONE, actor=actor)
    return bool(move(session, [change], from_state=OrderState.READY, to_state=OrderState.HELD, now=now))


def _reopen(session: Session, order: Order, before: Before, actor: str, now: datetime) -> bool:
    """Open the order again, in the state that it would have now if it had never been closed."""
    opened = reopened_columns()
    if before.state is OrderState.REJECTED:
        columns: OrderColumns = {**opened, "state_reason": _words_of_rejection(session, order)}
        change = OrderChange(order.id, columns, reason=UNDONE, actor=actor)
        return bool(move(session, [change], from_state=OrderState.CLOSED, to_state=OrderState.REJECTED, now=now))
    change = OrderChange(order.id, {**opened, "assessed_at": None, **FRESH_START}, reason=UNDONE, actor=actor)
    if not move(session, [change], from_state=OrderState.CLOSED, to_state=OrderState.HELD, now=now):
        return False
    session.flush()
    session.refresh(order)
    assessment = assess_alone(session, order, order.edits)
    again = OrderChange(order.id, assessed_columns(assessment, now), reason=UNDONE, actor=actor)
    if assessment.holds:
        return bool(rewrite(session, [again], state=OrderState.HELD))
    due = ready_columns(now)
    if before.is_given_up:
        due["next_attempt_at"] = None
    ready = replace(again, columns={**again.columns, **due})
    return bool(move(session, [ready], from_state=OrderState.HELD, to_state=OrderState.READY, now=now))


def _words_of_rejection(session: Session, order: Order) -> str:
    """Return the warehouse's words, which closing replaced by the person's reason."""
    last = select(Attempt.words).where(Attempt.order_id == order.id, Attempt.kind == AttemptKind.SUBMIT)
    return session.scalars(last.order_by(Attempt.id.desc()).limit(1)).first() or ""
