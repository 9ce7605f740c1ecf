"""The sync status on the dashboard: stores, workers, failures with their remedy, and syncing now."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from sqlalchemy import select

from portal import queue
from portal.extensions import db
from portal.models import AuditEntry, Merchant, Store
from portal.wording.stops import CHECK_CREDENTIALS, RECONNECT
from tests.views.conftest import get, post
from tests.views.dashboard_world import CONNECT, HERE, change, is_due
from tests.views.page import one, section, text, text_in

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients
    from tests.views.orders_world import Orders


def test_store_and_portal_are_said_to_work(
    app: Flask, orders: Orders, world: World, client_of: Clients, redis_url: str
) -> None:
    polled = datetime(2026, 11, 5, 8, 30, tzinfo=UTC)
    change(
        app, Store, world.store_id, name="Fern", last_polled_at=polled, next_poll_at=datetime(2126, 1, 1, tzinfo=UTC)
    )
    working = section(get(client_of(world.owner), HERE), "working")
    assert "Queue not reached" in text(working)
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    working = section(get(client_of(world.owner), HERE), "working")
    assert "Last read 2026-11-05 08:30 UTC Read next 2126-01-01 00:00 UTC" in text(working)
    assert text(working.select(".badge")[0]) == "Working"
    assert f"Last submission {orders.purged}, 2026" in text(working)
    assert "No worker" in text(working)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"workers": 2, "schedules": 1, "waiting": 0}, "Everything runs."),
        ({"workers": 1, "schedules": 0, "waiting": 0}, "No schedule"),
    ],
)
def test_workers_and_schedule(
    world: World, client_of: Clients, monkeypatch: pytest.MonkeyPatch, health: dict[str, int], words: str
) -> None:
    monkeypatch.setattr(queue, "health", lambda _: health)
    assert words in text(section(get(client_of(world.owner), HERE), "working"))


def test_a_refused_token_leads_to_reconnect(app: Flask, world: World, client_of: Clients) -> None:
    change(
        app, Store, world.store_id, name="Fern", reconnect_needed_at=datetime.now(UTC), next_poll_at=None,
        poll_error=RECONNECT,
    )  # fmt: skip
    client = client_of(world.owner)
    page = get(client, HERE)
    assert f"Fern: {RECONNECT}" in text_in(page, ".alert-danger")
    assert one(page, "#remedy-1")["href"] in CONNECT
    assert page.find(string="Run now") is None
    answer = post(client, f"/m/816/stores/{world.store_id}/poll")
    assert "Fern cannot be read" in answer.get_data(as_text=True)


def test_refused_credentials_lead_to_the_settings(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Merchant, 816, credentials_refused_at=datetime.now(UTC), credentials_refused_words="Bad <token>")
    page = get(client_of(world.owner), HERE)
    alert = text_in(page, ".alert-danger")
    assert alert.startswith(f'{CHECK_CREDENTIALS} The warehouse said: "Bad <token>".')
    assert one(page, "#remedy-1")["href"] == "/m/816/settings/credentials"


def test_outages_say_when_it_is_tried_again(app: Flask, world: World, client_of: Clients) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    change(app, Merchant, 816, fcp_after=later, fcp_error="The connection was refused.")
    change(app, Store, world.store_id, poll_error="Big Cartel answered 503.", next_poll_at=later)
    alerts = [text(alert) for alert in get(client_of(world.owner), HERE).select(".alert-warning")]
    again = f"It is tried again by itself: {later:%Y-%m-%d %H:%M} UTC"
    assert len(alerts) == 2
    assert all(again in alert for alert in alerts)
    assert "The connection was refused." in alerts[1]


def test_run_now_wakes_a_poll_and_writes_it_down(app: Flask, world: World, client_of: Clients, redis_url: str) -> None:
    change(app, Store, world.store_id, name="Fern", next_poll_at=datetime(2126, 1, 1, tzinfo=UTC))
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    client = client_of(world.owner)
    form = one(section(get(client, HERE), "working"), "form")
    answer = post(client, str(form["action"]))
    assert "Fern is read as soon as a worker is free" in answer.get_data(as_text=True)
    with Redis.from_url(redis_url) as connection:
        (job_id,) = queue.open_queue(connection).get_job_ids()
    assert job_id.startswith(f"poll-{world.store_id}-")
    with app.app_context():
        assert is_due(app, world.store_id)
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject, entry.merchant_id) == (
            world.owner, "store read now", "Fern", 816,
        )  # fmt: skip


def test_run_now_is_due_even_without_redis(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Store, world.store_id, next_poll_at=datetime(2126, 1, 1, tzinfo=UTC))
    assert post(client_of(world.owner), f"/m/816/stores/{world.store_id}/poll").status_code == 200
    with app.app_context():
        assert is_due(app, world.store_id)


def test_support_says_why_it_runs_a_store(app: Flask, world: World, client_of: Clients) -> None:
    client, url = client_of(world.support), f"/m/816/stores/{world.store_id}/poll"
    assert one(get(client, HERE), f"#run-{world.store_id}")["href"] == url
    assert "Say why" in post(client, url).get_data(as_text=True)
    post(client, url, reason="The merchant called")
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "store read now")).all()
        assert [(entry.actor, entry.reason) for entry in entries] == [(world.support, "The merchant called")]
