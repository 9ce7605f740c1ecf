"""The products whose fix would release orders on hold: which they are, and their turn to be refetched.

They have a table of their own, so a poll without changes reads no order on hold. It is brought up to date from the
orders on hold that were assessed since the last poll, and from all of them at a sweep and after they were reassessed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, and_, delete, insert, literal_column, select

from portal.fulfillment import products
from portal.fulfillment.rulebook import stored_hold
from portal.models import Order, Product, ProductToFix
from portal.models.base import chunks

if TYPE_CHECKING:
    from collections.abc import Set
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select

    from portal.fulfillment.poll.context import Poll
    from portal.models import StoredHold, StoredLine

COMMITTED_WITHIN = timedelta(minutes=1)
"""Longest time between a change's timestamp and its commit, when others first see it. Also allows for clock skew."""
REMEMBER_EVERY = timedelta(minutes=5)
"""How often a full poll that finds nothing new notes that it has read the orders on hold."""
MAX_REFETCHED_PRODUCTS = 20
"""Products without a usable SKU that one poll refetches; the others get their turn at later polls."""

_table = cast("Table", ProductToFix.__table__)
IS_HELD: ColumnElement[bool] = Order.state == literal_column("'held'")
"""Not a parameter: the databases use an index on held orders only if the query has its condition, word for word."""


def refetch_products_to_fix(poll: Poll, already_read: Set[str], started: datetime) -> None:
    """Refetch the products to fix that were fetched longest ago, except those already read. Commits."""
    _update(poll)
    at_most = MAX_REFETCHED_PRODUCTS
    longest_ago = poll.session.scalars(
        select(ProductToFix.product_id)
        .outerjoin(
            Product, and_(Product.store_id == ProductToFix.store_id, Product.product_id == ProductToFix.product_id)
        )
        .where(ProductToFix.store_id == poll.store.id)
        .order_by(Product.fetched_at.asc().nulls_first(), ProductToFix.product_id)
        .limit(at_most + len(already_read))
    ).all()
    poll.session.commit()
    products.bring_up_to_date(
        poll.session,
        poll.store,
        poll.bigcartel,
        set(longest_ago) - already_read,
        fresh_since=started,
        clock=poll.context.clock,
        at_most=at_most,
    )


def _update(poll: Poll) -> None:
    """Bring the table up to date with the orders on hold. Commits."""
    session, store, now = poll.session, poll.store, poll.context.clock()
    since = None if poll.result.swept or store.held_read_at is None else store.held_read_at - COMMITTED_WITHIN
    needed = _needed(poll, since)
    known = set(session.scalars(select(ProductToFix.product_id).where(ProductToFix.store_id == store.id)))
    if since is None:
        for some in chunks(sorted(known - needed)):
            session.execute(delete(_table).where(_table.c.store_id == store.id, _table.c.product_id.in_(some)))
    if new := needed - known:
        session.execute(insert(_table), [{"store_id": store.id, "product_id": product_id} for product_id in new])
    if since is None or needed or now - since > REMEMBER_EVERY:
        # Usually writes nothing: reading a little more the next time costs less.
        store.held_read_at = now
    session.commit()


def held_since(store_id: int, since: datetime | None) -> Select[list[StoredHold], list[StoredLine]]:
    """Select the holds and lines of the store's orders on hold that were assessed after ``since``, or of all."""
    query = select(Order.holds, Order.lines).where(Order.store_id == store_id, IS_HELD)
    return query if since is None else query.where(Order.assessed_at > since)


def _needed(poll: Poll, since: datetime | None) -> set[str]:
    """Return the products without a usable SKU in orders held for a reason that depends on a product."""
    return {
        line["product_id"]
        for holds, lines in poll.session.execute(held_since(poll.store.id, since))
        if any(stored_hold(hold).reason.row.depends_on_product for hold in holds)
        for line in lines
        if line["product_id"] and not line["sku"]
    }
