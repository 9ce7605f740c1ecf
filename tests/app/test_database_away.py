"""While the database restarts or is locked, pages answer 503 with a sentence, and recover afterwards."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.database import is_unavailable
from portal.extensions import db
from portal.page_extensions import limiter
from portal.reports import overview
from tests.app.isolated import isolated_app
from tests.app.routes import Caller, all_routes
from tests.app.world import SUPPORT
from tests.outages import database_away
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.app.world import World

    Outage = Callable[[], AbstractContextManager[None]]

SENTENCE = "We can't reach our database right now. It's usually back within a minute, and no orders are lost."


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr("portal.database.BUSY_SECONDS", 0.05)
    monkeypatch.setattr(limiter, "enabled", False)
    with isolated_app(database_url, tmp_path) as app:
        yield app


@pytest.fixture
def outage(app: Flask, request: pytest.FixtureRequest) -> Outage:
    """A context in which the database can't be used."""
    url = app.config["SETTINGS"].database_url
    return lambda: database_away(url, lambda: str(request.getfixturevalue("postgres_server")))


def check_page(answer: TestResponse) -> BeautifulSoup:
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    page = BeautifulSoup(answer.text, "html.parser")
    assert text_in(page, "h1") == "Temporarily unavailable"
    assert text_in(page, "p.lead").startswith(SENTENCE)
    assert "Log in" not in answer.text
    return page


def test_every_page_says_that_the_database_is_away(app: Flask, world: World, outage: Outage) -> None:
    for viewer in (world.own.user, SUPPORT):
        caller = Caller(app, viewer)
        urls = [
            route.url(world.own.arguments | {"token": "x"})
            for route in all_routes(app)
            if "GET" in route.methods
            and not route.rule.endpoint.endswith("static")
            and not route.rule.endpoint.startswith("health.")
        ]
        before = {url: caller.send("GET", url).status_code for url in urls}
        with outage():
            for url in urls:
                page = check_page(caller.send("GET", url))
                assert str(one(page, "main a.btn-primary", "Reload page")["href"]).startswith(url)
        assert {url: caller.send("GET", url).status_code for url in urls} == before


def test_part_of_a_page_is_the_sentence_alone(app: Flask, world: World, outage: Outage) -> None:
    client: FlaskClient = Caller(app, world.own.user).client
    with outage():
        answer = client.get("/m/816/", headers={"HX-Request": "true", "HX-Target": "live"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.mimetype == "text/plain"
    assert answer.text == f"This page may be out of date: w{SENTENCE[1:]}"


def test_form_does_not_claim_that_nothing_was_saved(
    app: Flask, world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    caller = Caller(app, world.own.user)
    with outage():
        page = check_page(caller.send("POST", "/m/816/settings/sending/pause"))
    assert "We don't know if your change was saved." in text_in(page, "p.lead")
    (record,) = (record for record in caplog.records if record.message == "page.database_unavailable")
    assert record.levelname == "ERROR"
    assert record.__dict__["endpoint"] == "merchant.settings.sending"
    assert record.__dict__["error"]


def test_database_that_goes_away_halfway_through_a_page(
    app: Flask, world: World, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merchant and the user are loaded by then."""
    client = Caller(app, world.own.user).client
    with ExitStack() as stack:

        def open_orders(*_: object) -> None:
            db.session.commit()
            stack.enter_context(outage())
            db.session.execute(text("SELECT 1"))

        monkeypatch.setattr(overview, "open_orders", open_orders)
        check_page(client.get("/m/816/"))


def test_pages_that_need_no_database_still_work(app: Flask, world: World, outage: Outage) -> None:
    visitor = Caller(app, None).client
    member = Caller(app, world.own.user).client
    with outage():
        assert visitor.get("/").status_code == 200
        assert visitor.get("/log-in").status_code == 200
        assert member.get("/healthz").status_code == 200
        assert member.get("/readyz").get_json()["database"] != "ok"
        assert member.get("/no/such/page").status_code == 404


def raised_by(app: Flask, statement: str) -> SQLAlchemyError:
    with app.app_context():
        try:
            db.session.execute(text(statement))
        except SQLAlchemyError as error:
            db.session.rollback()
            return error
    pytest.fail("no error")


def test_our_own_mistakes_are_not_called_an_outage(app: Flask) -> None:
    for statement in ("SELECT nothing FROM nowhere", "SELECT SELECT"):
        error = raised_by(app, statement)
        assert isinstance(error, DBAPIError)
        assert not is_unavailable(error)
    assert not is_unavailable(ProgrammingError("SELECT 1", {}, Exception()))
    assert is_unavailable(PoolTimeout("QueuePool limit reached"))
