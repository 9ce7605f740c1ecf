"""Reading a store's orders: new ones get a row, held ones another look, those settled elsewhere are closed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.clients.bigcartel import read_stored
from portal.clients.errors import Refused
from portal.fulfillment import products
from portal.fulfillment.poll.lookup import OURS_TO_SEND, closed_columns, look_up_vanished
from portal.fulfillment.poll.read import OVERLAP, Listed, Listing, read_unshipped, read_updated
from portal.fulfillment.rulebook import Rulebook, assessed_columns, rules_version, stored_hold
from portal.models import Order, OrderState
from portal.models.states import move

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartel, BigCartelOrder
    from portal.models import Store

log = logging.getLogger(__name__)

SWEEP_EVERY = timedelta(hours=1)
PRODUCT_IS_FRESH = timedelta(minutes=5)
PRODUCTS_AGAIN = 20
"""Products without a usable SKU that one poll fetches again; the others take their turn at the next."""
COMMITTED_WITHIN = timedelta(minutes=1)
"""A change is written down with its time, and seen by others only once it is committed; clocks differ a little, too."""
IN_CHUNK = 500

MAY_COME_BACK = frozenset({OrderState.UNCONFIRMED, OrderState.SUBMITTED})
"""The warehouse may turn out not to have them: what changes in Big Cartel meanwhile is kept for that case."""
_orders = cast("Table", Order.__table__)


@dataclass(slots=True)
class Polled:
    """What one poll found, as numbers of orders."""

    read: int = 0
    new: int = 0
    held: int = 0
    """New ones that are held."""
    released: int = 0
    """Held before, ready now."""
    closed: int = 0
    swept: bool = False
    nameless: int = 0
    """Orders in Big Cartel's answer without a number: nobody could tell them apart, so they cannot be taken."""
    unshipped_and_paid: list[str] = field(default_factory=list)
    """The numbers, after a full sweep."""


def poll(
    session: Session,
    store: Store,
    shop: BigCartel,
    *,
    clock: Callable[[], datetime],
    fresh_since: datetime | None = None,
    progress: Callable[[int], None],
) -> Polled:
    """One poll: a full sweep of the unshipped orders when one is due (first, then hourly), else what was updated since.

    All pages are read before anything is done with them. Products fetched before ``fresh_since`` (five minutes ago
    unless given) are fetched anew for the orders that need them. ``progress`` is called with the number of orders on
    each page. Raises ServiceError: what was committed until then stands, and the cursor has not moved. Commits.
    """
    started = clock()
    listing, swept = _read(session, store, shop, started, progress)
    polled = Polled(read=len(listing.orders), nameless=listing.nameless, swept=swept)
    if listing.nameless:
        log.error("intake.nameless_orders", extra={"store": store.id, "orders": listing.nameless})
    listed = list(listing.orders.values())
    vanished: list[Listed] = []
    if swept:
        vanished, polled.closed = look_up_vanished(session, store, shop, listing, clock)
        polled.unshipped_and_paid = [
            one.order.number for one in (*listed, *vanished) if _is_unshipped_and_paid(one.order)
        ]
    # A closer look also ends the turn of what has vanished and is as it was.
    changed = [one for one in listed if _needs_work(one)]
    changed += (one for one in vanished if _needs_work(one) or (one.row is not None and one.row.state in OURS_TO_SEND))
    wanted = {product_id for one in changed for product_id in products.ids_in(one.order)}
    fresh_since = fresh_since or started - PRODUCT_IS_FRESH
    products.bring_up_to_date(session, store, shop, wanted, fresh_since=fresh_since, clock=clock)
    products.bring_up_to_date(
        session,
        store,
        shop,
        _may_be_mended(session, store) - wanted,
        fresh_since=started,
        clock=clock,
        at_most=PRODUCTS_AGAIN,
    )
    _take_in(session, store, changed, polled, clock())
    _look_at_held_again(session, store, polled, clock)
    _remember(session, store, listing, started, swept=swept, now=clock())
    session.commit()
    return polled


def _read(
    session: Session, store: Store, shop: BigCartel, now: datetime, progress: Callable[[int], None]
) -> tuple[Listing, bool]:
    sweep_is_due = store.last_swept_at is None or now - store.last_swept_at >= SWEEP_EVERY
    if store.cursor is not None and not sweep_is_due:
        try:
            return read_updated(session, store, shop, store.cursor, progress), False
        except Refused as error:
            log.warning("intake.updates_refused", extra={"store": store.id, "error": str(error)})
    return read_unshipped(session, store, shop, progress), True


def _needs_work(one: Listed) -> bool:
    if one.row is None:
        return one.order.shipping_status != "shipped"
    has_changed = one.row.document != one.document
    if one.order.shipping_status == "shipped" and (one.row.state in OURS_TO_SEND or _was_told_by_hand(one)):
        return True
    return has_changed and one.row.state in OURS_TO_SEND | MAY_COME_BACK


def _was_told_by_hand(one: Listed) -> bool:
    """Whether a person has set an order to shipped of which we could not tell Big Cartel for 72 hours."""
    return (
        one.row is not None
        and one.order.shipping_status == "shipped"
        and one.row.state is OrderState.SHIPPED
        and one.row.next_attempt_at is None
    )


def _is_unshipped_and_paid(order: BigCartelOrder) -> bool:
    return order.shipping_status != "shipped" and order.payment_status == "completed"


def _may_be_mended(session: Session, store: Store) -> set[str]:
    """The products without a usable SKU of orders that are held for a reason that a change of the product may mend."""
    rows = session.execute(
        select(Order.holds, Order.lines).where(Order.store_id == store.id, Order.state == OrderState.HELD)
    )
    return {
        line["product_id"]
        for holds, lines in rows
        if any(stored_hold(hold).reason.row.depends_on_product for hold in holds)
        for line in lines
        if line["product_id"] and not line["sku"]
    }


def _take_in(session: Session, store: Store, changed: Sequence[Listed], polled: Polled, now: datetime) -> None:
    book = Rulebook(session)
    book.learn([(store.id, one.order) for one in changed])
    new, work = [], []
    for one in changed:
        released = one.row is not None and one.row.released
        assessment = book.assess(store.id, one.order, released=released)
        columns = assessed_columns(assessment, now) | {
            "document": one.document,
            "placed_at": one.order.placed_at,
            "updated_at": one.order.updated_at,
        }
        to = OrderState.HELD if assessment.holds else OrderState.READY
        if one.row is None:
            new.append(_new_row(store, one.order.number, to, columns, now))
            polled.held += to is OrderState.HELD
        elif one.row.state in MAY_COME_BACK:
            kept = {"id": one.row.id, "document": one.document, "updated_at": one.order.updated_at}
            work.append(_Change(one.row.state, one.row.state, kept))
        elif _was_told_by_hand(one):
            told = {"id": one.row.id, "document": one.document, "completed_at": now}
            work.append(_Change(OrderState.SHIPPED, OrderState.COMPLETED, told))
        elif one.order.shipping_status == "shipped":
            closing = {"id": one.row.id, "document": one.document, **closed_columns("Set to shipped in Big Cartel.")}
            work.append(_Change(one.row.state, OrderState.CLOSED, closing))
        else:
            work.append(_Change(one.row.state, to, {"id": one.row.id, **columns}))
    polled.new += _insert(session, new)
    _apply(session, work, polled, now)
    session.commit()


@dataclass(frozen=True, slots=True)
class _Change:
    """What a new look at an order asks for: columns to set, and the state that it should be in."""

    frm: OrderState
    to: OrderState
    columns: dict[str, Any]


def _apply(session: Session, changes: Sequence[_Change], polled: Polled, now: datetime) -> None:
    """Rewrite what stays, move what moves. A refused order stays refused until a person asks: only its data follow."""
    grouped: dict[tuple[OrderState, OrderState], list[dict[str, Any]]] = {}
    for change in changes:
        stays = change.frm is OrderState.REJECTED and change.to is not OrderState.CLOSED
        to = change.frm if stays else change.to
        grouped.setdefault((change.frm, to), []).append(change.columns)
    for (frm, to), rows in grouped.items():
        if frm is to:
            _rewrite(session, rows, frm)
        elif to is OrderState.READY:
            due = {"next_attempt_at": now, "failures": 0, "first_failed_at": None}
            polled.released += move(session, [row | due for row in rows], frm=frm, to=to, now=now)
        elif to is OrderState.CLOSED:
            polled.closed += move(session, rows, frm=frm, to=to, now=now)
        else:
            move(session, [row | {"next_attempt_at": None} for row in rows], frm=frm, to=to, now=now)


def _rewrite(session: Session, rows: Sequence[dict[str, Any]], state: OrderState) -> None:
    """Set columns of orders that stay in their state, if they are still in it."""
    columns = rows[0].keys() - {"id"}
    statement = (
        update(_orders)
        .where(_orders.c.id == bindparam("the_id"), _orders.c.state == state)
        .values({column: bindparam(f"new_{column}") for column in columns})
    )
    values = [{"the_id": row["id"]} | {f"new_{column}": row[column] for column in columns} for row in rows]
    session.connection().execute(statement, values)


def _new_row(store: Store, number: str, state: OrderState, columns: dict[str, Any], now: datetime) -> dict[str, Any]:
    return (
        columns
        | {
            "merchant_id": store.merchant_id,
            "store_id": store.id,
            "number": number,
            "state": state,
            "state_changed_at": now,
            "first_seen_at": now,
            "next_attempt_at": now if state is OrderState.READY else None,
        }
        | _BLANK
    )


_BLANK: dict[str, Any] = {
    "state_reason": "",
    "released": False,
    "claim": "",
    "failures": 0,
    "fcp_order_id": "",
    "fcp_status": "",
    "shipped_on": "",
    "carrier": "",
    "tracking_numbers": [],
}


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """One row per order and store, whoever comes first: the database says so."""
    if not rows:
        return 0
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(_orders) if dialect == "postgresql" else sqlite.insert(_orders)
    statement = insert.on_conflict_do_nothing(index_elements=["store_id", "number"])
    # Without the option SQLAlchemy does not count rows that it inserts in batches, as it does on PostgreSQL.
    return session.connection().execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount


def _look_at_held_again(session: Session, store: Store, polled: Polled, clock: Callable[[], datetime]) -> None:
    """Assess held orders anew when a product, an override or the merchant's rules changed since their last look."""
    changed_at = max(filter(None, rules_version(session, store.merchant_id))) + COMMITTED_WITHIN
    last_id = 0
    while True:
        rows = session.execute(
            select(Order.id, Order.document, Order.released)
            .where(
                Order.store_id == store.id,
                Order.state == OrderState.HELD,
                or_(Order.assessed_at.is_(None), Order.assessed_at <= changed_at),
                Order.id > last_id,
            )
            .order_by(Order.id)
            .limit(IN_CHUNK)
        ).all()
        if not rows:
            return
        last_id = rows[-1].id
        now = clock()
        orders = [(row, read_stored(row.document)) for row in rows]
        book = Rulebook(session)
        book.learn([(store.id, order) for _, order in orders])
        work = []
        for row, order in orders:
            assessment = book.assess(store.id, order, released=row.released)
            to = OrderState.HELD if assessment.holds else OrderState.READY
            work.append(_Change(OrderState.HELD, to, {"id": row.id, **assessed_columns(assessment, now)}))
        _apply(session, work, polled, now)
        session.commit()


def _remember(
    session: Session, store: Store, listing: Listing, started: datetime, *, swept: bool, now: datetime
) -> None:
    """Where the next poll goes on from, and which orders this one has seen."""
    times = [
        {"the_id": one.row.id, "seen_updated_at": one.order.updated_at}
        for one in listing.orders.values()
        if one.row is not None and one.row.updated_at != one.order.updated_at
    ]
    if times:
        session.connection().execute(
            update(_orders).where(_orders.c.id == bindparam("the_id")).values(updated_at=bindparam("seen_updated_at")),
            times,
        )
    latest = listing.latest_change(now) if listing.is_whole else None
    if latest is not None and (store.cursor is None or latest >= store.cursor):
        store.cursor = latest
        store.window_count = listing.count_since(latest - OVERLAP)
    store.last_polled_at = now
    if swept:
        store.last_swept_at = started
    store.poll_failures = 0
    store.poll_error = ""
