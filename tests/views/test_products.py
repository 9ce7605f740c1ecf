"""The products' page: every final SKU, problems first, and SKUs set by hand."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select

from portal import queue
from portal.clock import utc_now
from portal.engine.leases import Work
from portal.extensions import db
from portal.models import AuditEntry, Lease, Merchant, Order, OrderState, Product, SkuOverride, Store
from portal.reports.sku_preview import problem_counts
from tests.views.conftest import World, get, post, read
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import BeautifulSoup
    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

URL = "/m/816/products"


def add(app: Flask, store_id: int, *products: tuple[str, str, str, tuple[str, ...]], **more: Any) -> None:
    """Products as (id, name, description, names of options); the options' ids are <product id>-<name>."""
    with app.app_context():
        for product_id, name, description, options in products:
            db.session.add(
                Product(
                    store_id=store_id, product_id=product_id, name=name, description=description,
                    options=[{"id": f"{product_id}-{option}", "name": option} for option in options],
                    fetched_at=more.get("fetched_at", utc_now()), gone=more.get("gone", False), status="active",
                )
            )  # fmt: skip
        db.session.get_one(Store, store_id).products_refreshed_at = more.get("refreshed_at", utc_now())
        db.session.commit()


@pytest.fixture
def shop(app: Flask, world: World) -> World:
    add(
        app, world.store_id,
        ("101", "Shirt", "Soft cotton. SKU:SHIRT-", ("SMALL", "LARGE")),
        ("102", "Mug", "Holds tea.<br>SKU: MUG", ("Default",)),
        ("103", "Poster", "A poster, 50 x 70", ("Default",)),
        ("104", "Badge", "sku: BADGE", ("Default",)),
        ("105", "Cup", "Another cup. SKU:MUG", ("Default",)),
    )  # fmt: skip
    add(app, world.other_store_id, ("901", "Secret lamp", "SKU:LAMP", ("Default",)))
    return world


def names(page: BeautifulSoup) -> list[str]:
    return [text(link) for link in page.select("#list th[scope=rowgroup] a.words")]


def skus(page: BeautifulSoup) -> list[str]:
    return [code.get_text(strip=True) for code in page.select("#list td code")]


def test_problems_come_first_and_the_missing_sku_cannot_be_overlooked(shop: World, client_of: ClientOf) -> None:
    page = get(client_of(shop.owner), URL)
    assert names(page) == ["Badge", "Poster", "Cup", "Mug", "Shirt"]
    assert skus(page) == ["MUG", "MUG", "SHIRT-SMALL", "SHIRT-LARGE"]
    assert "2 products have no SKU" in text_in(page, ".alert-danger")
    assert "“sku:”, and only “SKU:” is read" in text(page)
    assert "It is also the SKU of Mug." in text(page)
    assert "Secret lamp" not in text(page)


def test_every_product_leads_to_where_it_is_mended(shop: World, client_of: ClientOf) -> None:
    page = get(client_of(shop.owner), URL)
    links = {link["href"] for link in page.select("#list a")}
    assert "https://my.bigcartel.com/products/103" in links
    assert f"{URL}/{shop.store_id}/103" in links


def test_only_problems_and_search(shop: World, client_of: ClientOf) -> None:
    client = client_of(shop.owner)
    assert names(get(client, f"{URL}?problems=y")) == ["Badge", "Poster", "Cup", "Mug"]
    assert names(get(client, f"{URL}?q=shirt-la")) == ["Shirt"]
    assert names(get(client, f"{URL}?q=MUG&problems=y")) == ["Cup", "Mug"]
    nothing = get(client, f"{URL}?q=nowhere")
    assert names(nothing) == []
    assert "No product matches." in text(nothing)
    piece = client.get(f"{URL}?q=poster", headers={"HX-Request": "true", "HX-Target": "list"}).get_data(as_text=True)
    assert "<html" not in piece
    assert "Poster" in piece
    assert "Shirt" not in piece


def test_items_without_a_sku_may_be_left_out_by_choice(app: Flask, shop: World, client_of: ClientOf) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).ignore_items_without_sku = True
        db.session.commit()
        counts = problem_counts(db.session(), db.session.get_one(Store, shop.store_id))
    assert (counts.products, counts.stopping, counts.without_sku, counts.worth_a_look, counts.left_out) == (
        5,
        1,
        1,
        2,
        1,
    )
    page = get(client_of(shop.owner), URL)
    assert names(page) == ["Badge", "Cup", "Mug", "Poster", "Shirt"]
    assert "1 product has no SKU. As you chose under Settings" in text(page)


def test_csv_of_what_is_filtered(shop: World, client_of: ClientOf) -> None:
    page = get(client_of(shop.owner), f"{URL}?q=shirt")
    address = one(page, "a", "Download as CSV")["href"]
    answer = client_of(shop.owner).get(str(address))
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[1:] == [
        ["Shirt", "101", name, f"101-{name}", f"SHIRT-{name}", "The description", "Fine", "",
         "https://my.bigcartel.com/products/101"]
        for name in ("SMALL", "LARGE")
    ]  # fmt: skip
    assert answer.headers["Content-Disposition"] == 'attachment; filename="products-1000001.csv"'


def test_two_thousand_products_stay_quick(app: Flask, world: World, client_of: ClientOf) -> None:
    add(
        app, world.store_id,
        *((str(n), f"Product {n:04}", f"<p>{'Lovely. ' * 40}</p>SKU:P{n}-", ("S", "M", "L")) for n in range(2000)),
    )  # fmt: skip
    client, asked = client_of(world.owner), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    page = get(client, URL)
    assert len(names(page)) == 50
    assert len(asked) < 20
    start = perf_counter()
    page = get(client, f"{URL}?page=40")
    assert perf_counter() - start < 2, "slower than anybody waits for, even on a busy machine"
    assert names(page)[-1] == "Product 1999"
    assert "Page 40 of 40" in text(page)
    assert page.find("a", rel="next") is None
    assert names(get(client, f"{URL}?page=999")) == names(page)
    assert one(page, "a[rel=prev]")["href"] == f"{URL}?page=39"


def test_a_sku_set_by_hand_wins_and_is_taken_back(app: Flask, shop: World, client_of: ClientOf) -> None:
    client, address = client_of(shop.owner), f"{URL}/{shop.store_id}/103"
    with app.app_context():
        db.session.get_one(Store, shop.store_id).next_poll_at = utc_now() + timedelta(hours=1)
        db.session.commit()
    page = read(post(client, address, whole_product=" POSTER-1 "))
    assert "The SKU is saved. Orders that wait are looked at again now." in text(page)
    assert text_in(page, "table code") == "POSTER-1"
    assert "Set by hand" in text(page)
    with app.app_context():
        store = db.session.get_one(Store, shop.store_id)
        assert store.products_changed_at is not None
        assert store.next_poll_at is not None
        assert store.next_poll_at <= utc_now(), "polled now, so that held orders follow"
        override = db.session.scalars(select(SkuOverride)).one()
        assert (override.store_id, override.product_id, override.option_id, override.sku, override.set_by) == (
            shop.store_id, "103", "", "POSTER-1", shop.owner,
        )  # fmt: skip
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject) == (shop.owner, "SKU set by hand", "Poster: POSTER-1")
    assert "Poster" not in names(get(client, f"{URL}?problems=y"))
    read(post(client, f"{address}/remove", option_id=""))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []
    assert "Poster" in names(get(client, f"{URL}?problems=y"))


def test_the_same_product_id_in_another_shop_is_another_product(app: Flask, shop: World, client_of: ClientOf) -> None:
    with app.app_context():
        theirs = SkuOverride(store_id=shop.other_store_id, product_id="103", sku="THEIRS", set_by="x", set_at=utc_now())
        db.session.add(theirs)
        db.session.commit()
    client, address = client_of(shop.owner), f"{URL}/{shop.store_id}/103"
    assert "THEIRS" not in str(get(client, address))
    assert "Nothing was changed." in text(read(post(client, f"{address}/remove", option_id="")))
    read(post(client, address, whole_product="OURS"))
    with app.app_context():
        assert set(db.session.scalars(select(SkuOverride.sku))) == {"THEIRS", "OURS"}


def test_one_option_by_hand(app: Flask, shop: World, client_of: ClientOf) -> None:
    client, address = client_of(shop.owner), f"{URL}/{shop.store_id}/101"
    page = read(post(client, address, **{"whole_product": "TEE-", "option_101-SMALL": "OLD-SMALL"}))
    assert "2 SKUs are saved." in text(page)
    assert [code.get_text() for code in page.select("table code")] == ["OLD-SMALL", "TEE-LARGE"]
    fields = {field["name"]: field.get("value", "") for field in page.select("form input[type=text]")}
    assert fields == {"whole_product": "TEE-", "option_101-SMALL": "OLD-SMALL", "option_101-LARGE": ""}
    page = read(post(client, address, **{"whole_product": "", "option_101-SMALL": "OLD-SMALL"}))
    assert [code.get_text() for code in page.select("table code")] == ["OLD-SMALL", "SHIRT-LARGE"]
    with app.app_context():
        db.session.scalars(select(Product).where(Product.product_id == "101")).one().options = []
        db.session.commit()
    assert "For options that are no longer there" in text(get(client, address))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("SKU:TEE-", "Enter the SKU alone, without “SKU:” before it."),
        ("X" * 65, "The SKU “XXX"),
        ("T\ue000", "characters that the warehouse cannot take"),
    ],
)
def test_what_cannot_be_sent_is_not_saved(app: Flask, shop: World, client_of: ClientOf, typed: str, said: str) -> None:
    page = read(post(client_of(shop.owner), f"{URL}/{shop.store_id}/101", whole_product=typed))
    assert said in text_in(page, ".invalid-feedback")
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []


def test_support_gives_a_reason(app: Flask, shop: World, client_of: ClientOf) -> None:
    support, address = client_of(shop.support), f"{URL}/{shop.store_id}/103"
    page = read(post(support, address, whole_product="POSTER-1"))
    assert "Say why" in text(page)
    read(post(support, address, whole_product="POSTER-1", reason="asked by phone"))
    assert "Say why" in text(read(post(support, f"{address}/remove", option_id="")))
    assert "Say why" in text(read(post(support, f"{URL}/{shop.store_id}/refresh")))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride.sku)).all() == ["POSTER-1"]
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.reason) == (shop.support, "asked by phone")


def test_reading_again_shows_how_far_it_is(
    app: Flask, shop: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(queue, "wake_if_possible", lambda _, calls: woken.extend(call.key for call in calls))
    client = client_of(shop.owner)
    with app.app_context():
        for product in db.session.scalars(select(Product)):
            product.fetched_at = utc_now() - timedelta(hours=2)
        db.session.commit()
    page = read(post(client, f"{URL}/{shop.store_id}/refresh"))
    assert woken == [f"products-{shop.store_id}"]
    assert "as soon as a worker is free" in text(page)
    address = str(one(page, "#refresh")["hx-get"])
    assert "since=" in address
    live = {"HX-Request": "true", "HX-Target": "refresh"}

    with app.app_context():
        name = Work.READING.of(shop.store_id)
        db.session.add(Lease(name=name, owner="worker", until=utc_now() + timedelta(minutes=1)))
        for product in db.session.scalars(select(Product).where(Product.product_id.in_(["101", "102"]))):
            product.fetched_at = utc_now()
        db.session.commit()
    piece = client.get(address, headers=live).get_data(as_text=True)
    assert "Reading products from Big Cartel: 2 of about 5." in piece
    assert "<html" not in piece
    one(page, "progress")
    assert "2 of about 5" in text(get(client, address)), "also for whoever reloads the page"

    with app.app_context():
        db.session.get_one(Store, shop.store_id).products_refreshed_at = utc_now()
        db.session.commit()
    done = client.get(address, headers=live)
    assert "since" not in done.headers["HX-Redirect"]
    assert "The product list was read from Big Cartel: 5 products." in text(get(client, done.headers["HX-Redirect"]))
    assert "was read from Big Cartel" in text(get(client, address))

    with app.app_context():
        db.session.get_one(Store, shop.store_id).products_refreshed_at = utc_now() - timedelta(minutes=55)
        db.session.commit()
    assert "could not be read to the end" in text(get(client, address))
    with app.app_context():
        db.session.get_one(Store, shop.store_id).reconnect_needed_at = utc_now()
        db.session.commit()
    assert "Connect the store again" in text(get(client, address))
    assert "Connect it again first." in text(read(post(client, f"{URL}/{shop.store_id}/refresh")))


def test_before_anything_was_read(app: Flask, world: World, client_of: ClientOf) -> None:
    page = get(client_of(world.owner), URL)
    assert "as soon as a worker is free" in text(page)
    assert "No product has been read yet." in text(page)
    with app.app_context():
        db.session.get_one(Store, world.store_id).merchant_id = 900
        db.session.commit()
    assert "No store is connected yet." in text(get(client_of(world.owner), URL))


def test_a_product_that_is_gone_shows_while_an_order_waits_for_it(app: Flask, shop: World, client_of: ClientOf) -> None:
    add(app, shop.store_id, ("106", "", "", ()), gone=True)
    assert "Scarf" not in text(get(client_of(shop.owner), URL))
    with app.app_context():
        now = utc_now()
        db.session.add(
            Order(
                merchant_id=816, store_id=shop.store_id, number="LMFN-1", state=OrderState.HELD, state_changed_at=now,
                document=json.dumps({"data": {"id": "LMFN-1"}}), first_seen_at=now,
                lines=[{"product_id": "106", "name": "Scarf"}],
            )
        )  # fmt: skip
        db.session.commit()
    page = get(client_of(shop.owner), URL)
    assert "Scarf" in names(page)
    assert "Big Cartel has this product no more, and an order waits for its SKU." in text(page)
    read(post(client_of(shop.owner), f"{URL}/{shop.store_id}/106", whole_product="SCARF"))
    assert "an order waits" not in text(get(client_of(shop.owner), URL))


def test_a_description_is_tried_without_saving(shop: World, client_of: ClientOf) -> None:
    client = client_of(shop.owner)
    assert "Type or paste a description" in text(get(client, f"{URL}/try"))
    page = read(post(client, f"{URL}/try", description="Soft. SKU:TEE", options="SMALL\n\n LARGE "))
    assert [code.get_text() for code in page.select("#tried code")] == ["TEESMALL", "TEELARGE"]
    assert "“TEE” directly followed by the option “SMALL”" in text(page)
    assert "Stops the order" in text(read(post(client, f"{URL}/try", description="Soft.")))
    page = get(client, f"{URL}/try?store={shop.store_id}&product=101")
    assert [code.get_text() for code in page.select("#tried code")] == ["SHIRT-SMALL", "SHIRT-LARGE"]
    assert "<b>" not in str(one(read(post(client, f"{URL}/try", description="<b>SKU:X</b>")), "#tried"))


def test_a_description_is_tried_while_typing(shop: World, client_of: ClientOf) -> None:
    client = client_of(shop.owner)
    token = str(one(get(client, f"{URL}/try"), "#csrf_token")["value"])
    answer = client.post(
        f"{URL}/try", data={"description": "SKU:TEE"}, headers={"HX-Request": "true", "X-CSRFToken": token}
    )
    piece = answer.get_data(as_text=True)
    assert "TEE</code>" in piece
    assert "<html" not in piece


@pytest.mark.parametrize(
    "path", ["", "/products.csv", "/try", "/{store}/101", "/{store}/refresh", "/try?store={store}&product=101"]
)
def test_pages_of_others_are_not_there(shop: World, client_of: ClientOf, path: str) -> None:
    address = URL + path.format(store=shop.store_id)
    assert client_of(shop.owner).get(address).status_code == 200
    assert client_of(shop.support).get(address).status_code == 200
    get(client_of(shop.stranger), address, 404)
    assert client_of(None).get(address).headers["Location"].startswith("/log-in?next=")


def test_nobody_reaches_another_merchants_products_through_ones_own_pages(
    app: Flask, shop: World, client_of: ClientOf
) -> None:
    owner, other = client_of(shop.owner), shop.other_store_id
    for path in (f"?store={other}", f"/products.csv?store={other}", f"/{other}/901", f"/try?store={other}&product=901"):
        get(owner, URL + path, 404)
    for path in (f"/{other}/refresh", f"/{other}/901", f"/{other}/901/remove", f"/{shop.store_id}/901/remove"):
        assert post(owner, URL + path, whole_product="X", option_id="").status_code == 404
    assert post(client_of(shop.stranger), f"{URL}/{shop.store_id}/101", whole_product="X").status_code == 404
    for odd in (f"/{10**30}/101", f"?store={10**30}", f"/{shop.store_id}/%00", "?store=x"):
        get(owner, URL + odd, 404)
    assert names(get(owner, f"{URL}?page=-5&since={10**30}"))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []
