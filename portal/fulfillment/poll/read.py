"""Read Big Cartel's order lists completely, with as few calls as possible."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, or_, select

from portal.clients.bigcartel import as_stored, read_order
from portal.models import Order, OrderState
from portal.models.base import chunks
from portal.models.states import BY_BIG_CARTEL, MAY_COME_BACK, OURS_TO_SEND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartel, BigCartelOrder, Document, OrderPage
    from portal.fulfillment.poll.context import Poll
    from portal.models import StoredEdits, StoredHold
    from portal.models.states import ClosedBecause

OVERLAP = timedelta(minutes=5)
"""How far before the latest known change the next poll starts: a change may show up late with an earlier time."""
MAX_CLOCK_SKEW = timedelta(days=1)
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
"""Big Cartel's first year; any earlier time is an error."""
MAX_READS = 3
CONFIRM_FOR = timedelta(minutes=15)
"""For this long, every poll looks again for an updated order that the list of unshipped orders didn't name."""

SENT = MAY_COME_BACK | {OrderState.SHIPPED}
"""States after sending in which a change in Big Cartel is noted."""


class KnownOrder(NamedTuple):
    """What a poll needs to know about an order seen before."""

    id: int
    number: str
    state: OrderState
    document: str
    updated_at: datetime | None
    released_holds: list[StoredHold] | None
    edits: StoredEdits | None
    unlisted_since: datetime | None
    next_attempt_at: datetime | None
    closed_because: ClosedBecause | None
    submitted_at: datetime | None


def select_known() -> Select[
    int,
    str,
    OrderState,
    str,
    datetime | None,
    list[StoredHold] | None,
    StoredEdits | None,
    datetime | None,
    datetime | None,
    ClosedBecause | None,
    datetime | None,
]:
    """Select the columns of KnownOrder, in its order."""
    return select(
        Order.id,
        Order.number,
        Order.state,
        Order.document,
        Order.updated_at,
        Order.released_holds,
        Order.edits,
        Order.unlisted_since,
        Order.next_attempt_at,
        Order.closed_because,
        Order.submitted_at,
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """One order from a list, with what we know about it (None if never seen)."""

    order: BigCartelOrder
    document: str
    known: KnownOrder | None
    is_listed: bool
    """Whether Big Cartel's list of unshipped orders names it; what we last knew if that list wasn't read."""

    @property
    def is_shipped(self) -> bool:
        return self.order.shipping_status == "shipped"

    @property
    def is_marked_by_person(self) -> bool:
        """Whether a person marked it as shipped in Big Cartel after we had failed to for 72 hours."""
        return (
            self.is_shipped
            and self.known is not None
            and self.known.state is OrderState.SHIPPED
            and self.known.next_attempt_at is None
        )

    @property
    def is_back(self) -> bool:
        """Whether it is unshipped although we closed it because Big Cartel had shown it as shipped, or not at all."""
        return (
            not self.is_shipped
            and self.is_listed
            and self.known is not None
            and self.known.state is OrderState.CLOSED
            and self.known.closed_because in BY_BIG_CARTEL
        )

    @property
    def needs_work(self) -> bool:
        """Whether the poll has something to save about it."""
        if self.known is None:
            return not self.is_shipped
        if self.is_back or (self.is_shipped and (self.known.state in OURS_TO_SEND or self.is_marked_by_person)):
            return True
        was_listed = self.known.unlisted_since is None
        has_changed = self.known.document != self.document or self.is_listed is not was_listed
        return has_changed and self.known.state in OURS_TO_SEND | SENT

    def unlisted_since(self, now: datetime) -> datetime | None:
        """Return the value of ``Order.unlisted_since``."""
        if self.is_listed or self.is_shipped:
            return None
        return (self.known.unlisted_since if self.known else None) or now


def look_up(poll: Poll, known: KnownOrder) -> Listed:
    """Read one order that the list of unshipped orders doesn't name. Raises ServiceError."""
    return replace(listed(poll.bigcartel.order(known.number), known), is_listed=False)


def listed(document: Document, known: KnownOrder | None) -> Listed:
    was_listed = known is None or known.unlisted_since is None
    return Listed(read_order(document), as_stored(document), known, was_listed)


@dataclass(slots=True)
class Listing:
    """A list that was read: each order once, by number."""

    orders: dict[str, Listed] = field(default_factory=dict)
    nameless: int = 0
    """Orders without a number."""
    is_whole: bool = True
    """False if reading stopped early because nothing had changed."""

    def latest_change(self, now: datetime) -> datetime | None:
        """Return the latest change, ignoring impossible times: a cursor in the future would hide every later change."""
        times = (one.order.updated_at for one in self.orders.values() if one.order.updated_at)
        return max((time for time in times if EARLIEST < time < now + MAX_CLOCK_SKEW), default=None)

    def count_since(self, start: datetime) -> int:
        return sum(1 for one in self.orders.values() if one.order.updated_at and one.order.updated_at >= start)


def read_unshipped(poll: Poll) -> Listing:
    """Read every unshipped order, oldest first: new orders are added at the end and don't shift pages.

    If the list keeps changing while we read it, everything we saw counts. Raises ServiceError.
    """
    seen = Listing()
    for _ in range(MAX_READS):
        listing = Listing()
        is_whole = _read_list(poll, None, partial(_add, poll, listing))
        seen.orders |= listing.orders
        seen.nameless = max(seen.nameless, listing.nameless)
        if is_whole:
            seen = listing
            break
    seen.orders = {number: replace(one, is_listed=True) for number, one in seen.orders.items()}
    return seen


def read_updated(poll: Poll, cursor: datetime) -> Listing:
    """Read every order updated since the cursor (minus an overlap), newest first, whatever its shipping status.

    Stops after the first page if that page and Big Cartel's count show that nothing has changed since the last poll: an
    idle poll takes one call, even if many orders were last updated at the same time. What has changed is confirmed by
    the list of unshipped orders. Raises ServiceError.
    """
    listing, window_count = Listing(), poll.store.window_count
    for page in updated_pages(poll.bigcartel, cursor):
        is_first = not listing.orders
        added = _add(poll, listing, page)
        poll.context.progress(len(page.orders))
        if is_first and _ends_here(page, added, cursor, window_count):
            listing.is_whole = False
            break
        poll.leave_if_long(page.count)
    _confirm(poll, listing, cursor - OVERLAP)
    return listing


def updated_pages(bigcartel: BigCartel, cursor: datetime) -> Iterator[OrderPage]:
    """Yield the pages of all orders updated since the cursor (minus an overlap), newest first. Raises ServiceError."""
    return bigcartel.order_pages(unshipped_only=False, updated_from=cursor - OVERLAP, sort="-updated_at")


def is_idle(
    page: OrderPage, orders: Sequence[Listed], cursor: datetime, window_count: int | None, now: datetime
) -> bool:
    """Return whether a poll that starts with this page would end with it, and would find nothing to save or confirm."""
    would_end = _ends_here(page, orders, cursor, window_count) and not page.nameless
    return would_end and not any(one.needs_work or _may_be_listed_again(one, now - CONFIRM_FOR) for one in orders)


def _ends_here(page: OrderPage, orders: Sequence[Listed], cursor: datetime, window_count: int | None) -> bool:
    """Return whether the first page and Big Cartel's count show that nothing has changed since the last poll."""
    return page.count is not None and page.count == window_count and _nothing_new(orders, cursor)


def _confirm(poll: Poll, listing: Listing, updated_from: datetime) -> None:
    """Note which of the updated orders the list of unshipped orders names. Read that list only if it matters.

    An order's own status may say unshipped although the order was canceled (help center: canceled orders leave the list
    of unshipped ones). One that the list didn't name is looked for again at every poll for a while, because a list may
    lag behind; after that, at every sweep.
    """
    now = poll.context.clock()
    again_since = None if poll.context.by_person else now - CONFIRM_FOR
    unshipped = [one for one in listing.orders.values() if not one.is_shipped]
    if not any(one.needs_work or _may_be_listed_again(one, again_since) for one in unshipped):
        return
    named: set[str] = set()
    for _ in range(MAX_READS):
        if _read_list(poll, updated_from, lambda page: named.update(number for number, _ in page.orders)):
            break
    for one in unshipped:
        listing.orders[one.order.number] = replace(one, is_listed=one.order.number in named)


def _may_be_listed_again(one: Listed, unlisted_after: datetime | None) -> bool:
    known = one.known
    if known is None or known.unlisted_since is None or known.state not in OURS_TO_SEND | MAY_COME_BACK:
        return False
    return unlisted_after is None or known.unlisted_since > unlisted_after


def _read_list(poll: Poll, updated_from: datetime | None, take: Callable[[OrderPage], object]) -> bool:
    """Read the list of unshipped orders once. Return whether it has as many orders as Big Cartel counted at any point.

    A list that shrinks while it is read skips rows, so it is read again, at most MAX_READS times in all.
    """
    numbers: set[str] = set()
    nameless = counted = 0
    for page in poll.bigcartel.order_pages(unshipped_only=True, updated_from=updated_from, sort="created_at"):
        poll.leave_if_long(page.count)
        take(page)
        numbers.update(number for number, _ in page.orders)
        nameless += page.nameless
        counted = max(counted, page.count or 0)
        poll.context.progress(len(page.orders))
    return len(numbers) + nameless >= counted


def _nothing_new(page: Sequence[Listed], cursor: datetime) -> bool:
    """Return whether a page has nothing new: each change is stored, or the order was shipped before we ever saw it."""
    times = [one.order.updated_at for one in page]
    recorded = all(
        time and (one.known.updated_at == time if one.known else one.is_shipped and time <= cursor)
        for time, one in zip(times, page, strict=True)
    )
    return recorded and all(a >= b for a, b in pairwise(time for time in times if time))


def _add(poll: Poll, listing: Listing, page: OrderPage) -> list[Listed]:
    listing.nameless += page.nameless
    store_id = poll.store.id
    known = known_orders(poll.session, [(store_id, number) for number, _ in page.orders])
    added = [listed(document, known.get((store_id, number))) for number, document in page.orders]
    for one in added:
        listing.orders[one.order.number] = one
    return added


def known_orders(session: Session, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], KnownOrder]:
    """Return what we know about these orders, each given and returned by its store's id and its number. Commits."""
    known = {}
    for some in chunks(wanted):
        numbers: dict[int, list[str]] = {}
        for store_id, number in some:
            numbers.setdefault(store_id, []).append(number)
        theirs = [
            and_(Order.store_id == store_id, Order.number.in_(of_store)) for store_id, of_store in numbers.items()
        ]
        for *columns, store_id in session.execute(select_known().add_columns(Order.store_id).where(or_(*theirs))):
            one = KnownOrder._make(columns)
            known[store_id, one.number] = one
    session.commit()
    return known
