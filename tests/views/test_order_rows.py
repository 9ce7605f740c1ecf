"""What the order list says of each order, how it is sorted, and how a person sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from portal.extensions import db
from portal.models import Order, OrderState, SavedFilter, User
from portal.reports import order_rows
from portal.reports.overview import open_orders
from tests.views.conftest import get, post, read
from tests.views.order_pages import LIST, numbers, row
from tests.views.orders_world import BUYER, FIRST_DAY, Orders, put_many
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from typing import Any

    from bs4 import BeautifulSoup
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients


def _set(app: Flask, number: str, **columns: Any) -> None:
    with app.app_context():
        db.session.execute(update(Order).where(Order.number == number).values(columns))
        db.session.commit()


def test_row_says_who_ordered_what_and_where_it_goes(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    line = {"item_id": "1", "name": "Mug", "option": "", "product_id": "1", "sku": "MUG-01", "quantity": 2}
    line |= {"source": "", "left_out": False, "problems": []}
    more = [line | {"sku": sku} for sku in ("TEE-S", "PIN-3", "", "HAT")]
    _set(app, orders.rejected, lines=[line, *more, line | {"sku": "NOT-SENT", "left_out": True}])
    page = get(owner, LIST)
    shown = row(page, orders.rejected)
    assert text_in(shown, ".col-buyer .order-main") == BUYER
    assert text_in(shown, ".col-buyer .order-sub") == "Provo, UT, US"
    assert text_in(shown, ".col-items") == "2 \u00d7 MUG-01 2 \u00d7 TEE-S +3"
    assert text_in(shown, ".col-waiting") == "You"
    assert text_in(row(page, orders.unpaid), ".col-waiting") == "Buyer"
    assert text_in(row(page, orders.submitted), ".col-waiting") == "Warehouse"
    assert text_in(row(page, orders.purged), ".col-buyer") == "Removed"
    parcel = one(row(page, orders.completed), ".col-state a")
    assert "9400100000000000000001" in str(parcel["href"])
    assert "+1" in text_in(row(page, orders.completed), ".col-state")


def test_document_that_cannot_be_read_does_not_hide_the_list(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    _set(app, orders.rejected, document="{}")
    _set(app, orders.ready, document="not JSON")
    page = get(owner, LIST)
    assert text_in(row(page, orders.rejected), ".col-buyer") == "Unknown"
    assert text_in(row(page, orders.ready), ".col-buyer") == "Unknown"


def test_age_is_told_beside_the_usual_time(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    now = datetime.now(UTC)
    _set(app, orders.ready, placed_at=now - timedelta(minutes=50))
    _set(app, orders.unconfirmed, placed_at=now - timedelta(hours=3, minutes=5))
    assert text_in(row(get(owner, LIST), orders.ready), ".col-age") == "50 min"
    put_many(app, world, 7)
    with app.app_context():
        sent = update(Order).where(Order.number.startswith("MANY"))
        db.session.execute(sent.values(submitted_at=FIRST_DAY + timedelta(minutes=20)))
        db.session.commit()
    page = get(owner, f"{LIST}?number=FERN")
    assert text_in(row(page, orders.ready), ".col-age") == "50 min usual 20 min"
    late = one(row(page, orders.unconfirmed), ".col-age")
    assert text(late) == "3 h usual 20 min"
    assert one(late, ".order-late svg")["aria-label"] == "Unusually long:"
    assert not row(page, orders.ready).select(".order-late")
    assert text_in(row(get(owner, f"{LIST}?number=MANY"), "MANY-000001"), ".col-age") == "Sent in 20 min"
    assert not row(page, orders.closed).select(".col-age .order-main")


def test_few_minutes_above_the_usual_time_are_not_late() -> None:
    assert not order_rows.is_late(timedelta(minutes=29), timedelta(minutes=2))
    assert order_rows.is_late(timedelta(minutes=30), timedelta(minutes=2))
    assert not order_rows.is_late(timedelta(hours=3), timedelta(hours=1))


def test_needs_attention_comes_first_and_counts_its_list(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, LIST)
    tabs = page.select("nav[aria-label='Orders by state'] a")
    assert [text(tab) for tab in tabs[:3]] == ["Needs attention 5", "All 15", "On hold 4"]
    attention = get(owner, str(tabs[0]["href"]))
    listed = numbers(attention)
    assert listed == [orders.rejected, orders.given_up, orders.no_mapping, orders.pickup, orders.no_sku]
    assert text_in(attention, "nav[aria-label='Orders by state'] [aria-current]") == "Needs attention 5"
    assert "5 orders match" in text_in(attention)
    with app.app_context():
        assert open_orders(db.session(), 816).needing_attention == len(listed)
    # With the other filters, too.
    assert numbers(get(owner, f"{LIST}?needs=attention&hold=no_sku")) == [orders.no_sku]
    assert numbers(get(owner, f"{LIST}?needs=attention&state=ready")) == [orders.given_up]
    assert "needs=attention" in str(one(attention, "a", "Download CSV")["href"])


def test_nothing_needs_attention(owner: FlaskClient) -> None:
    assert "Nothing needs attention right now." in text_in(get(owner, f"{LIST}?needs=attention"))


def _all_pages(owner: FlaskClient, address: str) -> list[str]:
    seen: list[str] = []
    while True:
        page: BeautifulSoup = get(owner, address)
        seen += numbers(page)
        older = page.find("a", rel="next")
        if older is None:
            return seen
        address = str(older["href"])


def test_pages_of_both_orders_hold_each_order_once(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    put_many(app, world, 120)
    with app.app_context():
        for n, order in enumerate(db.session.scalars(select(Order).where(Order.number.startswith("MANY")))):
            # Not in the order of their ids, several at once, and of some it isn't known.
            order.placed_at = None if n % 3 == 0 else FIRST_DAY - timedelta(hours=n * 7 % 20)
        db.session.commit()
        by_age = select(Order.number).where(Order.merchant_id == 816, Order.placed_at.is_not(None))
        untimed = select(Order.number).where(Order.placed_at.is_(None))
        newest = [
            *db.session.scalars(by_age.order_by(Order.placed_at.desc(), Order.id.desc())),
            *db.session.scalars(untimed.order_by(Order.id.desc())),
        ]
        oldest = [
            *db.session.scalars(by_age.order_by(Order.placed_at, Order.id)),
            *db.session.scalars(untimed.order_by(Order.id)),
        ]
    assert _all_pages(owner, LIST) == newest
    assert _all_pages(owner, f"{LIST}?sort=oldest") == oldest
    csv = owner.get(f"{LIST}/orders.csv?sort=oldest").get_data(as_text=True)
    assert [line.split(",")[0].strip('"') for line in csv.splitlines()[1:]] == oldest


def test_page_goes_on_after_an_order_that_no_longer_matches(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    put_many(app, world, 60, state=OrderState.REJECTED)
    first = get(owner, f"{LIST}?state=rejected&number=MANY")
    last = numbers(first)[-1]
    _set(app, last, state=OrderState.COMPLETED)
    rest = numbers(get(owner, str(one(first, "a", "Older")["href"])))
    assert rest == [f"MANY-{n:06}" for n in range(9, -1, -1)]


def test_columns_and_lines_are_kept_for_each_person(
    orders: Orders, world: World, owner: FlaskClient, client_of: Clients
) -> None:
    assert not get(owner, LIST).select(".order-list-dense, .col-service")
    after = post(owner, f"{LIST}/view?state=held", column=["items", "service", "nonsense"], lines="1")
    assert after.request.full_path == f"{LIST}?state=held"
    page = get(owner, LIST)
    assert one(page, ".order-list-dense")
    assert {str(box["value"]) for box in page.select("input[name=column][checked]")} == {"items", "service"}
    assert page.select("td.col-service")
    assert not page.select(".col-buyer, .col-age")
    assert not get(client_of(world.teammate), LIST).select(".order-list-dense, .col-service")


def test_filters_are_saved_by_person_and_merchant(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, client_of: Clients
) -> None:
    assert not get(owner, LIST).select("#filter-name")
    post(owner, f"{LIST}/filters?state=held&hold=no_sku&sort=oldest&before=3", name="  No SKU ")
    page = get(owner, LIST)
    link = one(page, "a", "No SKU")
    assert link["href"] == f"{LIST}?state=held&hold=no_sku&sort=oldest"
    post(owner, f"{LIST}/filters?state=rejected", name="No SKU")
    assert one(get(owner, LIST), "a", "No SKU")["href"] == f"{LIST}?state=rejected"
    assert "Name the filters" in text_in(get_after(owner, f"{LIST}/filters?state=held", " "))
    teammate = client_of(world.teammate)
    assert "No SKU" not in text_in(get(teammate, LIST), ".order-menus")
    with app.app_context():
        saved = db.session.scalars(select(SavedFilter)).one()
        saved_id, user_id = saved.id, saved.user_id
    assert post(teammate, f"{LIST}/filters/{saved_id}/delete").status_code == 404
    support = client_of(world.support)
    assert post(support, f"/m/900/orders/filters/{saved_id}/delete").status_code == 404
    post(owner, f"{LIST}/filters/{saved_id}/delete")
    assert "No SKU" not in text_in(get(owner, LIST), ".order-menus")
    post(owner, f"{LIST}/filters?state=held", name="Later")
    with app.app_context():
        # The filters go with the person.
        db.session.delete(db.session.get_one(User, user_id))
        db.session.commit()
        assert db.session.scalars(select(SavedFilter)).all() == []


def get_after(client: FlaskClient, address: str, name: str) -> BeautifulSoup:
    return read(post(client, address, name=name))


def test_only_so_many_filters_are_kept(orders: Orders, owner: FlaskClient) -> None:
    for n in range(20):
        post(owner, f"{LIST}/filters?state=held", name=f"Filter {n}")
    page = get_after(owner, f"{LIST}/filters?state=held", "One more")
    assert "up to 20 filters" in text_in(page, ".alert")
    assert "One more" not in text_in(page, ".order-menus")
