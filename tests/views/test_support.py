"""The support pages: merchants that need attention first, search, attempt log and audit trail."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from portal.extensions import db
from portal.models import AuditEntry, Merchant, Order, OrderState, Store
from tests.views.conftest import get
from tests.views.counting import statements
from tests.views.dashboard_world import change
from tests.views.page import one, text, text_in
from tests.views.support_world import HERE, NOW, ago, put_crowd, rows

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients
    from tests.views.orders_world import Orders


@pytest.mark.parametrize("url", [HERE, "/support/audit", "/support/attempts"])
def test_only_support_sees_these_pages(world: World, client_of: Clients, url: str) -> None:
    get(client_of(world.support), url)
    get(client_of(world.owner), url, 404)
    get(client_of(world.stranger), url, 404)
    assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")


def test_merchants_that_need_attention_are_listed_first(
    app: Flask, orders: Orders, world: World, client_of: Clients
) -> None:
    put_crowd(app, 4, 0)
    change(app, Store, 10_001, reconciliation={"missing": ["A-1"], "not_told": ["A-2"]})
    change(app, Store, 10_002, reconnect_needed_at=ago(hours=2))
    change(app, Merchant, 10_003, credentials_refused_at=ago(hours=1))
    change(app, Merchant, 10_004, fcp_after=NOW + timedelta(hours=1), paused=True)
    found = rows(get(client_of(world.support), HERE))
    assert [(row[0], row[1]) for row in found] == [
        ("Merchant 10004 10004", "Stops orders: Warehouse failing Paused"),
        ("Merchant 10003 10003", "Stops orders: Credentials rejected for 1 hour Live"),
        ("Merchant 10002 10002", "Stops orders: Reconnect needed for 2 hours Live"),
        ("Merchant 10001 10001", "Stops orders: 2 unaccounted for Live"),
        ("Fern & Fable 816", "Stops orders: 5 orders need attention Live"),
        ("Other Goods 900", "Stops orders: 1 order needs attention Live"),
    ]


def test_merchant_without_problems_is_healthy(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.support)
    assert [row[1] for row in rows(get(client, HERE))] == ["Healthy Not live yet", "Healthy Not live yet"]
    change(app, Store, world.store_id, next_poll_at=NOW - timedelta(hours=1), live=True)
    change(app, Store, world.other_store_id, sealed_token="")
    assert [row[1] for row in rows(get(client, HERE))] == ["Stops orders: Sync running late Live", "Healthy No store"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("816", ["Fern & Fable 816"]),
        ("fern", ["Fern & Fable 816"]),
        ("  OTHER   goods ", ["Other Goods 900"]),
        ("mug store", ["Fern & Fable 816"]),
        ("mugs.bigcartel", ["Fern & Fable 816"]),
        ("1000002", ["Other Goods 900"]),
        ("81", []),
        ("%", []),
        ("99999999999999999999", []),
    ],
)
def test_search_finds_merchants(app: Flask, world: World, client_of: Clients, wanted: str, names: list[str]) -> None:
    change(app, Store, world.store_id, name="The Mug Store", url="https://mugs.bigcartel.com")
    page = get(client_of(world.support), f"{HERE}?q={wanted.replace('%', '%25')}")
    assert [row[0] for row in rows(page)] == names
    assert one(page, "main input[name=q]")["value"] == " ".join(wanted.split())
    if not names:
        assert "No results for" in text_in(page)


@pytest.mark.parametrize("spelling", ["FERN-100003", "fern-100003", " %23FERN-100003 ", "100003", "0003"])
def test_searching_for_an_order_number_opens_the_order(
    orders: Orders, world: World, client_of: Clients, spelling: str
) -> None:
    client = client_of(world.support)
    answer = client.get(f"{HERE}?q={spelling}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/m/816/orders/{orders.unpaid}")
    assert orders.unpaid in text_in(get(client, answer.headers["Location"]), "h1")


def test_order_number_of_two_merchants_lists_both_orders(
    app: Flask, orders: Orders, world: World, client_of: Clients
) -> None:
    with app.app_context():
        db.session.execute(
            insert(Order).values(
                merchant_id=900, store_id=world.other_store_id, number=orders.rejected, state=OrderState.SHIPPED,
                state_changed_at=NOW, document="{}", first_seen_at=NOW, submitted_at=NOW,
            )
        )  # fmt: skip
        db.session.commit()
    page = get(client_of(world.support), f"{HERE}?q={orders.rejected}")
    assert [row[1:] for row in rows(page, f"Orders with the number {orders.rejected}")] == [
        ["Shipped", "Other Goods · 900"],
        ["Rejected", "Fern & Fable · 816"],
    ]
    assert [link["href"] for link in one(page, "table").select("a")][::2] == [
        f"/m/900/orders/{orders.rejected}",
        f"/m/816/orders/{orders.rejected}",
    ]


def test_orders_with_an_unknown_status_are_listed_by_status(
    app: Flask, orders: Orders, world: World, client_of: Clients
) -> None:
    def put(number: str, status: str, merchant: int = 816, **columns: object) -> None:
        store = world.store_id if merchant == 816 else world.other_store_id
        db.session.add(
            Order(merchant_id=merchant, store_id=store, number=number, state=OrderState.SUBMITTED, state_changed_at=NOW,
                  document="{}", first_seen_at=NOW, submitted_at=NOW, fcp_status=status, **columns)
        )  # fmt: skip

    with app.app_context():
        put("U-1", "Gift-wrapping")
        put("U-2", "Gift-wrapping")
        put("U-3", "Cancel requested & denied")
        put("U-4", "gift-wrapping", merchant=900)
        put("U-5", "Gift-wrapping", fcp_missing_since=NOW)
        put("K-1", "On Hold")
        put("K-2", "")
        db.session.commit()
    client = client_of(world.support)
    page = get(client, HERE)
    it = "with the status"
    caption = "Statuses that we don't recognize"
    assert rows(page, caption) == [
        ["Gift-wrapping", "3", f"Fern & Fable: 2 orders {it} Gift-wrapping, Other Goods: 1 order {it} gift-wrapping"],
        ["Cancel requested & denied", "1", "Fern & Fable: 1 order with the status Cancel requested & denied"],
    ]  # fmt: skip
    health = {row[0]: row[1] for row in rows(page)}
    assert "3 orders with an unknown status" in health["Fern & Fable 816"]
    assert "1 order with an unknown status" in health["Other Goods 900"]
    addresses = [str(link["href"]) for link in page.select("table")[0].select("a")]
    found = [[text(link) for link in get(client, address).select("tbody th a")] for address in addresses]
    assert found == [["U-5", "U-2", "U-1"], ["U-4"], ["U-3"]]
    assert "Gift-wrapping" in str(one(get(client, addresses[0]), "#warehouse_status")["value"])
    assert rows(get(client, f"{HERE}?q=900"), caption) == [
        ["gift-wrapping", "1", "Other Goods: 1 order with the status gift-wrapping"]
    ]
    assert rows(get(client, f"{HERE}?q=nobody"), caption) == []


def test_links_open_the_merchants_own_pages(world: World, client_of: Clients) -> None:
    client = client_of(world.support)
    row = get(client, HERE).select("tbody tr")[0]
    addresses = [str(link["href"]) for link in row.select("a")]
    assert addresses == [
        "/m/816/", "/m/816/orders", "/m/816/attempts", "/m/816/notes", "/support/audit?merchant=816",
    ]  # fmt: skip
    for address in addresses:
        get(client, address)


def test_audit_trail_of_all_merchants_is_paged_and_filtered(app: Flask, world: World, client_of: Clients) -> None:
    with app.app_context():
        db.session.add_all(
            AuditEntry(at=NOW, actor=f"p{n}@x.example", merchant_id=816 if n % 2 else None, action="order closed",
                       subject=f"O-{n}", reason=f"because {n}")
            for n in range(120)
        )  # fmt: skip
        db.session.commit()
    client, seen = client_of(world.support), []
    page = get(client, "/support/audit")
    assert rows(page, "Entries of the audit trail")[0][1:] == [
        "p119@x.example", "Fern & Fable · 816", "Order closed: O-119", "because 119",
    ]  # fmt: skip
    while True:
        seen += rows(page, "Entries of the audit trail")
        older = page.find("a", rel="next")
        if older is None:
            break
        page = get(client, str(older["href"]))
    assert len(seen) == 120 + 4
    only = rows(get(client, "/support/audit?merchant=816&actor=P11"), "Entries of the audit trail")
    assert [row[1] for row in only] == [f"p{n}@x.example" for n in (119, 117, 115, 113, 111, 11)]
    assert "No entries match" in text_in(get(client, "/support/audit?merchant=99999999999"))
    page = get(client, "/support/audit?merchant=-5&before=x")
    assert "No entries match" in text_in(page)


def test_merchant_list_is_fast_with_200_merchants_and_20000_orders(
    app: Flask, world: World, client_of: Clients
) -> None:
    client = client_of(world.support)
    with statements(app) as few:
        get(client, HERE)
    put_crowd(app, 200, 20_000)
    with statements(app) as many:
        started = perf_counter()
        first = get(client, HERE)
        seconds = perf_counter() - started
    assert len(many) == len(few) <= 7
    assert seconds < 5, "too slow even for a busy machine"
    next_page = str(one(first, "a[rel=next]")["href"])
    assert next_page == f"{HERE}?page=2"
    names = [row[0] for row in rows(first) + rows(get(client, next_page)) + rows(get(client, f"{HERE}?page=3"))]
    assert len(names) == len(set(names)) == 202
    with statements(app) as searched:
        assert client.get(f"{HERE}?q=C-12345").headers["Location"].endswith("/orders/C-12345")
    assert len(searched) <= 7
    with statements(app) as trail:
        get(client, "/support/audit")
    assert len(trail) <= 4


def test_attempt_log_covers_all_merchants_or_one(orders: Orders, world: World, client_of: Clients) -> None:
    support = client_of(world.support)
    everyone = rows(get(support, "/support/attempts"), "Attempts, newest first")
    assert everyone
    assert {row[2] for row in everyone} == {"Fern & Fable · 816"}
    assert rows(get(support, "/support/attempts?merchant=816"), "Attempts, newest first") == everyone
    assert "No attempts match these filters." in get(support, "/support/attempts?merchant=900").get_text()
    assert "Enter the Merchant Id as a number." in get(support, "/support/attempts?merchant=Fern").get_text()
