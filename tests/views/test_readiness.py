"""/readyz, /metrics and the dashboard say how many workers and schedules are running, and how many should be."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from portal import queue
from tests.views.conftest import get
from tests.views.dashboard_world import HERE
from tests.views.page import section, text

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients


@pytest.fixture
def expecting(app: Flask) -> None:
    """Two workers and two schedules are expected."""
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], workers=2, schedules=2)


def running(monkeypatch: pytest.MonkeyPatch, workers: int, schedules: int) -> None:
    found = {"workers": workers, "schedules": schedules, "waiting": 0}
    monkeypatch.setattr(queue, "health", lambda _: found)


@pytest.mark.usefixtures("expecting")
@pytest.mark.parametrize(
    ("workers", "schedules", "status", "words"),
    [
        (2, 2, 200, ("ok", "ok")),
        (3, 2, 200, ("ok", "ok")),
        (1, 2, 503, ("1 of 2 running", "ok")),
        (2, 1, 503, ("ok", "1 of 2 running")),
        (0, 0, 503, ("none running", "not running")),
    ],
)
def test_readiness_needs_every_expected_worker_and_schedule(
    client_of: Clients,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
    schedules: int,
    status: int,
    words: tuple[str, str],
) -> None:
    running(monkeypatch, workers, schedules)
    answer = client_of(None).get("/readyz")
    assert answer.status_code == status
    assert answer.get_json() == {
        "status": "ok" if status == 200 else "not ready",
        "database": "ok",
        "redis": "ok",
        "workers": words[0],
        "schedule": words[1],
        "running": {"workers": workers, "schedules": schedules},
        "expected": {"workers": 2, "schedules": 2},
    }


def test_readiness_without_redis_gives_no_counts(client_of: Clients) -> None:
    answer = client_of(None).get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {"status": "not ready", "database": "ok", "redis": "unreachable"}


@pytest.mark.usefixtures("expecting")
def test_metrics_give_expected_numbers(client_of: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, 1, 1)
    lines = client_of(None).get("/metrics").text.splitlines()
    assert {"portal_workers 1.0", "portal_workers_expected 2.0", "portal_schedules_expected 2.0"} <= set(lines)


@pytest.mark.usefixtures("expecting")
def test_dashboard_tells_support_that_a_worker_is_missing(
    world: World, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merchants can't start one, and their orders are sent all the same."""
    running(monkeypatch, 1, 2)
    status = section(get(client_of(world.support), HERE), "sync-status")
    assert "Fewer than expected 1 of 2 workers, 2 of 2 schedulers running." in text(status)
    assert "Running normally." in text(section(get(client_of(world.owner), HERE), "sync-status"))
    running(monkeypatch, 2, 2)
    status = section(get(client_of(world.support), HERE), "sync-status")
    assert "Running normally. 2 workers, 2 schedulers." in text(status)


@pytest.mark.usefixtures("expecting", "world")
def test_doctor_says_how_many_are_missing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, 1, 2)
    lines = app.test_cli_runner().invoke(args=["doctor"]).output.splitlines()
    assert "ok     Schedule" in lines
    (workers,) = (line for line in lines if "Workers" in line)
    assert workers.startswith("WRONG  Workers: 1 of 2 running. Start another one with: python -m jobs.worker.")
