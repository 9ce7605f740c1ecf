"""Preview what an action would do, for a person who has not confirmed it yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.actions.orders import Action, released_by, why_not
from portal.clients.bigcartel import read_stored
from portal.fulfillment.rulebook import Rulebook
from portal.models import Order, OrderState
from portal.wording import actions as wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

_ASSESSED_AGAIN = frozenset({OrderState.HELD, OrderState.REJECTED, OrderState.CLOSED})


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an action would do with an order, or why it isn't possible, in a sentence or two."""

    order: Order
    possible: bool
    sentence: str


def outlooks(session: Session, orders: Sequence[Order], action: Action) -> list[Outlook]:
    """Return what the action would do with each order under the current rules and products. Writes nothing."""
    to_assess = {
        order.id: read_stored(order.document)
        for order in orders
        if action is not Action.CLOSE and order.state in _ASSESSED_AGAIN and not why_not(order, action)
    }
    book = Rulebook(session)
    book.load([(order.store_id, to_assess[order.id]) for order in orders if order.id in to_assess])
    found = []
    for order in orders:
        if why := why_not(order, action):
            found.append(Outlook(order, possible=False, sentence=why))
        elif order.id in to_assess:
            released = released_by(order, action)
            unlisted_since = order.unlisted_since
            document = to_assess[order.id]
            holds = book.assess(
                order.store_id, document, released=released, edits=order.edits, unlisted_since=unlisted_since
            ).holds
            found.append(Outlook(order, possible=True, sentence=wording.reassessed([hold.sentence for hold in holds])))
        else:
            sentence = wording.CLOSING if action is Action.CLOSE else wording.retrying(order)
            found.append(Outlook(order, possible=True, sentence=sentence))
    return found
