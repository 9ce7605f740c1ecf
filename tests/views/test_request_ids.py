"""The page for an error shows the request's id, which is also in the log and in the answer's header."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from portal.logs.work import CurrentWork
from tests.views.conftest import read
from tests.views.page import text

if TYPE_CHECKING:
    import pytest
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients


def fails(*_: object, **__: object) -> None:
    raise RuntimeError("Xanthippe Quillfeather, 77 Zephyrwhistle Lane")


def test_failed_page_shows_the_id_that_is_logged(
    world: World, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("portal.views.dashboard.render_template", fails)
    caplog.handler.addFilter(CurrentWork())
    answer = owner.get("/m/816/", headers={"X-Request-ID": "quoted-to-support-1"})
    assert answer.headers["X-Request-ID"] == "quoted-to-support-1"
    assert "Error 500 · Request quoted-to-support-1" in text(read(answer, 500))
    (record,) = [record for record in caplog.records if record.message == "page.failed"]
    assert vars(record)["request"] == "quoted-to-support-1"
    assert vars(record)["merchant"] == 816
    assert record.levelno == logging.ERROR


def test_every_answer_has_an_id(app: Flask, client_of: Clients) -> None:
    client = client_of(None)
    ids = {client.get(path).headers["X-Request-ID"] for path in ("/healthz", "/nowhere", "/static/nothing", "/log-in")}
    assert len(ids) == 4
