"""Reading Big Cartel's order lists to the end, with as few calls as it takes to miss nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal.clients.bigcartel import as_stored, read_order
from portal.models import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartel, BigCartelOrder, Document, OrderPage
    from portal.models import Store

OVERLAP = timedelta(minutes=5)
"""How far before the latest change seen the next poll looks again: one may be committed late with an earlier time."""
CLOCKS_DIFFER = timedelta(days=1)
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
"""Big Cartel's first year: an earlier time is a slip."""
PASSES = 3
IN_CHUNK = 500
KNOWN = (
    Order.id,
    Order.number,
    Order.state,
    Order.document,
    Order.updated_at,
    Order.released,
    Order.next_attempt_at,
)
"""What a poll needs to know of an order that it has seen before."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One order of a list beside what we know of it (None: never seen)."""

    order: BigCartelOrder
    document: str
    row: Row[*tuple[Any, ...]] | None


@dataclass(slots=True)
class Listing:
    """A list that was read: every order once."""

    orders: dict[str, Listed] = field(default_factory=dict)
    nameless: int = 0
    """Orders without a number."""
    is_whole: bool = True
    """False when reading ended early because nothing had changed."""

    def latest_change(self, now: datetime) -> datetime | None:
        """An impossible time (in the future, before there was a Big Cartel) does not count: nothing would follow it."""
        times = (one.order.updated_at for one in self.orders.values() if one.order.updated_at)
        return max((time for time in times if EARLIEST < time < now + CLOCKS_DIFFER), default=None)

    def count_since(self, start: datetime) -> int:
        return sum(1 for one in self.orders.values() if one.order.updated_at and one.order.updated_at >= start)


def read_unshipped(session: Session, store: Store, shop: BigCartel, progress: Callable[[int], None]) -> Listing:
    """Every unshipped order, oldest first, so that a list that grows meanwhile grows behind us.

    A list that shrinks while it is read skips rows: when fewer came than Big Cartel ever counted meanwhile, it is read
    anew, at most three times in all; if it never holds still, everything that was seen counts. Raises ServiceError.
    """
    seen, store_id = Listing(), store.id
    for _ in range(PASSES):
        listing = Listing()
        counted = 0
        for page in shop.order_pages(unshipped_only=True, updated_from=None, sort="created_at"):
            _add(session, store_id, listing, page)
            counted = max(counted, page.count or 0)
            progress(len(page.orders))
        if len(listing.orders) + listing.nameless >= counted:
            return listing
        seen.orders |= listing.orders
        seen.nameless = max(seen.nameless, listing.nameless)
    return seen


def read_updated(
    session: Session, store: Store, shop: BigCartel, cursor: datetime, progress: Callable[[int], None]
) -> Listing:
    """Every order updated since the cursor (with an overlap), newest first, whatever its shipping status.

    Ends after the first page when that page and Big Cartel's count show that nothing has changed since the last poll:
    an idle poll is one call, however many orders were updated at the same time. Raises ServiceError.
    """
    listing, store_id = Listing(), store.id
    for page in shop.order_pages(unshipped_only=False, updated_from=cursor - OVERLAP, sort="-updated_at"):
        is_first = not listing.orders
        added = _add(session, store_id, listing, page)
        progress(len(page.orders))
        if is_first and page.count is not None and page.count == store.window_count and _nothing_new(added, cursor):
            listing.is_whole = False
            break
    return listing


def _nothing_new(page: list[Listed], cursor: datetime) -> bool:
    """Whether all of a page is known: on its row, or shipped before we ever saw it."""
    times = [one.order.updated_at for one in page]
    recorded = all(
        time and (one.row.updated_at == time if one.row else one.order.shipping_status == "shipped" and time <= cursor)
        for time, one in zip(times, page, strict=True)
    )
    return recorded and all(a >= b for a, b in pairwise(time for time in times if time))


def _add(session: Session, store_id: int, listing: Listing, page: OrderPage) -> list[Listed]:
    listing.nameless += page.nameless
    rows = rows_by_number(session, store_id, [number for number, _ in page.orders])
    added = [_listed(document, rows.get(number)) for number, document in page.orders]
    for one in added:
        listing.orders[one.order.number] = one
    return added


def _listed(document: Document, row: Row[*tuple[Any, ...]] | None) -> Listed:
    return Listed(read_order(document), as_stored(document), row)


def rows_by_number(session: Session, store_id: int, numbers: Iterable[str]) -> dict[str, Row[*tuple[Any, ...]]]:
    wanted = list(numbers)
    rows = {
        row.number: row
        for start in range(0, len(wanted), IN_CHUNK)
        for row in session.execute(
            select(*KNOWN).where(Order.store_id == store_id, Order.number.in_(wanted[start : start + IN_CHUNK]))
        )
    }
    session.commit()
    return rows
