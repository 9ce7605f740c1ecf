"""A Redis server that hangs holds up no page for long, and no page holds the database's lock while it waits."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from redis.connection import AbstractConnection
from sqlalchemy import make_url

from embedded.process import launch
from embedded.redis import connection_error, prepare
from portal import create_app, queue
from portal.clients.circuit import Circuit
from portal.extensions import db, limiter
from tests.app.routes import Caller, all_routes
from tests.app.world import SUPPORT, build
from tests.conftest import settings_for
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.app.world import World

PATIENCE = 2.5
"""Seconds: one for Redis, and what a slow machine takes for the page."""
NOWHERE = "http://127.0.0.1:1"
HEALTH = ("/healthz", "/readyz", "/metrics")


class FreezableRedis:
    """A Redis server that can be stopped with SIGSTOP: it accepts connections and never answers."""

    def __init__(self, folder: Path) -> None:
        server = prepare(folder)
        self.url = server.url
        self.process = launch(server.command, output=subprocess.DEVNULL, folder=folder)
        eventually(lambda: not connection_error(self.url), "Redis answers")

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def freezable(tmp_path: Path) -> Iterator[FreezableRedis]:
    made = FreezableRedis(tmp_path)
    yield made
    made.process.kill()
    made.process.wait(10)


@pytest.fixture
def app(sqlite_url: str, freezable: FreezableRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())
    monkeypatch.setattr(limiter, "_storage_dead", False)
    app = create_app(
        settings_for(
            sqlite_url, REDIS_URL=freezable.url, BIGCARTEL_API_URL=NOWHERE, BIGCARTEL_TOKEN_URL=NOWHERE,
            FCP_API_URL=NOWHERE, BIGCARTEL_CLIENT_ID="id", BIGCARTEL_CLIENT_SECRET="secret",
            MAIL_URL=f"file://{tmp_path / 'mail'}",
        )
    )  # fmt: skip
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(app: Flask) -> World:
    return build(app)


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whether another process could write each time something connected to Redis: "" or SQLite's error."""
    path = make_url(app.config["SETTINGS"].database_url).database
    assert path
    seen: list[str] = []
    connect = AbstractConnection.connect

    def connect_and_note(self: AbstractConnection) -> None:
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            seen.append("")
        except sqlite3.OperationalError as error:
            seen.append(str(error))
        finally:
            other.close()
        connect(self)  # type: ignore[no-untyped-call]  # redis leaves it untyped

    monkeypatch.setattr(AbstractConnection, "connect", connect_and_note)
    return seen


def ready(client: FlaskClient) -> dict[str, str]:
    given: dict[str, str] = client.get("/readyz").get_json()
    return given


def forget_the_hang() -> None:
    """Make the next page ask Redis again, as it would a few seconds later."""
    queue._hung_until.clear()
    limiter._storage_dead = False


@pytest.mark.parametrize("viewer", ["merchant", "support", "anonymous"])
def test_every_page_answers_while_redis_hangs(
    app: Flask, world: World, freezable: FreezableRedis, asked: list[str], viewer: str
) -> None:
    caller = Caller(app, {"merchant": world.own.user, "support": SUPPORT, "anonymous": None}[viewer])
    urls = [
        route.url(world.own.arguments | {"token": "x"})
        for route in all_routes(app)
        if "GET" in route.methods and not route.rule.endpoint.endswith("static")
    ]
    assert set(HEALTH) < set(urls)
    before = {url: caller.send("GET", url).status_code for url in urls} | {"/readyz": 503}
    freezable.freeze()
    asked.clear()
    slow, changed = {}, {}
    for url in urls:
        forget_the_hang()
        started = time.monotonic()
        status = caller.send("GET", url).status_code
        if (took := time.monotonic() - started) > PATIENCE:
            slow[url] = took
        if status != before[url]:
            changed[url] = status
    assert (slow, changed) == ({}, {})
    assert asked
    assert set(asked) == {""}


def test_pages_say_that_redis_hangs_and_recover(app: Flask, world: World, freezable: FreezableRedis) -> None:
    client = Caller(app, world.own.user).client
    dashboard = f"/m/{world.own.arguments['merchant_id']}/"
    freezable.freeze()
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").status_code == 503
    assert (ready(client)["database"], ready(client)["redis"]) == ("ok", "unreachable")
    assert "portal_redis_up 0.0" in client.get("/metrics").text
    assert "Queue unreachable" in client.get(dashboard).text
    freezable.thaw()
    eventually(lambda: ready(client)["redis"] == "ok", "Redis is asked again")
    assert "portal_redis_up 1.0" in client.get("/metrics").text
    assert "No workers" in client.get(dashboard).text


def test_a_hanging_redis_is_waited_for_once(app: Flask, world: World, freezable: FreezableRedis) -> None:
    client = Caller(app, world.own.user).client
    freezable.freeze()
    client.get("/readyz")
    started = time.monotonic()
    for _ in range(5):
        assert ready(client)["redis"] == "unreachable"
    assert time.monotonic() - started < queue.ANSWER_SECONDS


@pytest.mark.parametrize(
    ("address", "fields", "words"),
    [
        ("/m/816/stores/{store_id}/poll", {}, "will sync as soon as a worker is free"),
        ("/m/816/settings/sending/pause", {}, "paused"),
        ("/m/816/settings/credentials", {"name": "Fern", "token": "another"}, "Merchant Token"),
        ("/connect", {"merchant_id": ""}, "Connect"),
        ("/log-in", {"email": "nobody@fern.example", "password": "wrong password"}, ""),
    ],
)
def test_forms_work_while_redis_hangs(
    app: Flask,
    world: World,
    freezable: FreezableRedis,
    asked: list[str],
    address: str,
    fields: dict[str, str],
    words: str,
) -> None:
    """Limiters count what these send, or workers are woken for it."""
    caller = Caller(app, world.own.user)
    freezable.freeze()
    forget_the_hang()
    started = time.monotonic()
    answer = caller.post(address.format(**world.own.arguments), fields)
    assert time.monotonic() - started < PATIENCE
    assert answer.status_code < 500
    assert words in answer.text
    assert asked
    assert set(asked) == {""}
