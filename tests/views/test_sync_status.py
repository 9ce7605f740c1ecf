"""Sync status on the dashboard: stores, workers, failures with their remedies, and “Sync now”."""

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


def test_sync_status_shows_stores_and_background_jobs(
    app: Flask, orders: Orders, world: World, client_of: Clients, redis_url: str
) -> None:
    polled = datetime(2026, 11, 5, 8, 30, tzinfo=UTC)
    change(
        app, Store, world.store_id, name="Fern", last_polled_at=polled, next_poll_at=datetime(2126, 1, 1, tzinfo=UTC)
    )
    status = section(get(client_of(world.owner), HERE), "sync-status")
    assert "Queue unreachable" in text(status)
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    status = section(get(client_of(world.owner), HERE), "sync-status")
    assert [moment["datetime"] for moment in status.select(".sync time")] == [
        "2026-11-05T08:30:00+00:00",
        "2126-01-01T00:00:00+00:00",
    ]
    assert text(status.select(".badge")[0]) == "Working"
    assert f"Last send attempt {orders.purged}, " in text(status)
    assert "No workers" in text(status)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"workers": 2, "schedules": 1, "waiting": 0}, "Running normally."),
        ({"workers": 1, "schedules": 0, "waiting": 0}, "No scheduler"),
    ],
)
def test_sync_status_shows_workers_and_scheduler(
    world: World, client_of: Clients, monkeypatch: pytest.MonkeyPatch, health: dict[str, int], words: str
) -> None:
    monkeypatch.setattr(queue, "health", lambda _: health)
    assert words in text(section(get(client_of(world.owner), HERE), "sync-status"))


def test_revoked_token_asks_to_reconnect_the_store(app: Flask, world: World, client_of: Clients) -> None:
    change(
        app, Store, world.store_id, name="Fern", reconnect_needed_at=datetime.now(UTC), next_poll_at=None,
        poll_error=RECONNECT,
    )  # fmt: skip
    client = client_of(world.owner)
    page = get(client, HERE)
    assert f"Fern: {RECONNECT}" in text_in(page, ".need-danger")
    assert one(page, "#remedy-1")["href"] in CONNECT
    assert page.find(string="Sync now") is None
    answer = post(client, f"/m/816/stores/{world.store_id}/poll")
    assert "Fern can&#39;t sync" in answer.get_data(as_text=True)


def test_rejected_credentials_link_to_settings(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Merchant, 816, credentials_refused_at=datetime.now(UTC), credentials_refused_words="Bad <token>")
    page = get(client_of(world.owner), HERE)
    needs = text_in(page, ".need-danger")
    assert needs.startswith(f'{CHECK_CREDENTIALS} The warehouse said: "Bad <token>".')
    assert one(page, "#remedy-1")["href"] == "/m/816/settings/credentials"


def test_outage_shows_the_next_try(app: Flask, world: World, client_of: Clients) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    change(app, Merchant, 816, fcp_after=later, fcp_error="The connection was refused.")
    change(app, Store, world.store_id, poll_error="Big Cartel answered 503.", next_poll_at=later)
    needs = get(client_of(world.owner), HERE).select(".need-warning")
    assert len(needs) == 2
    assert [one(need, "time")["datetime"] for need in needs] == [later.isoformat(timespec="seconds")] * 2
    assert "The connection was refused." in text(needs[1])


def test_sync_now_wakes_a_poll_and_is_audited(app: Flask, world: World, client_of: Clients, redis_url: str) -> None:
    change(app, Store, world.store_id, name="Fern", next_poll_at=datetime(2126, 1, 1, tzinfo=UTC))
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    client = client_of(world.owner)
    form = one(section(get(client, HERE), "sync-status"), "form")
    answer = post(client, str(form["action"]))
    assert "Fern will sync as soon as a worker is free" in answer.get_data(as_text=True)
    with Redis.from_url(redis_url) as connection:
        waiting = {job_id.rsplit("-", 1)[0] for job_id in queue.open_queue(connection).get_job_ids()}
    assert waiting == {"probe", f"poll-{world.store_id}", "credentials-816", "submit-816", "track-816"}
    with app.app_context():
        assert is_due(app, world.store_id)
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject, entry.merchant_id) == (
            world.owner, "store synced", "Fern", 816,
        )  # fmt: skip


def test_sync_now_makes_the_poll_due_without_redis(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Store, world.store_id, next_poll_at=datetime(2126, 1, 1, tzinfo=UTC))
    assert post(client_of(world.owner), f"/m/816/stores/{world.store_id}/poll").status_code == 200
    with app.app_context():
        assert is_due(app, world.store_id)


def test_sync_now_counts_the_store_again(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Store, world.store_id, last_swept_at=datetime.now(UTC))
    post(client_of(world.owner), f"/m/816/stores/{world.store_id}/poll")
    with app.app_context():
        store = db.session.get(Store, world.store_id)
        assert store is not None
        assert store.last_swept_at is None


def test_support_must_give_a_reason_to_sync_now(app: Flask, world: World, client_of: Clients) -> None:
    client, url = client_of(world.support), f"/m/816/stores/{world.store_id}/poll"
    assert one(get(client, HERE), f"#run-{world.store_id}")["href"] == url
    assert "Say why" in post(client, url).get_data(as_text=True)
    post(client, url, reason="The merchant called")
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "store synced")).all()
        assert [(entry.actor, entry.reason) for entry in entries] == [(world.support, "The merchant called")]
