"""A Redis server that hangs holds up no page for long, and no page holds the database's lock while it waits."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from redis.connection import AbstractConnection
from sqlalchemy import make_url

from embedded.process import launch
from embedded.redis import connection_error, prepare
from portal import queue
from portal.clients.circuit import Circuit
from portal.page_extensions import limiter
from tests.app.isolated import isolated_app
from tests.app.routes import Caller, all_routes
from tests.app.world import SUPPORT
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.app.world import World

PATIENCE = 1.5
"""Seconds that a page may wait for Redis altogether. Its own work is not included: test machines are slow."""
HANGING = 10.0
"""Seconds after which a page hangs, however slow the machine is."""
HEALTH = ("/healthz", "/readyz", "/metrics")


@dataclass(frozen=True)
class Asked:
    """A try to connect to Redis: why no other process could have written to the database then, and the wait."""

    lock_error: str
    seconds: float


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
    oauth = {"BIGCARTEL_CLIENT_ID": "id", "BIGCARTEL_CLIENT_SECRET": "secret"}
    with isolated_app(sqlite_url, tmp_path, REDIS_URL=freezable.url, **oauth) as app:
        yield app


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What happened each time something connected to Redis."""
    path = make_url(app.config["SETTINGS"].database_url).database
    assert path
    seen: list[Asked] = []
    connect = AbstractConnection.connect

    def connect_and_note(self: AbstractConnection) -> None:
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            lock_error = ""
        except sqlite3.OperationalError as error:
            lock_error = str(error)
        finally:
            other.close()
        started = time.monotonic()
        try:
            connect(self)  # type: ignore[no-untyped-call]  # redis leaves it untyped
        finally:
            seen.append(Asked(lock_error, time.monotonic() - started))

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
    app: Flask, world: World, freezable: FreezableRedis, asked: list[Asked], viewer: str
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
    waits, changed = {}, {}
    for url in urls:
        forget_the_hang()
        asked.clear()
        started = time.monotonic()
        status = caller.send("GET", url).status_code
        assert time.monotonic() - started < HANGING, url
        assert {one.lock_error for one in asked} <= {""}, url
        waits[url] = sum(one.seconds for one in asked)
        if status != before[url]:
            changed[url] = status
    assert changed == {}
    assert max(waits.values()) < PATIENCE, waits
    assert waits["/healthz"] == 0
    assert waits["/readyz"] > 0


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


def test_a_hanging_redis_is_waited_for_once(
    app: Flask, world: World, freezable: FreezableRedis, asked: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "HANG_SECONDS", 60.0)
    client = Caller(app, world.own.user).client
    freezable.freeze()
    asked.clear()
    for _ in range(3):
        assert ready(client)["redis"] == "unreachable"
    assert len(asked) == 1


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
    asked: list[Asked],
    address: str,
    fields: dict[str, str],
    words: str,
) -> None:
    """Limiters count what these send, or workers are woken for it."""
    caller = Caller(app, world.own.user)
    freezable.freeze()
    forget_the_hang()
    asked.clear()
    answer = caller.post(address.format(**world.own.arguments), fields)
    assert 0 < sum(one.seconds for one in asked) < 2 * PATIENCE
    assert {one.lock_error for one in asked} == {""}
    assert answer.status_code < 500
    assert words in answer.text
