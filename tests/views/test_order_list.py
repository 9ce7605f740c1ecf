"""The order list: filters, paging and CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import event, update

from portal.extensions import db
from portal.models import Order
from portal.reports import order_counts
from tests.views.conftest import World, get
from tests.views.order_pages import LIST, numbers, row
from tests.views.orders_world import BUYER, FIRST_DAY, STREET, Orders, put_many
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient


def test_empty_list_links_to_the_dashboard(world: World, owner: FlaskClient) -> None:
    page = get(owner, LIST)
    assert "No orders yet" in text_in(page)
    assert one(page, "main a.btn-primary")["href"] == "/m/816/"


def test_list_shows_all_the_merchants_orders_newest_first(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, LIST)
    assert numbers(page) == [f"FERN-1000{n:02}" for n in range(15, 0, -1)]
    assert "15 orders match" in text_in(page)
    assert "All 15" in text_in(page, "nav[aria-label='Orders by state']")
    assert "On hold 4" in text_in(page, "nav[aria-label='Orders by state']")
    rejected = text(row(page, orders.rejected))
    assert "Rejected" in rejected
    assert "Invalid SKU: MUG-01" in rejected
    assert "Needs attention" in text(row(page, orders.given_up))


FILTERED = {
    "state=rejected": ["rejected"],
    "state=closed": ["cancelled", "closed"],
    "hold=no_sku": ["no_sku"],
    "hold=local_pickup": ["pickup"],
    "hold=no_mapping&shipping=INTERNATIONAL_DEFAULT": ["no_mapping"],
    "shipping=INTERNATIONAL_DEFAULT": ["no_mapping"],
    "number=fern-100009": ["rejected"],
    "number=%20100009%20": ["rejected"],
    "number=%23FERN-100009": ["rejected"],
    "number=%23100009": ["rejected"],
    "number=fern100009": ["rejected"],
    "number=Fern%20100009": ["rejected"],
    "number=FERN%E2%80%93100009": ["rejected"],
    "number=FERN-100009&state=held": [],
    "number=FERN-10000900": [],
    "number=%23": [],
    "number=100009&state=held": [],
    "number=_ERN": [],
    "number=%25": [],
    "number=%ED%A0%80": [],
    "from_day=2026-11-14": ["purged", "cancelled"],
    "to_day=2026-11-02": ["pickup", "no_sku"],
    "from_day=2026-11-09&to_day=2026-11-09": ["rejected"],
}


def test_each_filter_narrows_the_list(orders: Orders, owner: FlaskClient) -> None:
    for query, expected in FILTERED.items():
        page = get(owner, f"{LIST}?{query}")
        assert numbers(page) == [getattr(orders, name) for name in expected], query
        assert ("No orders match these filters" in text_in(page)) is (not expected)


def test_filters_stay_filled_in(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}?state=held&hold=no_sku&number=FERN&from_day=2026-11-01")
    form = one(page, "#filters")
    assert one(form, "input[name=state]")["value"] == "held"
    assert one(form, "input[name=number]")["value"] == "FERN"
    assert one(form, "input[name=from_day]")["value"] == "2026-11-01"
    assert one(form, "select[name=hold] option[selected]")["value"] == "no_sku"
    # Counts per state apply the other filters, which shows where the matching orders are.
    assert "On hold 1" in text_in(page, "nav[aria-label='Orders by state']")


def test_whole_number_shows_only_its_order(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    put_many(app, world, 2)
    with app.app_context():
        db.session.execute(update(Order).where(Order.number == "MANY-000001").values(number=f"{orders.rejected}0"))
        db.session.commit()
    assert numbers(get(owner, f"{LIST}?number={orders.rejected}")) == [orders.rejected]
    assert numbers(get(owner, f"{LIST}?number={orders.rejected[1:]}")) == [orders.rejected, f"{orders.rejected}0"]


def test_more_ended_orders_than_are_counted(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(app, world, 8)
    monkeypatch.setattr(order_counts, "MOST_COUNTED", 7)
    page = get(owner, f"{LIST}?number=MANY&state=completed")
    states = text_in(page, "nav[aria-label='Orders by state']")
    assert "All 7+" in states
    assert "Complete 7+" in states
    assert "7+ orders match." in text_in(page)
    assert len(numbers(page)) == 8
    monkeypatch.setattr(order_counts, "MOST_COUNTED", 10_000)
    assert "Complete 8" in text_in(get(owner, f"{LIST}?number=MANY"), "nav[aria-label='Orders by state']")
    assert order_counts.in_words(10_000) == "10000"
    assert order_counts.in_words(10_001) == "10,000+"


def test_invalid_filter_shows_an_error(orders: Orders, owner: FlaskClient) -> None:
    for query, sentence in {
        "from_day=yesterday": "Enter the day as YYYY-MM-DD.",
        "from_day=2026-11-09&to_day=2026-11-08": "This day is before the “From” day.",
        "hold=nonsense": "Not a valid choice.",
    }.items():
        assert text_in(get(owner, f"{LIST}?{query}"), "#filters .invalid-feedback") == sentence


def test_malformed_queries_still_show_the_list(orders: Orders, owner: FlaskClient) -> None:
    for query in (
        "state=nonsense",
        "number=%00",
        "to_day=9999-12-31&from_day=0001-01-01",
        "before=x",
        "before=99999999999999999999",
        "endpoint=x&_method=POST&merchant_id=900",
    ):
        assert len(numbers(get(owner, f"{LIST}?{query}"))) == 15, query


def test_filters_survive_paging_without_repeated_or_skipped_orders(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    put_many(app, world, 120)
    seen: list[str] = []
    address: str | None = f"{LIST}?number=MANY&state=completed"
    while address:
        page = get(owner, address)
        assert "120 orders match" in text_in(page)
        seen += numbers(page)
        older = page.find("a", rel="next")
        address = str(older["href"]) if older else None
        assert address is None or {"number": ["MANY"], "state": ["completed"]}.items() <= query_of(address).items()
    assert seen == [f"MANY-{n:06}" for n in range(119, -1, -1)]


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_csv_has_the_filtered_orders(orders: Orders, owner: FlaskClient) -> None:
    link = one(get(owner, f"{LIST}?state=completed&number=FERN"), "a", "Download CSV")
    answer = owner.get(str(link["href"]))
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row["order"] for row in rows] == [orders.purged, orders.completed]
    assert rows[1]["state"] == "Complete"
    assert rows[1]["SKUs"] == "2 x MUG-01"
    assert rows[1]["tracking numbers"] == "9400100000000000000001; 9400100000000000000002"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert (rows[1]["buyer"], rows[1]["destination"]) == (BUYER, "Provo, UT, US")
    assert (rows[0]["buyer"], rows[0]["destination"]) == ("Removed", "Removed")
    assert STREET not in answer.get_data(as_text=True)
    oldest = owner.get(f"{LIST}/orders.csv?state=completed&number=FERN&sort=oldest").get_data(as_text=True)
    assert oldest.index(orders.completed) < oldest.index(orders.purged)


@pytest.fixture
def queries(app: Flask) -> Iterator[list[str]]:
    ran: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            ran.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", record)
    yield ran
    event.remove(engine, "before_cursor_execute", record)


def test_query_count_does_not_grow_with_orders(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, queries: list[str]
) -> None:
    put_many(app, world, 2000)
    for path, at_most in {
        "orders": 10,
        "orders?needs=attention": 10,
        f"orders?before={orders.ids[orders.no_sku]}": 11,
        "orders?state=completed&number=MANY&from_day=2026-01-01&sort=oldest": 11,
        "orders/FERN-100012": 14,
        "attempts": 8,
        "attempts?number=MANY&outcome=done": 10,
        "orders/decide?do=close&all=1&number=MANY": 12,
        "orders/decide?do=retry&all=1&state=held": 13,
    }.items():
        queries.clear()
        get(owner, f"/m/816/{path}")
        assert len(queries) <= at_most, (path, queries)


def test_list_shows_when_an_order_was_placed(orders: Orders, owner: FlaskClient) -> None:
    shown = one(row(get(owner, LIST), orders.no_sku), "time")
    assert shown["datetime"] == FIRST_DAY.date().isoformat()
