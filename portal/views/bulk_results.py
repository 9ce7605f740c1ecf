"""What an action on several orders did, signed into the list's address, so that the list can tell it and undo it.

The token holds ids and states only, for one person and merchant. What the list says is read from the database.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from itsdangerous import BadData

from portal import access, current
from portal.actions.orders import Action
from portal.actions.undo import Before
from portal.models import OrderState
from portal.signing import signer
from portal.wording.counts import count_of
from portal.wording.states import STATE_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.models import Order

UNDO_SECONDS = 5 * 60
"""How long an action can be undone."""
SHOWN_SECONDS = 60 * 60
"""How long the list tells what an action did, if its address is opened again."""
_PURPOSE = "bulk result"
_VERBS = {Action.RETRY: "retried", Action.RELEASE: "released", Action.CLOSE: "closed"}


@dataclass(frozen=True, slots=True)
class BulkResult:
    action: Action
    done: Sequence[Before]
    left: Sequence[int]
    """Ids of the orders that weren't changed."""
    age: float
    """Seconds since the action."""


def token_of(action: Action, results: Sequence[tuple[Before, bool]]) -> str:
    done = [[one.order_id, one.state.value, one.released, int(one.is_given_up)] for one, is_done in results if is_done]
    left = [one.order_id for one, is_done in results if not is_done]
    content = [access.viewer().id, access.merchant().id, action.value, done, left]
    return str(signer(_PURPOSE, current.settings().secret_key).dumps(content))


def read(token: str, *, seconds: int) -> BulkResult | None:
    """Return the result, or None if it is somebody else's, of another merchant, forged, or older than ``seconds``."""
    if not token:
        return None
    try:
        content, signed = signer(_PURPOSE, current.settings().secret_key).loads(
            token, max_age=seconds, return_timestamp=True
        )
    except BadData:
        return None
    user_id, merchant_id, action, done, left = content
    if (user_id, merchant_id) != (access.viewer().id, access.merchant().id):
        return None
    before = [Before(order, OrderState(state), released, bool(up)) for order, state, released, up in done]
    return BulkResult(Action(action), before, left, time.time() - signed.timestamp())


def done_sentence(action: Action, done: Sequence[Order]) -> str:
    """Return what became of the orders: "12 orders are ready to send. 1 order is on hold."."""
    if not done:
        return f"No orders were {_VERBS[action]}."
    states = Counter(order.state for order in done)
    return " ".join(
        f"{count_of(count, 'order')} {'is' if count == 1 else 'are'} {_lowered(STATE_LABELS[state])}."
        for state, count in states.most_common()
    )


def undone_sentence(action: Action, count: int) -> str:
    again = "on hold again" if action is Action.RELEASE else "open again"
    return f"Undone. {count_of(count, 'order')} {'is' if count == 1 else 'are'} {again}."


def _lowered(label: str) -> str:
    return label[:1].lower() + label[1:]
