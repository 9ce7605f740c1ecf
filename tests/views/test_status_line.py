"""The status line of every page: never calm beside trouble, and never a code in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from portal.extensions import db
from portal.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Host,
    HostName,
    IncidentKind,
    Merchant,
    Order,
    OrderState,
    Store,
    Trigger,
)
from tests.views.conftest import get
from tests.views.counting import statements
from tests.views.dashboard_world import change, place
from tests.views.page import one, text
from tests.views.test_incidents import put

if TYPE_CHECKING:
    from bs4 import Tag
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients

NOW = datetime.now(UTC)
"""When this file was read, which may be many minutes before a test runs."""
PAGES = ("", "orders", "products", "shipping", "incidents", "attempts", "settings")


@pytest.fixture
def live(app: Flask, world: World) -> None:
    """Make the store live, just synced, with one order sent 40 seconds before NOW and complete."""
    synced = datetime.now(UTC)
    change(app, Store, world.store_id, live=True, last_polled_at=synced, next_poll_at=synced + timedelta(seconds=40))
    place(app, world, NOW, OrderState.COMPLETED, document="", purged_at=NOW)
    add_attempt(app, AttemptOutcome.DONE, NOW - timedelta(seconds=40))


def add_attempt(app: Flask, outcome: AttemptOutcome, at: datetime) -> None:
    with app.app_context():
        order = db.session.query(Order.id).limit(1).scalar()
        values: dict[str, Any] = {
            "merchant_id": 816, "order_id": order, "kind": AttemptKind.SUBMIT, "trigger": Trigger.SCHEDULE,
            "outcome": outcome, "started_at": at, "finished_at": at,
        }  # fmt: skip
        db.session.execute(insert(Attempt), [values])
        db.session.commit()


def line(client: FlaskClient, path: str = "") -> Tag:
    return one(get(client, f"/m/816/{path}"), "#status")


def fails(app: Flask, name: HostName, error: str) -> None:
    with app.app_context():
        db.session.merge(
            Host(name=name, failing_since=NOW - timedelta(minutes=9), error=error, probe_at=NOW + timedelta(seconds=25))
        )
        db.session.commit()


@pytest.mark.usefixtures("live")
def test_all_is_well_with_the_last_success(owner: FlaskClient) -> None:
    for page in PAGES:
        shown = line(owner, page)
        assert shown["data-level"] == "ok"
        assert text(shown).startswith("Everything is syncing · last synced ")
        assert "last order sent " in text(shown)


@pytest.mark.usefixtures("live")
def test_last_success_is_no_failed_attempt(app: Flask, owner: FlaskClient) -> None:
    add_attempt(app, AttemptOutcome.UNKNOWN, NOW)
    sent = one(line(owner), ".fact:last-of-type time")["datetime"]
    assert sent == (NOW - timedelta(seconds=40)).isoformat(timespec="seconds")


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("name", "error", "headline"),
    [
        (HostName.WAREHOUSE, "The warehouse returned an error (HTTP 503).", "The warehouse has been returning errors"),
        (HostName.WAREHOUSE, "We couldn't reach the warehouse.", "The warehouse has been unreachable"),
        (HostName.BIG_CARTEL, "Big Cartel timed out.", "Big Cartel has been unreachable"),
    ],
)
def test_service_that_fails_says_since_when_what_waits_and_when_we_try_again(
    app: Flask, world: World, owner: FlaskClient, name: HostName, error: str, headline: str
) -> None:
    fails(app, name, error)
    place(app, world, NOW, OrderState.READY, 20)
    shown = line(owner, "orders")
    assert shown["data-level"] == "trouble"
    assert text(shown).startswith(f"{headline} since ")
    assert " · 20 orders waiting, nothing is lost · next try " in text(shown)
    assert "HTTP" not in text(shown)
    assert "503" not in text(shown)


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("state", "columns"),
    [
        (OrderState.REJECTED, {}),
        (OrderState.READY, {"next_attempt_at": None}),
        (OrderState.SHIPPED, {"next_attempt_at": None}),
        (OrderState.SUBMITTED, {"fcp_missing_since": NOW}),
        (OrderState.HELD, {"holds": [{"reason": "no_sku", "detail": "Mug"}]}),
    ],
)
def test_order_that_needs_attention_is_enough(
    app: Flask, world: World, owner: FlaskClient, state: OrderState, columns: dict[str, Any]
) -> None:
    """Incidents are looked for once a minute; the order's page says it at once."""
    place(app, world, NOW, state, **columns)
    assert line(owner)["data-level"] == "attention"


@pytest.mark.usefixtures("live")
def test_order_that_waits_for_the_buyer_needs_no_attention(app: Flask, world: World, owner: FlaskClient) -> None:
    place(app, world, NOW, OrderState.HELD, holds=[{"reason": "payment_not_completed", "detail": "pending"}])
    assert line(owner)["data-level"] == "ok"


@pytest.mark.usefixtures("live")
def test_next_try_that_is_due_is_now_and_never_past(app: Flask, owner: FlaskClient) -> None:
    fails(app, HostName.WAREHOUSE, "We couldn't reach the warehouse.")
    with app.app_context():
        db.session.query(Host).update({"probe_at": NOW - timedelta(seconds=5)})
        db.session.commit()
    assert text(line(owner)).endswith(" next try now")


@pytest.mark.usefixtures("live")
def test_open_incidents_are_named_worst_first_with_the_fix(app: Flask, owner: FlaskClient) -> None:
    put(app, "3 orders on hold for long", IncidentKind.ORDERS_ON_HOLD)
    assert one(line(owner), "a", "View orders on hold")["href"] == "/m/816/orders?state=held"
    put(app, "2 orders rejected: unknown SKU", IncidentKind.ORDERS_REJECTED)
    put(app, "1 order rejected: elsewhere", IncidentKind.ORDERS_REJECTED, merchant_id=900)
    assert "2 orders rejected: unknown SKU · 1 more open incident" in text(line(owner))


@pytest.mark.usefixtures("live")
def test_what_only_the_operator_can_fix_is_said_without_detail(app: Flask, owner: FlaskClient) -> None:
    put(app, "No worker is running", IncidentKind.NO_WORKER, merchant_id=None)
    assert line(owner)["data-level"] == "trouble"
    assert "Something on our side has been slowing things down since " in text(line(owner))
    assert "worker" not in text(line(owner))


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("kind", "columns", "level", "headline", "button"),
    [
        (Store, {"reconnect_needed_at": NOW}, "trouble", "Big Cartel has not accepted our access", "Reconnect store"),
        (Store, {"poll_error": "Odd answer (HTTP 500)."}, "trouble", "couldn't sync", ""),
        (Store, {"next_poll_at": NOW - timedelta(hours=1)}, "trouble", "syncing is running late", ""),
        (Store, {"sealed_token": ""}, "idle", "No store is connected yet", "Connect store"),
        (Store, {"live": False}, "idle", "Setup isn't complete", "Complete setup"),
        (Merchant, {"credentials_refused_at": NOW}, "trouble", "rejected your credentials", "Update credentials"),
        (Merchant, {"paused": True}, "idle", "Sending is paused", "Change settings"),
        (Merchant, {"test_mode": True}, "idle", "Test mode is on", "Change settings"),
    ],
)
def test_what_stops_a_merchant_is_said_with_its_fix(
    app: Flask, world: World, owner: FlaskClient, kind: type[Store | Merchant], columns: dict[str, Any],
    level: str, headline: str, button: str,
) -> None:  # fmt: skip
    change(app, kind, world.store_id if kind is Store else 816, **columns)
    shown = line(owner, "settings")
    assert shown["data-level"] == level
    assert headline in text(shown)
    assert "HTTP" not in text(shown)
    assert [text(link) for link in shown.select("a")] == ([button] if button else [])


@pytest.mark.usefixtures("live")
def test_support_sees_the_worst_of_all_merchants(app: Flask, world: World, client_of: Clients) -> None:
    support = client_of(world.support)
    assert one(get(support, "/support/audit"), "#status")["data-level"] == "ok"
    put(app, "A", IncidentKind.ORDERS_ON_HOLD)
    put(app, "No worker is running", IncidentKind.NO_WORKER, merchant_id=None)
    shown = one(get(support, "/support/audit"), "#status")
    assert shown["data-level"] == "trouble"
    assert text(shown).startswith("No worker is running since ")
    assert "1 more open incident · 1 merchant affected" in text(shown)


@pytest.mark.usefixtures("live")
def test_line_reloads_itself_in_a_few_queries(app: Flask, owner: FlaskClient) -> None:
    assert line(owner, "orders")["hx-get"] == "/m/816/status"
    with statements(app) as ran:
        assert owner.get("/m/816/status").status_code == 200
    # The user, the merchant, its stores, the services, the incidents, and the orders' figures.
    assert len(ran) <= 6, ran


def test_strangers_see_no_line(client_of: Clients) -> None:
    assert not get(client_of(None), "/log-in").select("#status")
