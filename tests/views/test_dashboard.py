"""The dashboard: orders that need attention, setup steps, and live updates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

from portal.extensions import db
from portal.models import Merchant, OrderState, Product, SkuOverride, Store
from portal.reports.order_conditions import TO_FIX
from portal.rules.hold_reasons import HoldReason
from tests.views.conftest import get, post
from tests.views.counting import statements
from tests.views.dashboard_world import CONNECT, HERE, LIVE, change, place
from tests.views.orders_world import Orders, put_many
from tests.views.page import one, section, text, text_in

if TYPE_CHECKING:
    from bs4 import Tag
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients


def test_only_the_merchants_team_and_support_see_the_dashboard(world: World, client_of: Clients) -> None:
    poll = f"/m/816/stores/{world.store_id}/poll"
    for url in (HERE, poll):
        get(client_of(world.owner), url)
        get(client_of(world.support), url)
        get(client_of(world.stranger), url, 404)
        assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")
    get(client_of(world.owner), f"/m/816/stores/{world.other_store_id}/poll", 404)
    assert post(client_of(world.stranger), poll).status_code == 404


def test_needs_attention_counts_orders_and_links_to_them(orders: Orders, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    rows = section(get(client, HERE), "needs-attention").select(".need")
    links = [one(row, "a[id^=need-]") for row in rows]
    figures = {str(one(row, "a[id^=need-]")["id"]): int(text_in(row, ".small").split()[0]) for row in rows}
    assert figures == {
        "need-rejected": 1, "need-not-sent": 1, "need-no_sku": 1, "need-no_mapping": 1, "need-local_pickup": 1,
        "need-payment_not_completed": 1,
    }  # fmt: skip
    for link in links:
        assert parse_qs(urlsplit(str(link["href"])).query)["state"]
        shown = text_in(get(client, str(link["href"])))
        expected = {
            "need-rejected": orders.rejected, "need-not-sent": orders.given_up, "need-no_sku": orders.no_sku,
            "need-no_mapping": orders.no_mapping, "need-local_pickup": orders.pickup,
            "need-payment_not_completed": orders.unpaid,
        }[str(link["id"])]  # fmt: skip
        assert expected in shown
    urgent, waiting = section(get(client, HERE), "needs-attention").find_all("ul")
    assert "SKU" in text(urgent)
    assert text_in(waiting, ".need-words a") == "Payment not completed"


def test_needs_attention_lists_orders_the_warehouse_lost(app: Flask, world: World, client_of: Clients) -> None:
    now = datetime.now(UTC)
    place(app, world, now, OrderState.SUBMITTED, 3, fcp_missing_since=now)
    place(app, world, now, OrderState.SHIPPED, 2, next_attempt_at=None)
    needs = section(get(client_of(world.owner), HERE), "needs-attention")
    lost, not_told = (one(needs, f".need:has(#need-{name})") for name in ("lost", "not-told"))
    assert text_in(lost, "#need-lost").startswith("Accepted by the warehouse, but no longer found there")
    assert text_in(lost, ".small") == "3 orders"
    assert text_in(not_told, "#need-not-told").startswith("Shipped, but we couldn't update Big Cartel")
    assert text_in(not_told, ".small") == "2 orders"


def test_needs_attention_says_so_when_empty(world: World, client_of: Clients) -> None:
    assert "Nothing needs attention right now." in text(section(get(client_of(world.owner), HERE), "needs-attention"))


def test_setup_is_shown_until_it_is_complete(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    setup = section(get(client, HERE), "set-up")
    assert "2 of 6 steps complete. Next: Choose carrier services." in text(setup)
    assert one(setup, "a", "Complete setup")["href"] == "/m/816/setup"
    change(app, Merchant, 816, domestic_service="USPS_MEDIA", international_service="EPGEPACKT")
    change(app, Store, world.store_id, live=True)
    assert not get(client, HERE).select("section[aria-labelledby=set-up]")


def test_merchant_without_a_store_is_told_to_connect_one(app: Flask, world: World, client_of: Clients) -> None:
    with app.app_context():
        db.session.delete(db.session.get_one(Store, world.store_id))
        db.session.commit()
    page = get(client_of(world.owner), HERE)
    assert "No store is connected yet" in text(section(page, "sync-status"))
    assert one(page, "#connect-first")["href"] in CONNECT


def put_products(app: Flask, store_id: int) -> None:
    options = [{"id": "a", "name": "SMALL"}, {"id": "b", "name": "LARGE"}]
    with app.app_context():
        for product_id, description, its_options in (
            ("1", "Valid. SKU:MUG", []),
            ("2", "None", []),
            ("3", "Set by hand", []),
            ("4", "One option set by hand", options),
            ("5", "Both options set by hand", options),
            ("6", "Invalid sku:X", []),
        ):
            db.session.add(
                Product(
                    store_id=store_id, product_id=product_id, description=description, options=its_options,
                    fetched_at=datetime.now(UTC),
                )
            )  # fmt: skip
        for product_id, option_id in (("3", ""), ("4", "a"), ("5", "a"), ("5", "b")):
            db.session.add(
                SkuOverride(
                    store_id=store_id, product_id=product_id, option_id=option_id, sku=f"S{option_id}", set_by="x",
                    set_at=datetime.now(UTC),
                )
            )  # fmt: skip
        db.session.commit()


def test_products_with_a_missing_or_invalid_sku_need_attention(app: Flask, world: World, client_of: Clients) -> None:
    put_products(app, world.store_id)
    change(app, Merchant, 816, domestic_service="USPS_MEDIA", international_service="EPGEPACKT")
    change(app, Store, world.store_id, live=True, products_refreshed_at=datetime.now(UTC))
    needs = section(get(client_of(world.owner), HERE), "needs-attention")
    assert text_in(needs, "#need-products") == "3 products have a missing or invalid SKU"
    assert one(needs, "#fix-products")["href"] == "/m/816/products?problems=y"
    change(app, Merchant, 816, ignore_items_without_sku=True)
    needs = section(get(client_of(world.owner), HERE), "needs-attention")
    assert text_in(needs, "#need-products") == "1 product has a missing or invalid SKU"


def test_live_part_is_served_alone_at_the_same_address(orders: Orders, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    live = one(get(client, HERE), "#live")
    assert (live["hx-get"], live["hx-trigger"]) == (HERE, "every 10s")
    piece = client.get(HERE, headers=LIVE).get_data(as_text=True)
    assert "need-rejected" in piece
    assert "<html" not in piece
    assert "chart" not in piece.replace("chart-", "")
    links = [link["id"] for link in live.find_all("a")]
    assert [link["id"] for link in BeautifulSoup(piece, "html.parser").find_all("a")] == links


@pytest.mark.parametrize("reason", TO_FIX)
def test_every_hold_the_merchant_can_fix_needs_attention(
    app: Flask, world: World, client_of: Clients, reason: str
) -> None:
    place(app, world, datetime.now(UTC), OrderState.HELD, holds=[{"reason": reason, "detail": 'a "b" %_'}])
    needs = section(get(client_of(world.owner), HERE), "needs-attention")
    assert text_in(needs, ".need-words a") == HoldReason(reason).row.label
    assert text_in(needs, ".need .small") == "1 order on hold"
    assert needs.find("details") is None


def test_query_count_does_not_grow_with_orders(app: Flask, orders: Orders, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    get(client, HERE)  # judges the products, which no sync has read
    with statements(app) as few:
        get(client, HERE)
    put_many(app, world, 2000, state=OrderState.HELD)
    with statements(app) as many:
        get(client, HERE)
    assert len(many) == len(few) <= 18
    with statements(app) as live:
        client.get(HERE, headers=LIVE)
    assert len(live) <= 12


def test_open_orders_and_todays_add_up_and_link_to_what_they_count(
    app: Flask, orders: Orders, world: World, client_of: Clients
) -> None:
    now = datetime.now(UTC)
    place(app, world, now, OrderState.REJECTED, 2)
    place(app, world, now, OrderState.COMPLETED, 3, document="", purged_at=now)
    client = client_of(world.owner)
    flow = section(get(client, HERE), "order-flow")
    assert len(flow.select(".tile")) >= 6
    for tile in flow.select(".tile"):
        assert f" {text_in(tile, '.figure')} orders match" in _matches(client, tile)
    total = one(flow, "#placed-today")
    assert f" {text(total).split()[0]} orders match" in _matches(client, total)
    parts = flow.select(".today-parts a")
    assert {"2 rejected", "3 complete"} <= {text(part) for part in parts}
    assert sum(int(text(part).split()[0]) for part in parts) == int(text(total).split()[0])
    for part in parts:
        assert f" {text(part).split()[0]} orders match" in _matches(client, part)


def _matches(client: FlaskClient, link: Tag) -> str:
    shown = text_in(get(client, str(link["href"])))
    return shown.replace(" 1 order matches", " 1 orders match").replace("No orders match", " 0 orders match")
