"""The product list: problems first, filters, CSV and product sync."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import event, select

from portal import queue
from portal.clock import utc_now
from portal.engine.leases import LeaseKind
from portal.extensions import db
from portal.models import Lease, Merchant, Order, OrderState, Product, Store
from portal.reports.product_list import problem_counts
from tests.views.conftest import World, get, post, read
from tests.views.page import one, text, text_in
from tests.views.products.products_world import URL, add, names, skus

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def test_problems_come_first_and_an_alert_counts_missing_skus(catalog: World, client_of: ClientOf) -> None:
    page = get(client_of(catalog.owner), URL)
    assert names(page) == ["Badge", "Poster", "Cup", "Mug", "Shirt"]
    assert skus(page) == ["MUG", "MUG", "SHIRT-SMALL", "SHIRT-LARGE"]
    assert "2 products are missing a SKU" in text_in(page, ".alert-danger")
    assert "has “sku:”, but only “SKU:” marks a SKU" in text(page)
    assert "It is also the SKU of Mug." in text(page)
    assert "Secret lamp" not in text(page)


def test_every_product_links_to_where_its_sku_is_fixed(catalog: World, client_of: ClientOf) -> None:
    page = get(client_of(catalog.owner), URL)
    links = {link["href"] for link in page.select("#list a")}
    assert "https://my.bigcartel.com/products/103" in links
    assert text(one(page, "#list .product a[href$='products/103']")).startswith("Fix in Big Cartel: Poster")
    assert f"{URL}/{catalog.store_id}/103" in links


def test_product_without_options_takes_one_row(catalog: World, client_of: ClientOf) -> None:
    page = get(client_of(catalog.owner), URL)
    rows = [len(body.select("tr")) for body in page.select("#list tbody")]
    assert dict(zip(names(page), rows, strict=True)) == {"Badge": 1, "Poster": 1, "Cup": 1, "Mug": 1, "Shirt": 3}
    assert "No options" not in text(page)
    assert [len(row.select("[data-edit]")) for row in page.select("#list .product")] == [1] * 5


def test_problem_is_marked_in_the_description(app: Flask, catalog: World, client_of: ClientOf) -> None:
    add(
        app, catalog.store_id,
        ("107", "Lamp", "SKU:LAMP<p>Made of &lt;script&gt;alert(1)&lt;/script&gt; <b>brass</b></p>", ("Default",)),
        ("108", "Blank", "", ("Default",)),
        ("109", "Vase", "sku: VASE", ("Default",)),
    )  # fmt: skip
    read(post(client_of(catalog.owner), f"{URL}/{catalog.store_id}/109", whole_product="VASE"))
    page = get(client_of(catalog.owner), URL)
    said = {
        name: text(found) if (found := row.select_one(".product-said")) else ""
        for name, row in zip(names(page), page.select("#list .product"), strict=True)
    }
    assert said["Badge"] == "In the description: sku: BADGE"
    assert said["Poster"] == "The description ends with: A poster, 50 x 70 Nothing in it says SKU:"
    assert said["Blank"] == "This product has no description."
    assert said["Shirt"] == said["Vase"] == ""
    marks = [mark.get_text() for mark in page.select("#list mark")]
    assert marks == ["sku:", "Made of <script>alert(1)</script> brass"]
    assert page.select("#list q script, #list q b") == []


def test_list_is_filtered_by_problems_and_search(catalog: World, client_of: ClientOf) -> None:
    client = client_of(catalog.owner)
    assert names(get(client, f"{URL}?problems=y")) == ["Badge", "Poster", "Cup", "Mug"]
    assert names(get(client, f"{URL}?q=shirt-la")) == ["Shirt"]
    assert names(get(client, f"{URL}?q=MUG&problems=y")) == ["Cup", "Mug"]
    nothing = get(client, f"{URL}?q=nowhere")
    assert names(nothing) == []
    assert "No products match." in text(nothing)
    piece = client.get(f"{URL}?q=poster", headers={"HX-Request": "true", "HX-Target": "list"}).get_data(as_text=True)
    assert "<html" not in piece
    assert "Poster" in piece
    assert "Shirt" not in piece


def test_items_without_a_sku_can_be_left_out_by_choice(app: Flask, catalog: World, client_of: ClientOf) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).ignore_items_without_sku = True
        db.session.commit()
        counts = problem_counts(db.session(), db.session.get_one(Store, catalog.store_id))
    assert (counts.products, counts.stopping, counts.without_sku, counts.warnings, counts.left_out) == (
        5,
        1,
        1,
        2,
        1,
    )
    page = get(client_of(catalog.owner), URL)
    assert names(page) == ["Badge", "Cup", "Mug", "Poster", "Shirt"]
    assert "1 product is missing a SKU. Orders are sent without these items, as chosen under Settings." in text(page)


def test_csv_has_the_filtered_products(catalog: World, client_of: ClientOf) -> None:
    page = get(client_of(catalog.owner), f"{URL}?q=shirt")
    address = one(page, "a", "Download CSV")["href"]
    answer = client_of(catalog.owner).get(str(address))
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    common = {
        "store": "account 1000001", "product": "Shirt", "product id": "101", "Big Cartel says": "SKU:SHIRT-",
        "own SKU": "", "own SKU when downloaded": "", "what is wrong": "", "Big Cartel": "https://my.bigcartel.com/products/101",
    }  # fmt: skip
    whole = {"option": "All options", "option id": "", "SKU": "", "SKU from": "", "verdict": ""}
    each = [
        {"option": name, "option id": f"101-{name}", "SKU": f"SHIRT-{name}", "SKU from": "Description", "verdict": "OK"}
        for name in ("SMALL", "LARGE")
    ]
    assert rows == [common | one for one in (whole, *each)]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="products-1000001.csv"'


def test_list_of_2000_products_takes_few_statements(app: Flask, world: World, client_of: ClientOf) -> None:
    add(
        app, world.store_id,
        *((str(n), f"Product {n:04}", f"<p>{'Lovely. ' * 40}</p>SKU:P{n}-", ("S", "M", "L")) for n in range(2000)),
    )  # fmt: skip
    client, ran = client_of(world.owner), []
    get(client, URL)  # judges the products, which were added without a sync
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *arguments: ran.append(arguments[2]))
    page = get(client, URL)
    assert len(names(page)) == 50
    assert len([one for one in ran if not one.startswith("BEGIN")]) <= 12
    page = get(client, f"{URL}?page=40")
    assert names(page)[-1] == "Product 1999"
    assert "Page 40 of 40" in text(page)
    assert page.find("a", rel="next") is None
    assert names(get(client, f"{URL}?page=999")) == names(page)
    assert one(page, "a[rel=prev]")["href"] == f"{URL}?page=39"


def test_product_sync_shows_its_progress(
    app: Flask, catalog: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(queue, "wake", lambda _, calls: woken.extend(call.key for call in calls))
    client = client_of(catalog.owner)
    with app.app_context():
        for product in db.session.scalars(select(Product)):
            product.fetched_at = utc_now() - timedelta(hours=2)
        db.session.commit()
    page = read(post(client, f"{URL}/{catalog.store_id}/refresh"))
    assert woken == [f"products-{catalog.store_id}"]
    assert "as soon as a worker is free" in text(page)
    address = str(one(page, "#refresh")["hx-get"])
    assert "since=" in address
    live = {"HX-Request": "true", "HX-Target": "refresh"}

    with app.app_context():
        name = LeaseKind.READ.of(catalog.store_id)
        db.session.add(Lease(name=name, owner="worker", until=utc_now() + timedelta(minutes=1)))
        for product in db.session.scalars(select(Product).where(Product.product_id.in_(["101", "102"]))):
            product.fetched_at = utc_now()
        db.session.commit()
    piece = client.get(address, headers=live).get_data(as_text=True)
    assert "Syncing products from Big Cartel: 2 of about 5." in piece
    assert "<html" not in piece
    one(page, "progress")
    assert "2 of about 5" in text(get(client, address)), "a full page load shows the same progress"

    with app.app_context():
        db.session.get_one(Store, catalog.store_id).products_refreshed_at = utc_now()
        db.session.commit()
    done = client.get(address, headers=live)
    assert "since" not in done.headers["HX-Redirect"]
    assert "Synced 5 products from Big Cartel." in text(get(client, done.headers["HX-Redirect"]))
    assert "Synced 5 products" in text(get(client, address))

    with app.app_context():
        db.session.get_one(Store, catalog.store_id).products_refreshed_at = utc_now() - timedelta(minutes=55)
        db.session.commit()
    assert "We couldn't sync every product" in text(get(client, address))
    with app.app_context():
        db.session.get_one(Store, catalog.store_id).reconnect_needed_at = utc_now()
        db.session.commit()
    assert "Reconnect store" in text(get(client, address))
    assert "Reconnect the store first." in text(read(post(client, f"{URL}/{catalog.store_id}/refresh")))


def test_empty_list_says_why_before_the_first_sync(app: Flask, world: World, client_of: ClientOf) -> None:
    page = get(client_of(world.owner), URL)
    assert "as soon as a worker is free" in text(page)
    assert "No products yet." in text(page)
    with app.app_context():
        db.session.get_one(Store, world.store_id).merchant_id = 900
        db.session.commit()
    assert "No store is connected yet." in text(get(client_of(world.owner), URL))


def test_deleted_product_is_shown_while_an_order_needs_it(app: Flask, catalog: World, client_of: ClientOf) -> None:
    add(app, catalog.store_id, ("106", "", "", ()), gone=True)
    assert "Scarf" not in text(get(client_of(catalog.owner), URL))
    with app.app_context():
        now = utc_now()
        db.session.add(
            Order(
                merchant_id=816, store_id=catalog.store_id, number="LMFN-1", state=OrderState.HELD,
                state_changed_at=now, document=json.dumps({"data": {"id": "LMFN-1"}}), first_seen_at=now,
                lines=[{"product_id": "106", "name": "Scarf"}],
            )
        )  # fmt: skip
        db.session.commit()
    page = get(client_of(catalog.owner), URL)
    assert "Scarf" in names(page)
    assert "This product is no longer in Big Cartel, and an order is waiting for its SKU." in text(page)
    read(post(client_of(catalog.owner), f"{URL}/{catalog.store_id}/106", whole_product="SCARF"))
    assert "an order is waiting" not in text(get(client_of(catalog.owner), URL))
