"""SKUs that changed because somebody edited their products in Big Cartel are shown above the list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.clients.bigcartel import BigCartelProduct, Option
from portal.clock import utc_now
from portal.extensions import db
from portal.fulfillment import products
from portal.fulfillment.purge import purge
from portal.models import Order, OrderState, SkuDrift, Store
from tests.views.conftest import World, get, post, read
from tests.views.counting import statements
from tests.views.page import text, text_in
from tests.views.products.products_world import URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

SECTION = "section[aria-labelledby=sku-changes]"


def _product(product_id: str, description: str, *options: str, ids: tuple[str, ...] = ()) -> BigCartelProduct:
    named = zip(ids or options, options, strict=True)
    return BigCartelProduct(
        id=product_id, name=f"Product {product_id}", permalink="", url="", status="active", description=description,
        options=tuple(Option(f"{product_id}-{option_id}", name) for option_id, name in named),
    )  # fmt: skip


def _sync(app: Flask, store_id: int, *fetched: BigCartelProduct, at: datetime | None = None) -> list[str]:
    """Save the products as a sync does, and return the statements that it took."""
    with app.app_context():
        store = db.session.get_one(Store, store_id)
        with statements(app) as ran:
            products._save(db.session(), store, fetched, at or utc_now())
            db.session.commit()
        store.products_refreshed_at = utc_now()
        db.session.commit()
    return ran


def _drifts(app: Flask) -> list[tuple[str, str, str, str]]:
    with app.app_context():
        found = db.session.scalars(select(SkuDrift).order_by(SkuDrift.id))
        return [(one.option_id, one.option, one.old_sku, one.new_sku) for one in found]


def _order(app: Flask, store_id: int, number: str, *lines: tuple[str, str | None, str, int], **more: Any) -> None:
    items: list[dict[str, Any]] = [
        {
            "item_id": str(n), "name": "x", "option": "", "option_id": option_id, "product_id": product_id, "sku": sku,
            "quantity": quantity, "source": "description", "left_out": False, "problems": [],
        }
        for n, (product_id, option_id, sku, quantity) in enumerate(lines)
    ]  # fmt: skip
    values = {"first_seen_at": utc_now(), "merchant_id": 816} | more
    with app.app_context():
        db.session.add(
            Order(
                store_id=store_id, number=number, state=OrderState.CLOSED, state_changed_at=utc_now(), document="{}",
                lines=items, **values,
            )
        )  # fmt: skip
        db.session.commit()


SHIRT = _product("201", "Soft. SKU:SHIRT-", "SMALL", "MEDIUM", "LARGE")
TEE = _product("201", "Soft. SKU:TSHIRT-", "SMALL", "MEDIUM", "LARGE")


def test_changed_skus_are_grouped_with_how_often_they_were_sold(app: Flask, world: World, client_of: ClientOf) -> None:
    store_id, client = world.store_id, client_of(world.owner)
    _sync(app, store_id, SHIRT, _product("202", "SKU:LAMP", "Default"), _product("203", "SKU:VASE", "Default"))
    assert not get(client, URL).select(SECTION)
    at = utc_now() - timedelta(days=4)
    _sync(app, store_id, TEE, _product("202", "No more", "Default"), at=at)
    _order(app, store_id, "FERN-1", ("201", "201-SMALL", "SHIRT-SMALL", 2), ("201", "201-LARGE", "TSHIRT-LARGE", 3))
    _order(app, store_id, "FERN-2", ("201", None, "SHIRT-SMALL", 36), ("203", "203-Default", "VASE", 5))
    _order(app, store_id, "FERN-3", ("201", None, "SHIRT-SMALL", 50), first_seen_at=utc_now() - timedelta(days=31))
    _order(app, world.other_store_id, "OTHER", ("201", None, "SHIRT-SMALL", 70), merchant_id=900)

    page = get(client, URL)

    said = [text(one) for one in page.select(f"{SECTION} li")]
    day = f"{at:%Y-%m-%d}"
    assert sorted(said) == [
        f"Product 201: SHIRT- became TSHIRT- on {day} · 3 options · sold 41 times in the last 30 days",
        f"Product 202: LAMP has been missing since {day} · not sold in the last 30 days",
    ]
    assert sorted(str(link["href"]) for link in page.select(f"{SECTION} a")) == [
        f"{URL}/{store_id}/{product_id}" for product_id in ("201", "202")
    ]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (SHIRT, SHIRT),
        (_product("201", "No SKU", "S"), _product("201", "SKU:X-", "S")),
        (_product("201", "SKU:X-", "S"), _product("201", "SKU:X-", "S", "M")),
        (_product("201", "SKU:X-", "S", "M"), _product("201", "SKU:X-", "S")),
        (_product("201", "Soft. SKU:X-", "S"), _product("201", "Warm. SKU:X-", "S")),
    ],
    ids=["same", "was missing", "new option", "lost option", "other text"],
)
def test_what_is_no_drift_is_not_kept(
    app: Flask, world: World, first: BigCartelProduct, then: BigCartelProduct
) -> None:
    _sync(app, world.store_id, first)
    _sync(app, world.store_id, then)
    assert _drifts(app) == []


def test_renamed_option_and_lost_sku_are_kept(app: Flask, world: World) -> None:
    _sync(app, world.store_id, _product("201", "SKU:X-", "XS", "M", ids=("1", "2")))
    _sync(app, world.store_id, _product("201", "SKU:X-", "S", "M", ids=("1", "2")))
    assert _drifts(app) == [("201-1", "", "X-XS", "X-S")]
    _sync(app, world.store_id, _product("201", "sku: X-", "S", "M", ids=("1", "2")))
    assert _drifts(app)[1:] == [("201-1", "S", "X-S", ""), ("201-2", "M", "X-M", "")]


def test_change_that_is_over_is_not_shown(app: Flask, world: World, client_of: ClientOf) -> None:
    client = client_of(world.owner)
    for one in (SHIRT, TEE, SHIRT):
        _sync(app, world.store_id, one)
    assert len(_drifts(app)) == 6
    assert not get(client, URL).select(SECTION), "it is as it was"
    _sync(app, world.store_id, TEE)
    assert "SHIRT- became TSHIRT-" in text_in(get(client, URL), SECTION)
    read(post(client, f"{URL}/{world.store_id}/201", whole_product="SHIRT-"))
    assert not get(client, URL).select(SECTION), "somebody has set the SKU by hand since then"
    assert len(_drifts(app)) == 9, "that is no drift"


def test_old_changes_are_not_shown_and_then_deleted(app: Flask, world: World, client_of: ClientOf) -> None:
    _sync(app, world.store_id, SHIRT)
    _sync(app, world.store_id, TEE, at=utc_now() - timedelta(days=15))
    assert not get(client_of(world.owner), URL).select(SECTION)
    for days, left in ((16, 3), (14, 0)):
        with app.app_context():
            list(purge(db.session(), days=days, now=utc_now()))
        assert len(_drifts(app)) == left


def test_sync_and_page_take_few_statements_more(app: Flask, world: World, client_of: ClientOf) -> None:
    def shop(sku: str) -> list[BigCartelProduct]:
        return [_product(str(n), f"SKU:{sku}-{n}-", "S", "M") for n in range(50)]

    _sync(app, world.store_id, *shop("A"))
    with app.app_context():
        db.session.query(SkuDrift).delete()
        db.session.commit()
    usual = len(_sync(app, world.store_id, *(_product(one.id, f"x {one.description}", "S", "M") for one in shop("A"))))
    assert len(_sync(app, world.store_id, *shop("B"))) == usual + 1
    assert len(_drifts(app)) == 100
    for number in range(30):
        _order(app, world.store_id, f"FERN-{number}", *((str(n), f"{n}-S", "", 1) for n in range(50)))
    client = client_of(world.owner)
    page = get(client, URL)
    assert len(page.select(f"{SECTION} li")) == 10
    with statements(app) as ran:
        get(client, URL)
    assert len(ran) < 15, "\n".join(one[:150].replace("\n", " ") + one[-150:].replace("\n", " ") for one in ran)
