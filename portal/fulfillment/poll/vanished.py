"""Look up the open orders that are missing from the list of unshipped orders."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_

from portal.clients.bigcartel import read_stored
from portal.clients.errors import NotFound, NotSent, ServiceError
from portal.fulfillment.order_columns import closed_columns
from portal.fulfillment.poll.read import KnownOrder, Listed, Listing, look_up, select_known
from portal.models import Order, OrderState
from portal.models.states import NOT_SENT, OURS_TO_SEND, ClosedBecause, OrderChange, move
from portal.wording.states import GONE_FROM_BIG_CARTEL, SHIPPED_BUT_GONE

if TYPE_CHECKING:
    from portal.fulfillment.poll.context import Poll

log = logging.getLogger(__name__)

MAX_LOOKUPS = 50
"""Maximum number of orders that one sweep looks up, one call each."""
MAX_LOOKUP_TIME = timedelta(minutes=3)
"""How long one sweep goes on looking up: calls that time out would otherwise outlast the job, and nothing is saved."""
_NOT_MARKED = and_(Order.state == OrderState.SHIPPED, Order.next_attempt_at.is_(None))
"""Shipped orders that we failed to mark in Big Cartel for 72 hours: a person marks them there."""


def look_up_vanished(poll: Poll, listing: Listing) -> list[Listed]:
    """Ask Big Cartel for each missing order: it was shipped or deleted there, or the list skipped it.

    The orders assessed longest ago come first, so each gets its turn. Returns the orders that Big Cartel still has, and
    those not asked about that were still in the list before. The others are closed, except unconfirmed ones. Raises
    NotSent. Commits.
    """
    ours = or_(Order.state.in_(OURS_TO_SEND | {OrderState.UNCONFIRMED}), _NOT_MARKED)
    rows = poll.session.execute(
        select_known()
        .where(Order.store_id == poll.store.id, ours)
        .order_by(func.coalesce(Order.assessed_at, Order.first_seen_at))
    )
    vanished = [KnownOrder._make(row) for row in rows if row.number not in listing.orders]
    poll.session.commit()
    until = poll.context.clock() + MAX_LOOKUP_TIME
    found = [
        _look_up(poll, known) if place < MAX_LOOKUPS and poll.context.clock() < until else _as_stored(known)
        for place, known in enumerate(vanished)
    ]
    return [one for one in found if one is not None]


def _as_stored(known: KnownOrder) -> Listed | None:
    """Return an order that we couldn't ask about, so that it isn't sent, unless that is already noted."""
    if known.unlisted_since is not None or known.state not in NOT_SENT:
        return None
    return Listed(read_stored(known.document), known.document, known, is_listed=False)


def _look_up(poll: Poll, known: KnownOrder) -> Listed | None:
    try:
        return look_up(poll, known)
    except NotFound:
        if known.state is not OrderState.UNCONFIRMED:
            because, reason = ClosedBecause.GONE, GONE_FROM_BIG_CARTEL
            if known.state is OrderState.SHIPPED:
                because, reason = ClosedBecause.SHIPPED_BUT_GONE, SHIPPED_BUT_GONE
            closing = OrderChange(known.id, closed_columns(reason, because))
            poll.result.closed += move(
                poll.session, [closing], from_state=known.state, to_state=OrderState.CLOSED, now=poll.context.clock()
            )
            poll.session.commit()
    except NotSent:
        raise
    except ServiceError as error:
        # We have just read the list, so the problem is this one order.
        extra = {"store": poll.store.id, "order": known.number, "error": str(error)}
        log.warning("poll.order_not_read", extra=extra)
        return _as_stored(known)
    return None
