"""Orders asked for one by one: those that vanished from the list, and those that a person wants sent once more."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from portal.clients.bigcartel import as_stored, read_order
from portal.clients.errors import NotFound, NotSent, ServiceError, Unauthorized
from portal.fulfillment import products
from portal.fulfillment.poll.read import KNOWN, Listed, Listing
from portal.models import Order, OrderState
from portal.models.states import NOT_SENT, move

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartel, BigCartelOrder
    from portal.models import Store

log = logging.getLogger(__name__)

OURS_TO_SEND = NOT_SENT | {OrderState.REJECTED}
A_PERSON_WAITS = timedelta(seconds=20)
"""So long orders are read again before a retry of many; the others are left for the next one."""
LOOK_UP = 50
"""Orders that vanished from the list of unshipped ones and are looked up one by one in one sweep."""
_TOLD_BY_NOBODY = and_(Order.state == OrderState.SHIPPED, Order.next_attempt_at.is_(None))
"""Big Cartel could not be told for 72 hours: a person sets them to shipped there."""


def look_up_vanished(
    session: Session,
    store: Store,
    shop: BigCartel,
    listing: Listing,
    clock: Callable[[], datetime],
) -> tuple[list[Listed], int]:
    """Orders that wait for us and that the list of unshipped ones does not hold: shipped or deleted there, or skipped.

    Those looked at longest ago come first, so that all take their turn. Returns what Big Cartel has of them, and how
    many are closed because it has none. Commits.
    """
    ours = session.execute(
        select(*KNOWN)
        .where(
            Order.store_id == store.id, or_(Order.state.in_(OURS_TO_SEND | {OrderState.UNCONFIRMED}), _TOLD_BY_NOBODY)
        )
        .order_by(func.coalesce(Order.assessed_at, Order.first_seen_at))
    ).all()
    session.commit()
    found, closed = [], 0
    for row in [row for row in ours if row.number not in listing.orders][:LOOK_UP]:
        try:
            document = shop.order(row.number)
        except NotFound:
            if row.state is OrderState.UNCONFIRMED:
                continue
            closing = [{"id": row.id, **closed_columns("Big Cartel has no such order any more.")}]
            closed += move(session, closing, frm=row.state, to=OrderState.CLOSED, now=clock())
            session.commit()
        except NotSent:
            raise
        except ServiceError as error:
            # The list has just been read, so this is about the one order.
            log.warning("intake.order_not_read", extra={"store": store.id, "order": row.number, "error": str(error)})
        else:
            found.append(Listed(read_order(document), as_stored(document), row))
    return found, closed


def closed_columns(reason: str) -> dict[str, Any]:
    return {"state_reason": reason, "next_attempt_at": None}


def read_again(
    session: Session, store: Store, shop: BigCartel, orders: Sequence[Order], *, clock: Callable[[], datetime]
) -> set[int]:
    """Read these orders and their products as Big Cartel has them now; returns the ids of those that could be read.

    Raises Unauthorized and NotSent, when asking on is pointless. Commits.
    """
    started = clock()
    read: dict[int, BigCartelOrder] = {}
    for order in orders:
        if clock() - started > A_PERSON_WAITS:
            break
        try:
            document = shop.order(order.number)
        except (Unauthorized, NotSent):
            raise
        except ServiceError as error:
            log.warning("intake.order_not_read", extra={"store": store.id, "order": order.number, "error": str(error)})
            continue
        order.document, read[order.id] = as_stored(document), read_order(document)
    session.commit()
    wanted = {product_id for order in read.values() for product_id in products.ids_in(order)}
    products.bring_up_to_date(session, store, shop, wanted, fresh_since=started, clock=clock)
    known = products.facts(session, store.id, wanted)
    return {
        order_id
        for order_id, order in read.items()
        if products.are_fresh(session, store.id, products.by_description(order, known), started)
    }
