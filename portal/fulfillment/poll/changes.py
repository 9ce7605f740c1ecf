"""See what changed in Big Cartel about orders that were already sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.clients.errors import NotFound, NotSent, ServiceError, UnexpectedAnswer
from portal.fulfillment.changes import SeenChange, note, noted_statuses
from portal.fulfillment.order_edits import read_edits
from portal.fulfillment.poll.read import SENT, KnownOrder, Listed, look_up, select_known
from portal.models import Order, OrderState
from portal.rules.difference import (
    DELETED,
    NOT_LISTED,
    ORDER_STATUS,
    SHIPPED,
    UNSHIPPED,
    Difference,
    difference,
    status_of,
)
from portal.rules.order_edits import as_sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from portal.clients.bigcartel import BigCartelOrder
    from portal.fulfillment.poll.context import Poll
    from portal.fulfillment.poll.read import Listing

log = logging.getLogger(__name__)

MAX_LOOKUPS = 50
"""Maximum number of sent orders that one sweep looks up, one call each."""
_OFF_THE_LIST = frozenset({NOT_LISTED, DELETED, SHIPPED})


def note_changes(poll: Poll, changed: Sequence[Listed], now: datetime) -> None:
    """Store what changed about those of the orders that were already sent. The caller commits."""
    sent = [(one, one.known) for one in changed if one.known is not None and one.known.state in SENT]
    unlisted = [known.id for _, known in sent if known.unlisted_since is not None]
    noted = noted_statuses(poll.session, unlisted)
    seen = [
        SeenChange(known.id, poll.store.merchant_id, known.state, {"document": one.document}, fields)
        for one, known in sent
        if (fields := tuple(_differences(poll, one, known, noted.get(known.id, ""))))
    ]
    _save(poll, seen, now)


def look_up_sent(poll: Poll, listing: Listing) -> list[Listed]:
    """Look for the orders at the warehouse that a sweep's list doesn't name. Return those that Big Cartel still has.

    One whose absence is noted isn't looked up again: it would be listed or updated. One that was deleted is noted here.
    Raises NotSent. Commits.
    """
    session, now = poll.session, poll.context.clock()
    query = select_known().where(Order.store_id == poll.store.id, Order.state == OrderState.SUBMITTED)
    absent = [
        known
        for known in map(KnownOrder._make, session.execute(query.order_by(Order.id)))
        if known.number not in listing.orders
    ]
    noted = noted_statuses(session, [known.id for known in absent])
    session.commit()
    absent = [known for known in absent if noted.get(known.id) not in _OFF_THE_LIST]
    found, deleted = [], []
    for known in absent[:MAX_LOOKUPS]:
        try:
            found.append(look_up(poll, known))
        except NotFound:
            before = _stored(known)
            status = Difference(ORDER_STATUS, status_of(before) if before else "", DELETED)
            deleted.append(
                SeenChange(known.id, poll.store.merchant_id, known.state, {"unlisted_since": now}, (status,))
            )
        except NotSent:
            raise
        except ServiceError as error:
            extra = {"store": poll.store.id, "order": known.number, "error": str(error)}
            log.warning("poll.order_not_read", extra=extra)
    _save(poll, deleted, now)
    session.commit()
    return found


def _differences(poll: Poll, one: Listed, known: KnownOrder, noted: str) -> Iterator[Difference]:
    before = _stored(known)
    if before is None:
        return
    status = status_of(before), status_of(one.order)
    if noted in _OFF_THE_LIST and one.is_listed:
        status = noted, status[1]
    elif poll.result.swept and not one.is_listed and not one.is_shipped:
        # Only a whole list, read until it is complete, says that an order is no longer on it.
        is_told = status[0] != status[1] or (noted == status[1] != UNSHIPPED)
        status = status[0], status[1] if is_told else NOT_LISTED
    edits = read_edits(known.edits)
    for field in difference(as_sent(before, edits), as_sent(one.order, edits)):
        if field.field != ORDER_STATUS:
            yield field
    # Once the warehouse has shipped it, we mark it as shipped ourselves.
    is_ours = known.state is OrderState.SHIPPED and one.is_shipped
    if status[0] != status[1] and not is_ours and status[1] != noted:
        yield Difference(ORDER_STATUS, *status)


def _stored(known: KnownOrder) -> BigCartelOrder | None:
    """Return the order as we last read it; None once the buyer's data has been purged."""
    try:
        return read_stored(known.document)
    except UnexpectedAnswer:
        return None


def _save(poll: Poll, seen: Sequence[SeenChange], now: datetime) -> None:
    if count := note(poll.session, seen, now):
        log.info("poll.changed_after_sending", extra={"store": poll.store.id, "orders": count})
