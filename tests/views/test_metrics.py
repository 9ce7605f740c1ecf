"""The metrics page for Prometheus."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from portal import queue
from portal.models import OrderState, Store
from portal.queue import Call, JobName
from tests.views.counting import statements
from tests.views.dashboard_world import change, place
from tests.views.orders_world import Orders, put_orders

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients


def figures(clients: Clients) -> dict[str, float]:
    answer = clients(None).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        sample.name + "".join(f":{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


def test_metrics_count_orders_by_state_and_the_oldest_wait(app: Flask, world: World, client_of: Clients) -> None:
    now = datetime.now(UTC)
    empty = figures(client_of)
    assert empty["portal_oldest_waiting_seconds"] == 0
    assert empty["portal_orders:held"] == 0
    place(app, world, now - timedelta(hours=3), OrderState.HELD, 4)
    place(app, world, now - timedelta(hours=2), OrderState.READY, 2)
    place(app, world, now - timedelta(hours=1), OrderState.UNCONFIRMED)
    found = figures(client_of)
    assert {name: value for name, value in found.items() if name.startswith("portal_orders") and value} == {
        "portal_orders:held": 4, "portal_orders:ready": 2, "portal_orders:unconfirmed": 1,
    }  # fmt: skip
    assert 7200 <= found["portal_oldest_waiting_seconds"] < 7400


def test_metrics_count_stores_to_reconnect(app: Flask, world: World, client_of: Clients) -> None:
    assert figures(client_of)["portal_stores_reconnect_needed"] == 0
    change(app, Store, world.store_id, reconnect_needed_at=datetime.now(UTC))
    assert figures(client_of)["portal_stores_reconnect_needed"] == 1


def test_metrics_show_workers_and_queue_only_with_redis(
    app: Flask, world: World, client_of: Clients, redis_url: str
) -> None:
    without = figures(client_of)
    assert without["portal_redis_up"] == 0
    assert "portal_workers" not in without
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    queue.wake(queue.connect(redis_url), [Call(JobName.POLL, (1,)), Call(JobName.SUBMIT, (816,))])
    found = figures(client_of)
    assert (found["portal_redis_up"], found["portal_workers"], found["portal_queue_length"]) == (1, 0, 2)


def test_metrics_name_no_merchant_order_or_buyer(app: Flask, world: World, client_of: Clients) -> None:
    orders: Orders = put_orders(app, world)
    with statements(app) as ran:
        answer = client_of(None).get("/metrics").get_data(as_text=True)
    assert len(ran) == 9
    for private in ("Fern", "816", "Other Goods", "900", orders.ready, "Lovelace", world.owner):
        # As a whole: the digits of a measured time may contain any number.
        assert re.search(rf"(?<![\w.]){re.escape(private)}(?![\w.])", answer) is None


def test_metrics_say_how_old_the_oldest_orders_and_how_late_the_syncs_are(
    app: Flask, world: World, client_of: Clients
) -> None:
    now = datetime.now(UTC)
    place(app, world, now - timedelta(hours=2), OrderState.READY)
    place(app, world, now - timedelta(hours=1), OrderState.UNCONFIRMED)
    change(app, Store, world.store_id, next_poll_at=now - timedelta(minutes=10))
    found = figures(client_of)
    assert 7200 <= found["portal_oldest_ready_seconds"] < 7300
    assert 3600 <= found["portal_oldest_unconfirmed_seconds"] < 3700
    assert 600 <= found["portal_poll_lag_seconds"] < 700
    change(app, Store, world.store_id, reconnect_needed_at=now)
    assert figures(client_of)["portal_poll_lag_seconds"] < 60


def test_metrics_have_the_time_from_purchase_to_warehouse(app: Flask, world: World, client_of: Clients) -> None:
    now = datetime.now(UTC)
    for minutes, count in ((1, 2), (12, 1), (3000, 1)):
        placed = now - timedelta(minutes=minutes)
        place(app, world, placed, OrderState.SUBMITTED, count, submitted_at=now)
    place(app, world, now - timedelta(days=3), OrderState.SUBMITTED)
    found = figures(client_of)
    assert found["portal_purchase_to_warehouse_seconds_count"] == 4
    assert found["portal_purchase_to_warehouse_seconds_bucket:60.0"] == 2
    assert found["portal_purchase_to_warehouse_seconds_bucket:1200.0"] == 3
    assert found["portal_purchase_to_warehouse_seconds_bucket:+Inf"] == 4
    assert found["portal_purchase_to_warehouse_seconds_sum"] == (2 + 12 + 3000) * 60
