"""Read Big Cartel's order lists to the end, with as few calls as it takes to miss nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.clients.bigcartel import as_stored, read_order
from portal.models import Order, OrderState
from portal.models.base import chunks

if TYPE_CHECKING:
    from sqlalchemy import Select

    from portal.clients.bigcartel import BigCartelOrder, Document, OrderPage
    from portal.fulfillment.poll.context import Poll

OVERLAP = timedelta(minutes=5)
"""How far before the latest change seen the next poll reads again: one may be committed late with an earlier time."""
CLOCKS_DIFFER = timedelta(days=1)
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
"""Big Cartel's first year: an earlier time is a slip."""
MAX_READS = 3


class KnownOrder(NamedTuple):
    """What a poll needs to know of an order that it has seen before."""

    id: int
    number: str
    state: OrderState
    document: str
    updated_at: datetime | None
    released: bool
    next_attempt_at: datetime | None


def select_known() -> Select[int, str, OrderState, str, datetime | None, bool, datetime | None]:
    """Select the columns of KnownOrder, in its order."""
    return select(
        Order.id, Order.number, Order.state, Order.document, Order.updated_at, Order.released, Order.next_attempt_at
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """One order of a list beside what we know of it (None: never seen)."""

    order: BigCartelOrder
    document: str
    known: KnownOrder | None

    @property
    def is_shipped(self) -> bool:
        return self.order.shipping_status == "shipped"

    @property
    def is_marked_by_hand(self) -> bool:
        """Whether a person has set an order to shipped of which we could not tell Big Cartel for 72 hours."""
        return (
            self.is_shipped
            and self.known is not None
            and self.known.state is OrderState.SHIPPED
            and self.known.next_attempt_at is None
        )


def listed(document: Document, known: KnownOrder | None) -> Listed:
    return Listed(read_order(document), as_stored(document), known)


@dataclass(slots=True)
class Listing:
    """A list that was read: every order once, by its number."""

    orders: dict[str, Listed] = field(default_factory=dict)
    nameless: int = 0
    """Orders without a number."""
    is_whole: bool = True
    """False when reading ended early because nothing had changed."""

    def latest_change(self, now: datetime) -> datetime | None:
        """Return the latest change, without impossible times: a cursor in the future would hide every later change."""
        times = (one.order.updated_at for one in self.orders.values() if one.order.updated_at)
        return max((time for time in times if EARLIEST < time < now + CLOCKS_DIFFER), default=None)

    def count_since(self, start: datetime) -> int:
        return sum(1 for one in self.orders.values() if one.order.updated_at and one.order.updated_at >= start)


def read_unshipped(poll: Poll) -> Listing:
    """Read every unshipped order, oldest first, so that a list that grows meanwhile grows behind us.

    A list that shrinks while it is read skips rows: when fewer came than Big Cartel ever counted meanwhile, it is read
    again, at most three times in all; if it never holds still, everything that was seen counts. Raises ServiceError.
    """
    seen = Listing()
    for _ in range(MAX_READS):
        listing = Listing()
        counted = 0
        for page in poll.bigcartel.order_pages(unshipped_only=True, updated_from=None, sort="created_at"):
            _add(poll, listing, page)
            counted = max(counted, page.count or 0)
            poll.context.progress(len(page.orders))
        if len(listing.orders) + listing.nameless >= counted:
            return listing
        seen.orders |= listing.orders
        seen.nameless = max(seen.nameless, listing.nameless)
    return seen


def read_updated(poll: Poll, cursor: datetime) -> Listing:
    """Read every order updated since the cursor (with an overlap), newest first, whatever its shipping status.

    Ends after the first page when that page and Big Cartel's count show that nothing has changed since the last poll:
    an idle poll is one call, however many orders were updated at the same time. Raises ServiceError.
    """
    listing, window_count = Listing(), poll.store.window_count
    for page in poll.bigcartel.order_pages(unshipped_only=False, updated_from=cursor - OVERLAP, sort="-updated_at"):
        is_first = not listing.orders
        added = _add(poll, listing, page)
        poll.context.progress(len(page.orders))
        if is_first and page.count is not None and page.count == window_count and _nothing_new(added, cursor):
            listing.is_whole = False
            break
    return listing


def _nothing_new(page: list[Listed], cursor: datetime) -> bool:
    """Whether all of a page is known: on its row, or shipped before we ever saw it."""
    times = [one.order.updated_at for one in page]
    recorded = all(
        time and (one.known.updated_at == time if one.known else one.is_shipped and time <= cursor)
        for time, one in zip(times, page, strict=True)
    )
    return recorded and all(a >= b for a, b in pairwise(time for time in times if time))


def _add(poll: Poll, listing: Listing, page: OrderPage) -> list[Listed]:
    listing.nameless += page.nameless
    known = _known_orders(poll, [number for number, _ in page.orders])
    added = [listed(document, known.get(number)) for number, document in page.orders]
    for one in added:
        listing.orders[one.order.number] = one
    return added


def _known_orders(poll: Poll, numbers: list[str]) -> dict[str, KnownOrder]:
    query = select_known().where(Order.store_id == poll.store.id)
    known = {
        row.number: KnownOrder._make(row)
        for some in chunks(numbers)
        for row in poll.session.execute(query.where(Order.number.in_(some)))
    }
    poll.session.commit()
    return known
