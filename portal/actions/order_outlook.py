"""What a person may do with orders: retry, release, close; what would come of it, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.actions import orders as order_actions
from portal.clients.bigcartel import read_stored
from portal.fulfillment.rulebook import Rulebook, stored_hold
from portal.models import Order, OrderState
from portal.models.audit import RELEASED, RETRIED
from portal.reports.order_wording import STATE_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

MAX_ORDERS = 200
"""Orders that one form acts on."""
_LOOKED_AT_AGAIN = frozenset({OrderState.HELD, OrderState.REJECTED, OrderState.CLOSED})


class Action(StrEnum):
    RETRY = "retry"
    RELEASE = "release"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an action would do with an order, or why it is not possible, as a sentence or two."""

    order: Order
    possible: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Result:
    """What an action did with an order, or why it did nothing."""

    order: Order
    done: bool
    sentence: str


def why_not(order: Order, action: Action) -> str:
    """Why the order's state does not allow the action, as a sentence; empty when it does."""
    is_releasable = order.state is OrderState.HELD and any(
        stored_hold(hold).reason.row.releasable for hold in order.holds
    )
    match action:
        case Action.CLOSE:
            return order_actions.why_no_close(order)
        case Action.RELEASE if not is_releasable:
            return "It is not held for a pickup, so there is nothing to release."
        case Action.RETRY if is_releasable:
            return "The buyer seems to collect it. Release it if it is to be sent all the same."
        case _:
            return order_actions.why_no_retry(order)


def possible(order: Order) -> tuple[Action, ...]:
    """The actions that the order's state allows now."""
    return tuple(action for action in Action if not why_not(order, action))


def outlooks(session: Session, orders: Sequence[Order], action: Action) -> list[Outlook]:
    """What would come of the action, order by order, with the merchant's rules and products of now. Writes nothing."""
    to_assess = {
        order.id: read_stored(order.document)
        for order in orders
        if action is not Action.CLOSE and order.state in _LOOKED_AT_AGAIN and not why_not(order, action)
    }
    book = Rulebook(session)
    book.learn([(order.store_id, to_assess[order.id]) for order in orders if order.id in to_assess])
    found = []
    for order in orders:
        if why := why_not(order, action):
            found.append(Outlook(order, possible=False, sentence=why))
        elif action is Action.CLOSE:
            found.append(Outlook(order, possible=True, sentence="It is never sent. Nothing changes in Big Cartel."))
        elif order.id in to_assess:
            holds = book.assess(order.store_id, to_assess[order.id], released=True).holds
            found.append(Outlook(order, possible=True, sentence=_after_a_look([hold.sentence for hold in holds])))
        elif order.state is OrderState.SHIPPED:
            found.append(Outlook(order, possible=True, sentence="Big Cartel is told once more that it is shipped."))
        elif order.state is OrderState.UNCONFIRMED or order.is_lost:
            sentence = "The warehouse is asked for it now. It is sent again only if the warehouse does not have it."
            found.append(Outlook(order, possible=True, sentence=sentence))
        else:
            found.append(Outlook(order, possible=True, sentence="It is sent at the next run, without a further wait."))
    return found


def _after_a_look(holds: Sequence[str]) -> str:
    if not holds:
        return "It is looked at again and sent to the warehouse at the next run."
    return f"It is looked at again, and waits on hold: {' '.join(holds)}"


def act(
    session: Session,
    order: Order,
    action: Action,
    *,
    is_fresh: bool,
    actor: str,
    reason: str,
    now: datetime,
) -> Result:
    """Do it to one order, and write down who did it; decisions.retry says what ``is_fresh`` is for. Commits."""
    if why := why_not(order, action):
        return Result(order, done=False, sentence=f"{order.number} is as it was. {why}")
    try:
        if action is Action.CLOSE:
            order_actions.close(session, order, actor=actor, reason=reason, now=now)
        else:
            order_actions.retry(
                session,
                order,
                is_fresh=is_fresh,
                actor=actor,
                reason=reason,
                now=now,
                action=RELEASED if action is Action.RELEASE else RETRIED,
            )
    except order_actions.NotPossibleError as error:
        return Result(order, done=False, sentence=str(error))
    return Result(order, done=True, sentence=f"{order.number} is now “{STATE_LABELS[order.state]}”.")
