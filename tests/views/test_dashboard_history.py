"""The dashboard's chart of orders per day, and its reconciliation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from portal.extensions import db
from portal.models import OrderState, Store
from portal.reports.overview import Outcome, history
from portal.reports.store_days import UTC_DAYS
from tests.views.conftest import get
from tests.views.dashboard_world import HERE, change, place
from tests.views.page import one, section, text, text_in

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients
    from tests.views.orders_world import Orders


def _short(day: datetime) -> str:
    return f"{day:%b} {day.day}"


def test_chart_and_table_show_the_same_numbers(app: Flask, world: World, client_of: Clients) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    for back, state, count in (
        (0, OrderState.HELD, 2), (0, OrderState.READY, 1), (1, OrderState.COMPLETED, 20), (1, OrderState.CLOSED, 3),
        (13, OrderState.SHIPPED, 4), (13, OrderState.SUBMITTED, 5), (13, OrderState.REJECTED, 1),
        (14, OrderState.COMPLETED, 99),
    ):  # fmt: skip
        place(app, world, today - timedelta(days=back), state, count)
    chart_section = section(get(client_of(world.owner), HERE), "orders-per-day")
    chart = one(chart_section, "svg.chart")
    titles = [text_in(bar, "title") for bar in chart.select("rect")]
    day = _short(today)
    assert f"{day}: 2 on hold" in titles
    assert f"{day}: 1 being sent" in titles
    assert f"{_short(today - timedelta(days=1))}: 20 complete" in titles
    assert f"{_short(today - timedelta(days=13))}: 9 at the warehouse" in titles
    assert text_in(chart, "desc").startswith("36 orders in 14 days, 20 complete,")
    table = one(chart_section, "details table")
    rows = {text_in(row, "th"): [int(text(cell)) for cell in row.select("td")] for row in table.select("tr")[1:]}
    assert len(rows) == 15
    assert rows[f"{today:%Y-%m-%d}"] == [0, 0, 1, 2, 0, 0, 3]
    assert rows[f"{today - timedelta(days=1):%Y-%m-%d}"] == [20, 0, 0, 0, 0, 3, 23]
    assert rows["Total"] == [20, 9, 1, 2, 1, 3, 36]
    drawn = sum(float(str(bar["height"])) for bar in chart.find_all("rect"))
    assert drawn == pytest.approx(36 / 40 * 140, abs=0.2)


def test_days_start_at_midnight_utc_and_unplaced_orders_count_when_first_seen(app: Flask, world: World) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    place(app, world, midnight - timedelta(microseconds=1), OrderState.READY)
    place(app, world, midnight, OrderState.READY, 2)
    place(app, world, midnight + timedelta(hours=5), OrderState.HELD, 3, placed_at=None)
    with app.app_context():
        found = history(db.session(), 816, UTC_DAYS, midnight + timedelta(hours=7))
    assert [day.total for day in found.days][-2:] == [1, 5]
    assert found.days[-1].orders == {Outcome.WAITING: 2, Outcome.HELD: 3}
    assert found.top == 10


def test_day_far_above_all_others_is_cut_off_and_says_its_number(app: Flask, world: World, client_of: Clients) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    place(app, world, today - timedelta(days=1), OrderState.COMPLETED, 10)
    place(app, world, today - timedelta(days=2), OrderState.COMPLETED, 100)
    chart = one(section(get(client_of(world.owner), HERE), "orders-per-day"), "svg.chart")
    assert text_in(chart, ".chart-number") == "100"
    heights = [float(str(bar["height"])) for bar in chart.select("rect")]
    assert heights == [140, pytest.approx(10 / 40 * 140)]


def test_chart_shows_30_days_and_its_bars_link_to_their_orders(app: Flask, world: World, client_of: Clients) -> None:
    long_ago = datetime.now(UTC).replace(hour=12) - timedelta(days=28)
    place(app, world, long_ago, OrderState.COMPLETED, 3)
    client = client_of(world.owner)
    assert not section(get(client, HERE), "orders-per-day").select("svg.chart")
    chart = one(section(get(client, f"{HERE}?days=30"), "orders-per-day"), "svg.chart")
    link = one(chart, "a")
    assert link["aria-label"] == f"{_short(long_ago)}: 3 orders"
    assert "Complete 3" in text_in(get(client, str(link["href"])))


def test_reconciliation_shows_both_sums_and_unaccounted_orders(app: Flask, world: World, client_of: Clients) -> None:
    reconciliation = {
        "at": "2026-11-20T10:00:00+00:00", "unshipped_and_paid": 12, "at_the_warehouse": 6,
        "waiting": {"no_sku": 4, "rejected": 3, "closed": 2, "of an older version": 1}, "left_out": 1,
        "missing": ["LOST-1", "LOST-2"],
        "shipped_by_the_warehouse": 3, "being_told": 2, "not_told": ["MUTE-1"], "warehouse_asked": True,
    }  # fmt: skip
    change(app, Store, world.store_id, name="Fern", reconciliation=reconciliation)
    page = get(client_of(world.owner), HERE)
    shown = section(page, "reconciliation")
    assert (
        "Big Cartel listed 12 orders as unshipped and paid: 6 at the warehouse, 10 waiting, 1 left out by your choice, "
        "and 2 unaccounted for."
    ) in text(shown)
    assert (
        "the warehouse had shipped 3: 2 were about to be marked as shipped in Big Cartel, "
        "and 1 still showed as unshipped there after we marked it."
    ) in text(shown)
    assert [text(item) for item in shown.find_all("li")[:4]] == [
        "4: Missing or invalid SKU",
        "3: Rejected",
        "2: Closed after it was sent",
        "1: Of an older version",
    ]
    assert [text(link) for link in shown.find_all("a")] == ["LOST-1", "LOST-2", "MUTE-1"]
    assert shown.select("a")[0]["href"] == "/m/816/orders?number=LOST-1"
    assert "2026-11-20 10:00 UTC" in text(shown)
    assert "3 orders unaccounted for" in text(section(page, "needs-attention"))
    assert one(shown, "details").has_attr("open")
    even = {
        **reconciliation,
        "missing": [],
        "not_told": [],
        "at_the_warehouse": 8,
        "being_told": 3,
        "warehouse_asked": False,
    }
    change(app, Store, world.store_id, reconciliation=even)
    page = get(client_of(world.owner), HERE)
    assert text(section(page, "reconciliation")).count("Everything matches.") == 2
    assert "We couldn't check with the warehouse" in text(section(page, "reconciliation"))
    assert "unaccounted" not in text(section(page, "needs-attention"))
    folded = one(section(page, "reconciliation"), "details")
    assert not folded.has_attr("open")
    assert text_in(folded, "summary").startswith("Everything matches")


def test_chart_reloads_only_when_a_number_changes(app: Flask, orders: Orders, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    address = str(one(get(client, HERE), "#history [hx-get]")["hx-get"])
    headers = {"HX-Request": "true", "HX-Target": "history"}
    assert client.get(address, headers=headers).status_code == 204
    place(app, world, datetime.now(UTC), OrderState.COMPLETED)
    piece = client.get(address, headers=headers)
    assert piece.status_code == 200
    assert "<svg" in piece.get_data(as_text=True)
    assert "<html" not in piece.get_data(as_text=True)
