"""Errors that nobody expected reach Sentry, from pages and jobs, with nothing about the buyer or the browser."""

from __future__ import annotations

import dataclasses
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import brotli
import pytest
import sentry_sdk
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

import jobs.stored
from jobs.worker import build
from portal.clients.errors import NotSent
from portal.logs import sentry
from portal.queue import Call, JobName, connect, wake
from tests.conftest import SECRET_KEY
from tests.views.conftest import post

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World

BUYER, STREET = "Xanthippe Quillfeather", "77 Zephyrwhistle Lane"


@pytest.fixture
def received(app: Flask) -> Iterator[list[str]]:
    """Everything that a Sentry server on this machine was sent, with its headers; this process reports to it."""
    got: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            decompress = {"gzip": gzip.decompress, "br": brotli.decompress}.get(
                self.headers.get("Content-Encoding", "")
            )
            body = decompress(body) if decompress else body
            got.append(f"{self.path}\n{self.headers}\n{body.decode()}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        dsn = f"http://public@127.0.0.1:{server.server_port}/1"
        sentry.start(dataclasses.replace(app.config["SETTINGS"], sentry_dsn=dsn))
        yield got
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
        server.shutdown()


def fails(*_: object, **__: object) -> None:
    buyer = {"name": BUYER, "address_1": STREET}
    raise RuntimeError(f"No parcel for {buyer} with {SECRET_KEY}")


def event(text: str) -> dict[str, Any]:
    """Return the event in what was received: the last line of the envelope."""
    found: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return found


def assert_nothing_private(text: str) -> None:
    for private in (
        BUYER,
        "Xanthippe",
        STREET,
        SECRET_KEY,
        "owner@fern.example",
        "Cookie",
        "session=",
        "csrf",
        "secret note",
    ):
        assert private not in text, private


def test_unexpected_error_of_a_page_arrives(
    world: World, owner: FlaskClient, received: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.views.settings.render_template", fails)
    monkeypatch.setattr("portal.views.settings.redirect", fails)
    headers = {"X-Request-ID": "seen-by-ana", "Authorization": "Bearer t0ken-of-ana"}
    answer = owner.get("/m/816/settings?note=secret+note", headers=headers)
    assert answer.status_code == 500
    post(owner, "/m/816/settings/sending/pause", reason="secret note")
    sentry.flush()
    assert received
    first = event(received[0])
    (error,) = first["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", "")
    assert error["stacktrace"]["frames"][-1]["function"] == "fails"
    assert first["tags"] == {"request": "seen-by-ana", "merchant": 816}
    assert "request" not in first
    assert "user" not in first
    for text in received:
        assert_nothing_private(text)
        assert "t0ken-of-ana" not in text


def test_unexpected_error_of_a_job_arrives_before_its_process_ends(
    app: Flask, world: World, received: list[str], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.stored.WITH_IDS, JobName.SUBMIT, fails)
    with connect(redis_url) as connection:
        wake(connection, [Call(JobName.SUBMIT, (816,))])
    build(app, redis_url).work(burst=True, logging_level="WARNING")
    (text,) = received
    assert event(text)["tags"]["job_name"] == "submit"
    assert event(text)["tags"]["job"].startswith("submit-816-")
    assert_nothing_private(text)


def test_what_is_expected_is_not_sent(received: list[str]) -> None:
    sentry.report(RedisError("away"))
    sentry.report(NotSent("we couldn't reach the warehouse.", service="the warehouse"))
    sentry.flush()
    (text,) = received
    assert event(text)["exception"]["values"][0]["value"] == "We couldn't reach the warehouse."


@pytest.mark.usefixtures("world")
def test_page_without_its_database_is_not_an_event(
    app: Flask, owner: FlaskClient, received: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        error = OperationalError("SELECT", {}, Exception("server closed the connection"))
        error.connection_invalidated = True
        raise error

    monkeypatch.setattr("portal.views.dashboard.render_template", away)
    assert owner.get("/m/816/").status_code == 503
    sentry.flush()
    assert received == []
