"""Filters and the chart count days in the time zone of the merchant's store, and name it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from portal.extensions import db
from portal.models import OrderState, Store
from portal.reports.overview import history
from portal.reports.store_days import UTC_DAYS, days_of
from tests.views.conftest import get
from tests.views.dashboard_world import HERE, change, place
from tests.views.page import one, section, text, text_in

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients

EASTERN = "Eastern Time (US & Canada)"
LATE = datetime(2026, 6, 2, 3, 59, 59, 999_999, tzinfo=UTC)
"""The last moment of June 1 in New York."""


def _numbers(client: FlaskClient, query: str) -> list[str]:
    return [text(link) for link in get(client, f"{HERE}orders?{query}").select("tbody th a")]


def test_filters_mean_the_stores_days(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Store, world.store_id, time_zone=EASTERN)
    place(app, world, LATE, OrderState.COMPLETED)
    place(app, world, LATE + timedelta(microseconds=1), OrderState.COMPLETED)
    owner = client_of(world.owner)
    assert _numbers(owner, "from_day=2026-06-01&to_day=2026-06-01") == ["N-0"]
    assert _numbers(owner, "from_day=2026-06-02") == ["N-1"]
    page = get(owner, f"{HERE}orders")
    assert f"Days in the store's time zone, {EASTERN}." in text_in(page, "#filters")
    assert [text(day) for day in page.select("td[data-label=Placed]")] == ["2026-06-02", "2026-06-01"]
    assert {str(day["title"]) for day in page.select("td[data-label=Placed] time")} == {EASTERN}
    rows = owner.get(f"{HERE}orders/orders.csv?to_day=2026-06-01").get_data(as_text=True)
    assert "N-0" in rows
    assert "N-1" not in rows
    assert f"time zone, {EASTERN}." in text_in(get(owner, f"{HERE}attempts"), "#filters")


def test_filters_mean_the_readers_days_once_the_browser_says_its_zone(
    app: Flask, world: World, client_of: Clients
) -> None:
    change(app, Store, world.store_id, time_zone=EASTERN)
    place(app, world, LATE, OrderState.COMPLETED)
    owner = client_of(world.owner)
    owner.set_cookie("tz", "Asia/Tokyo")
    assert _numbers(owner, "from_day=2026-06-01&to_day=2026-06-01") == []
    assert _numbers(owner, "from_day=2026-06-02&to_day=2026-06-02") == ["N-0"]
    page = get(owner, f"{HERE}orders")
    assert "Days in your time zone, Tokyo time." in text_in(page, "#filters")
    assert [text(day) for day in page.select("td[data-label=Placed]")] == ["2026-06-02"]
    # What counts the store's days leads to the same days.
    assert _numbers(owner, "from_day=2026-06-01&to_day=2026-06-01&zone=store") == ["N-0"]
    same = get(owner, f"{HERE}orders?from_day=2026-06-01&zone=store")
    assert f"Days in the store's time zone, {EASTERN}." in text_in(same, "#filters")
    assert one(same, "#filters input[name=zone]")["value"] == "store"
    assert "Days in your time zone, Tokyo time." in text_in(get(owner, f"{HERE}attempts"), "#filters")


@pytest.mark.parametrize("zone", ["", "Atlantis/Nowhere", "x" * 3_000, "../../etc/passwd", "\u00e4"])
def test_unknown_zone_of_a_browser_is_ignored(app: Flask, world: World, client_of: Clients, zone: str) -> None:
    change(app, Store, world.store_id, time_zone=EASTERN)
    owner = client_of(world.owner)
    owner.set_cookie("tz", zone)
    assert f"Days in the store's time zone, {EASTERN}." in text_in(get(owner, f"{HERE}orders"), "#filters")


@pytest.mark.parametrize("name", ["", "Atlantis"])
def test_unknown_time_zone_counts_as_utc(app: Flask, world: World, client_of: Clients, name: str) -> None:
    change(app, Store, world.store_id, time_zone=name)
    place(app, world, LATE, OrderState.COMPLETED)
    owner = client_of(world.owner)
    assert _numbers(owner, "from_day=2026-06-02&to_day=2026-06-02") == ["N-0"]
    assert "Days in UTC." in text_in(get(owner, f"{HERE}orders"), "#filters")
    assert "Days in UTC." in text(section(get(owner, HERE), "orders-per-day"))


def test_support_filters_all_merchants_in_utc(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Store, world.store_id, time_zone=EASTERN)
    assert "Days in UTC." in text_in(get(client_of(world.support), "/support/attempts"), "#filters")


def test_chart_counts_the_stores_days_across_a_change_of_clocks(app: Flask, world: World) -> None:
    change(app, Store, world.store_id, time_zone=EASTERN)
    # November 1, 2026 has 25 hours in New York.
    for hours in (0, 24, 25):
        place(app, world, datetime(2026, 11, 1, 4, tzinfo=UTC) + timedelta(hours=hours), OrderState.READY)
    place(app, world, datetime(2026, 11, 1, 3, 59, tzinfo=UTC), OrderState.READY)
    with app.app_context():
        days = days_of([db.session.get_one(Store, world.store_id)])
        found = history(db.session(), 816, days, datetime(2026, 11, 3, 4, tzinfo=UTC))
    assert {str(day.date): day.total for day in found.days if day.total} == {
        "2026-10-31": 1, "2026-11-01": 2, "2026-11-02": 1,
    }  # fmt: skip
    assert str(found.days[-1].date) == "2026-11-02"


def test_each_day_of_the_chart_leads_to_its_orders(app: Flask, world: World, client_of: Clients) -> None:
    zone = "Auckland"
    change(app, Store, world.store_id, time_zone=zone)
    now = datetime.now(UTC)
    for hours in range(0, 96, 5):
        place(app, world, now - timedelta(hours=hours), OrderState.COMPLETED)
    owner = client_of(world.owner)
    owner.set_cookie("tz", "America/New_York")
    shown = section(get(owner, HERE), "orders-per-day")
    assert "Days in the store's time zone, Auckland time." in text(shown)
    counted = {row.select_one("th a"): int(text(row.select("td")[-1])) for row in shown.select("tbody tr")}
    assert sum(counted.values()) == 20
    for link, count in counted.items():
        assert link is not None
        assert len(get(owner, str(link["href"])).select("tbody th a")) == count


def test_store_is_named_when_stores_are_in_different_zones() -> None:
    def store(name: str, time_zone: str, token: str = "sealed") -> Store:
        return Store(name=name, time_zone=time_zone, sealed_token=token)

    assert days_of([]) == UTC_DAYS
    assert days_of([store("Fern", "London"), store("Moss", "Paris")]).words == "Fern's time zone, London time"
    assert (
        days_of([store("Fern", "London"), store("Moss", "Europe/London")]).words == "the store's time zone, London time"
    )
    assert days_of([store("Old", "Tokyo", ""), store("New", EASTERN)]).words == f"New's time zone, {EASTERN}"
    assert days_of([store("Old", "Tokyo", "")]).words == "the store's time zone, Tokyo time"
