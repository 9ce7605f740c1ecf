"""The product cache: products as Big Cartel has them, refetched if missing, stale or without a SKU."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.clients.errors import NotFound, NotSent, ServiceError, Unauthorized
from portal.engine.leases import LeaseKind, leased
from portal.fulfillment.clients import BlockedError, bigcartel_for, token_rejected, why_not_connected
from portal.fulfillment.product_facts import rows_of_products
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.sku_verdicts import count_skus, judge, judge_outdated, note_change
from portal.logs.work import found, working_on
from portal.models import Product, Store
from portal.rules.sku import option_text, read_sku
from portal.rules.time_zones import find_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.bigcartel import BigCartel, BigCartelOrder, BigCartelProduct
    from portal.rules.assessment import ProductFacts

log = logging.getLogger(__name__)

REFRESH_EVERY = timedelta(hours=1)
RETRY_AFTER = timedelta(minutes=5)
LIST_PAGE = 50
MAX_SINGLE_FETCHES = 5
"""Up to this many products are fetched one by one, even if reading the whole list takes fewer calls."""
MAX_FETCH_TIME = timedelta(minutes=3)
"""How long one poll goes on fetching single products: calls that time out would otherwise outlast the job."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def ids_in(order: BigCartelOrder) -> set[str]:
    return {item.product_id for item in order.items if item.product_id}


def bring_up_to_date(
    session: Session,
    store: Store,
    bigcartel: BigCartel,
    ids: Collection[str],
    *,
    fresh_since: datetime,
    clock: Callable[[], datetime],
    at_most: int | None = None,
) -> None:
    """Fetch the products that are missing, were fetched before ``fresh_since``, or have no SKU.

    ``at_most`` limits how many are fetched; those fetched longest ago come first. A product that can't be read is left
    for the next poll and holds only its own orders. Raises NotSent (or Throttled) if further calls are pointless, and
    any ServiceError from reading the list. Commits.
    """
    known = {product.product_id: product for product in rows_of_products(session, store.id, ids)}
    wanted = [
        product_id
        for product_id in sorted(ids)
        if (product := known.get(product_id)) is None or product.fetched_at < fresh_since or _has_no_sku(product)
    ]
    wanted.sort(key=lambda product_id: known[product_id].fetched_at if product_id in known else _NEVER)
    wanted = wanted[:at_most]
    list_is_cheaper = len(wanted) > max(MAX_SINGLE_FETCHES, _pages(session, store.id))
    session.commit()
    if list_is_cheaper:
        refresh_all(session, store, bigcartel, clock=clock, progress=lambda _: None)
        seen = {
            product.product_id
            for product in rows_of_products(session, store.id, wanted)
            if product.fetched_at >= fresh_since
        }
        wanted = [product_id for product_id in wanted if product_id not in seen]
        session.commit()
    until, changed_at = clock() + MAX_FETCH_TIME, store.products_changed_at
    for product_id in wanted:
        if clock() >= until:
            break
        _fetch(session, store, bigcartel, product_id, clock)
    if store.products_changed_at != changed_at:
        count_skus(session, store)
        session.commit()


def ids_without_override(order: BigCartelOrder, known: Mapping[str, ProductFacts]) -> set[str]:
    """Return the products that decide the SKU of an item: no override says all of it, the option's name included."""
    found = set()
    for item in order.items:
        facts = known.get(item.product_id) if item.product_id else None
        has_override = facts is not None and (
            facts.option_overrides.get(item.option_id or "") or (facts.override and not option_text(item.option_name))
        )
        if item.product_id and not has_override:
            found.add(item.product_id)
    return found


def fetched_since(session: Session, store_id: int, ids: Collection[str], since: datetime) -> set[str]:
    """Return those of these products that have been fetched since then."""
    return {product.product_id for product in rows_of_products(session, store_id, ids) if product.fetched_at >= since}


def refresh_all(
    session: Session,
    store: Store,
    bigcartel: BigCartel,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[int], None],
) -> int:
    """Read the whole product list into the cache. Return the number of products. Raises ServiceError. Commits."""
    count, started = 0, clock()
    for page in bigcartel.product_pages():
        _save(session, store, page, clock())
        session.commit()
        count += len(page)
        progress(len(page))
    for product_id in _not_listed(session, store.id, started):
        _fetch(session, store, bigcartel, product_id, clock)
    store.products_refreshed_at = clock()
    judge_outdated(session, store)
    return count


def refresh_products(session: Session, store_id: int, settings: Settings, context: RunContext = ON_SCHEDULE) -> str:
    """Read the store's whole product list. Return the problem as a sentence, "" for none. Raises LeaseTakenError."""
    # One reader per store: two at once would both insert the same orders and products.
    announce = context.announce_wait("syncing this store")
    with (
        working_on(store=store_id),
        leased(session, LeaseKind.READ.of(store_id), wait=context.lease_wait, waiting=announce),
    ):
        store = session.get_one(Store, store_id, populate_existing=True)
        found(merchant=store.merchant_id)
        if not store.is_connected:
            return why_not_connected(store)
        is_account_due = _is_account_due(store, context.clock())
        session.commit()
        sealed_token = store.sealed_token
        try:
            bigcartel = bigcartel_for(store, settings)
            refresh_all(session, store, bigcartel, clock=context.clock, progress=context.progress)
        except (ServiceError, BlockedError) as error:
            session.rollback()
            store.products_refreshed_at = context.clock() - REFRESH_EVERY + RETRY_AFTER
            if isinstance(error, Unauthorized):
                token_rejected(session, store, sealed_token, context.clock())
            session.commit()
            log.warning("products.not_refreshed", extra={"store": store_id, "error": str(error)})
            return str(error)
        if is_account_due:
            read_account(session, store, settings)
    return ""


def _is_account_due(store: Store, now: datetime) -> bool:
    """Return whether to read the account with the products: while anything is missing, and once a day (UTC)."""
    last = store.products_refreshed_at
    return not (store.name and store.time_zone) or last is None or last.date() != now.date()


def read_account(session: Session, store: Store, settings: Settings) -> None:
    """Save the store's name, URL and time zone from Big Cartel. If the call fails, they stay unchanged. Commits."""
    session.commit()
    try:
        account = bigcartel_for(store, settings, interactive=True).account()
    except (ServiceError, BlockedError) as error:
        log.warning("store.name_not_read", extra={"store": store.id, "error": str(error)})
        return
    store.name, store.url = account.name or store.name, account.url or store.url
    if account.time_zone not in {"", store.time_zone}:
        store.time_zone = account.time_zone
        if find_zone(account.time_zone) is None:
            log.warning("store.time_zone_unknown", extra={"store": store.id, "time_zone": account.time_zone})
    session.commit()


def _not_listed(session: Session, store_id: int, since: datetime) -> Sequence[str]:
    """Return products missing from the list. They were probably deleted, but only fetching each one proves it."""
    found = session.scalars(
        select(Product.product_id)
        .where(Product.store_id == store_id, Product.fetched_at < since, Product.gone.is_(False))
        .order_by(Product.fetched_at)
        .limit(LIST_PAGE)
    ).all()
    session.commit()
    return found


def _fetch(
    session: Session, store: Store, bigcartel: BigCartel, product_id: str, clock: Callable[[], datetime]
) -> None:
    try:
        product = bigcartel.product(product_id)
    except NotFound:
        _save_deleted(session, store, product_id, clock())
    except NotSent:
        raise
    except ServiceError as error:
        # We have just read a list with the same token, so even a rejection concerns only this product.
        log.warning("product.not_read", extra={"store": store.id, "product": product_id, "error": str(error)})
        return
    else:
        _save(session, store, [product], clock())
    session.commit()


def _save(session: Session, store: Store, fetched: Iterable[BigCartelProduct], now: datetime) -> None:
    by_id = {product.id: product for product in fetched}
    rows = {row.product_id: row for row in rows_of_products(session, store.id, by_id.keys())}
    changed = set()
    for product_id, product in by_id.items():
        row = rows.get(product_id)
        if row is None:
            row = Product(store_id=store.id, product_id=product_id)
            session.add(row)
        is_renamed = row.name != product.name
        if _update(row, product):
            note_change(store, now)
            changed.add(product_id)
        elif is_renamed:
            changed.add(product_id)
        row.fetched_at = now
    judge(session, store.id, changed, changed_at=now)


def _update(row: Product, product: BigCartelProduct) -> bool:
    """Update the row. Return whether anything changed that may change a SKU."""
    values: dict[str, object] = {
        "description": product.description,
        "options": [{"id": option.id, "name": option.name} for option in product.options],
        "gone": False,
    }
    changed = any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    row.name, row.permalink, row.url, row.status = (
        product.name,
        product.permalink,
        product.url,
        product.status,
    )
    return changed


def _save_deleted(session: Session, store: Store, product_id: str, now: datetime) -> None:
    row = next(iter(rows_of_products(session, store.id, [product_id])), None)
    if row is None:
        row = Product(store_id=store.id, product_id=product_id)
        session.add(row)
    if not row.gone:
        row.gone = True
        note_change(store, now)
        row.fetched_at = now
        judge(session, store.id, [product_id])
    row.fetched_at = now


def _has_no_sku(product: Product) -> bool:
    sku, problems = read_sku(product.description)
    return product.gone or not sku or any(problem.stops for problem in problems)


def _pages(session: Session, store_id: int) -> int:
    count = session.scalar(select(func.count()).where(Product.store_id == store_id)) or 0
    return -(-count // LIST_PAGE)
