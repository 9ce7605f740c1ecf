"""Store what the SKUs of a store's products come to, so that no page has to parse descriptions to count or sort them.

A verdict is written with the change that it follows from. What was changed by an older version, or judged by older
rules, is judged again when the product list is read, once an hour; a page judges what has no verdict yet.

Locks are taken in this order: the store's row, its products by id, their verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.fulfillment.product_facts import facts_of
from portal.models import OptionSku, Product, SkuDrift, SkuVerdict, Store
from portal.models.base import IN_CHUNK, chunks
from portal.rules.sku_findings import RULES, Level, verdict_of
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from portal.rules.sku_findings import Verdict

_NOT_ON_SALE = frozenset({"hidden", "sold_out", "coming_soon"})
"""Statuses in which nobody can order a product. One that we don't know counts as on sale."""
_verdicts = cast("Table", SkuVerdict.__table__)
IS_OF_PRODUCT = and_(SkuVerdict.store_id == Product.store_id, SkuVerdict.product_id == Product.product_id)
IS_OUTDATED = or_(SkuVerdict.rules.is_(None), SkuVerdict.rules < RULES)
"""Whether a product, outer-joined with its verdict, has none by today's rules."""


def note_change(store: Store, now: datetime) -> None:
    """Record that products or overrides change now, and that their verdicts do in the same transaction.

    After a change by an older version, which knows no verdicts, the times differ until all products are judged again.
    """
    if store.skus_judged_for == store.products_changed_at:
        store.skus_judged_for = now
    store.products_changed_at = now


def judge(session: Session, store_id: int, ids: Collection[str], *, changed_at: datetime | None = None) -> None:
    """Derive and store the verdicts of these products, at most IN_CHUNK. Call count_skus() after it.

    ``changed_at`` is when Big Cartel changed them, so that SKUs that drifted are recorded. The caller commits.
    """
    if not ids:
        return
    session.flush()
    # A change of the same product that isn't committed yet is waited for, so that the last verdict knows all changes.
    locked = select(Product).where(Product.store_id == store_id, Product.product_id.in_(ids)).order_by(Product.id)
    products = session.scalars(locked.with_for_update().execution_options(populate_existing=True)).all()
    if not products:
        return
    verdicts = {product_id: verdict_of(one) for product_id, one in facts_of(session, store_id, products).items()}
    names = {one.product_id: clean(one.name) or f"Product {one.product_id}" for one in products}
    rows = [_as_row(store_id, one, names[one], verdict) for one, verdict in sorted(verdicts.items())]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    upsert = dialect.insert(_verdicts)
    changed = {name: upsert.excluded[name] for name in rows[0] if name not in {"store_id", "product_id"}}
    session.execute(upsert.on_conflict_do_update(index_elements=["store_id", "product_id"], set_=changed), rows)
    replaced = session.execute(
        delete(OptionSku)
        .where(OptionSku.store_id == store_id, OptionSku.product_id.in_(verdicts))
        .returning(OptionSku.product_id, OptionSku.option_id, OptionSku.option, OptionSku.sku),
        execution_options={"synchronize_session": False},
    ).all()
    skus = {
        (product_id, row.option_id): {
            "store_id": store_id,
            "product_id": product_id,
            "option_id": row.option_id,
            "option": row.option,
            "sku": row.sku,
        }
        for product_id, verdict in verdicts.items()
        for row in verdict.rows
        if row.sku
    }
    if skus:
        session.execute(insert(OptionSku), list(skus.values()))
    if changed_at is not None:
        now = {(key, row.option_id): row for key, verdict in verdicts.items() for row in verdict.rows}
        drifted = [
            {
                "store_id": store_id,
                "product_id": product_id,
                "option_id": option_id,
                "option": option if option == row.option else "",
                "old_sku": sku,
                "new_sku": row.sku,
                "at": changed_at,
            }
            for product_id, option_id, option, sku in sorted(replaced)
            if (row := now.get((product_id, option_id))) is not None and row.sku != sku
        ]
        if drifted:
            session.execute(insert(SkuDrift), drifted)


def _as_row(store_id: int, product_id: str, name: str, verdict: Verdict) -> dict[str, object]:
    texts = [name, product_id, *(text for row in verdict.rows for text in (row.sku, row.option))]
    return {
        "store_id": store_id,
        "product_id": product_id,
        "rules": RULES,
        "level": int(verdict.level),
        "level_if_left_out": int(verdict.level_if_left_out),
        "is_without_sku": verdict.is_without_sku,
        "is_forgettable": verdict.is_forgettable,
        "shares_sku": False,
        "name": name,
        "sort_key": name.casefold(),
        "search": "\n".join(texts).casefold(),
    }


def judge_outdated(session: Session, store: Store, *, at_most: int | None = None) -> None:
    """Judge the products that have no verdict by today's rules, at most so many (and up to IN_CHUNK more). Commits.

    Without ``at_most``, products that an older version changed are judged, too.
    """
    done = 0
    while (at_most is None or done < at_most) and (ids := outdated(session, store.id)):
        judge(session, store.id, ids)
        session.commit()
        done += len(ids)
    if at_most is None and store.skus_judged_for != store.products_changed_at:
        known = session.scalars(select(Product.product_id).where(Product.store_id == store.id)).all()
        session.commit()
        for some in chunks(known):
            judge(session, store.id, some)
            session.commit()
        store.skus_judged_for = store.products_changed_at
    count_skus(session, store)
    session.commit()


def outdated(session: Session, store_id: int) -> list[str]:
    """Return up to IN_CHUNK products without a verdict by today's rules."""
    query = (
        select(Product.product_id)
        .outerjoin(SkuVerdict, IS_OF_PRODUCT)
        .where(Product.store_id == store_id, IS_OUTDATED)
        .order_by(Product.id)
        .limit(IN_CHUNK)
    )
    return list(session.scalars(query))


def count_skus(session: Session, store: Store) -> None:
    """Find the SKUs that several options share, and count the products on sale that would hold an order.

    The caller commits. While some products have no verdict yet, the count stays as it was.
    """
    session.flush()
    session.execute(select(Store.id).where(Store.id == store.id).with_for_update())
    theirs = OptionSku.store_id == store.id
    shared = select(OptionSku.sku).where(theirs).group_by(OptionSku.sku).having(func.count() > 1)
    sharing = select(OptionSku.product_id).where(theirs, OptionSku.sku.in_(shared))
    for is_shared in (True, False):
        concerned = SkuVerdict.product_id.in_(sharing) if is_shared else SkuVerdict.product_id.not_in(sharing)
        session.execute(
            update(SkuVerdict)
            .where(SkuVerdict.store_id == store.id, SkuVerdict.shares_sku.is_not(is_shared), concerned)
            .values(shares_sku=is_shared)
            .execution_options(synchronize_session=False)
        )
    if outdated(session, store.id):
        return
    ignore = store.merchant.ignore_items_without_sku
    level = SkuVerdict.level_if_left_out if ignore else SkuVerdict.level
    counts = session.execute(
        select(Product.status, func.count())
        .join(SkuVerdict, IS_OF_PRODUCT)
        .where(Product.store_id == store.id, Product.gone.is_(False), level == int(Level.STOPS))
        .group_by(Product.status)
    )
    store.unusable_skus = sum(count for status, count in counts if not _is_off_sale(status))


def _is_off_sale(status: str) -> bool:
    return status.casefold().replace("-", "_").replace(" ", "_") in _NOT_ON_SALE
