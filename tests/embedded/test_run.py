"""`make run` from the outside: what it prints, what it stores, and what is left when it stops."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import requests
from dotenv import dotenv_values

from config import Settings
from embedded import redis
from embedded.instance import locked
from tests.embedded.processes import MARK, eventually, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("PORT", "SANDBOX_BIGCARTEL_PORT", "SANDBOX_FCP_PORT")
OWN = {*PORTS, *(field.name.upper() for field in fields(Settings))}


class Run:
    """One `make run` in its own session, with its own instance folder and ports."""

    def __init__(self, instance: Path, **environ: str) -> None:
        self.instance, self.mark = instance, uuid4().hex
        self.ports = {name: str(redis.free_port()) for name in PORTS}
        kept = {name: value for name, value in os.environ.items() if name not in OWN}
        self.output, self.errors = instance.with_suffix(".out"), instance.with_suffix(".err")
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "embedded.run", "--instance", str(instance)],
                cwd=ROOT,
                env={**kept, **self.ports, **environ, MARK: self.mark},
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text() + self.errors.read_text()

    def until(self, text: str, seconds: float = 60) -> None:
        eventually(
            lambda: text in self.said() or self.process.poll() is not None,
            f"it prints {text!r}",
            seconds=seconds,
        )
        assert text in self.said(), self.said()

    def url(self, port: str, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def children(self, program: str) -> list[int]:
        """Return the processes with this text in their command, the oldest first."""
        return sorted(pid for pid, command in marked(self.mark).items() if program in command)

    def has_other(self, program: str, than: int) -> bool:
        return bool(set(self.children(program)) - {than})

    def ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(60) == 0, self.said()

    def redis_url(self) -> str:
        return dotenv_values(self.instance / "run.env")["REDIS_URL"] or ""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """A function that starts a run. Whatever is left of it is killed after the test."""
    runs: list[Run] = []

    def start(**environ: str) -> Run:
        runs.append(Run(tmp_path / "instance", **environ))
        return runs[-1]

    yield start
    for run in runs:
        for pid in marked(run.mark):
            os.kill(pid, signal.SIGKILL)
        run.process.wait()


def refusal(run: Run) -> str:
    """Return the only line that a run printed before it exited without starting anything."""
    assert run.process.wait(30) == 1
    assert run.output.read_text() == ""
    (line,) = run.errors.read_text().splitlines()
    assert marked(run.mark) == {}
    return line


@pytest.mark.parametrize("name", PORTS)
def test_taken_port_is_named_with_the_variable_that_changes_it(name: str, start: Callable[..., Run]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = refusal(start(**{name: str(port)}))
    assert sentence.startswith(f"Can't listen on port {port}: Address already in use.")
    assert f"{name}=" in sentence


REAL = {"BIGCARTEL_CLIENT_ID": "an-id", "BIGCARTEL_CLIENT_SECRET": "a-secret"}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PORT": "eighty"}, "PORT must be a port from 1 to 65535, not 'eighty'."),
        ({"PORT": "65536"}, "PORT must be a port"),
        ({"BIGCARTEL_CLIENT_ID": "an-id"}, "BIGCARTEL_CLIENT_SECRET is not."),
        ({"FCP_API_URL": "http://127.0.0.1:1/xml"}, "FCP_API_URL is set, but BIGCARTEL_CLIENT_ID is not."),
        ({"POLL_SECONDS": "often"}, "POLL_SECONDS must be a whole number"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "Can't use the Redis server at REDIS_URL: "),
        ({**REAL, "TOKEN_KEYS": "short"}, "TOKEN_KEYS: key 1 is not a Fernet key"),
    ],
)
def test_wrong_setting_prints_one_line(environ: dict[str, str], said: str, start: Callable[..., Run]) -> None:
    assert said in refusal(start(**environ))


def test_second_run_from_the_same_folder_is_refused(tmp_path: Path, start: Callable[..., Run]) -> None:
    with locked(tmp_path / "instance"):
        assert "already running from" in refusal(start())


def test_sandbox_orders_are_completed_and_ctrl_c_stops_every_process(start: Callable[..., Run]) -> None:
    run = start(POLL_SECONDS="2", TRACK_SECONDS="2")
    run.until("Press Ctrl-C to stop")
    for port in PORTS:
        assert run.url(port) in run.said()
        assert requests.get(run.url(port), timeout=5).ok
    assert stat.S_IMODE((run.instance / "run.env").stat().st_mode) == 0o600

    def orders() -> str:
        flask = [".venv/bin/flask", "-e", str(run.instance / "run.env"), "--app", "wsgi"]
        kept = {name: value for name, value in os.environ.items() if name not in OWN}
        done = subprocess.run(
            [*flask, "orders", "list"], cwd=ROOT, env=kept, capture_output=True, text=True, check=True
        )
        return done.stdout

    eventually(lambda: "At the warehouse" in orders(), "an order is at the warehouse", seconds=60)
    eventually(lambda: "Complete " in orders(), "an order is marked shipped in Big Cartel", seconds=90)
    redis_url, secrets = run.redis_url(), (run.instance / "secrets.env").read_text()
    run.ctrl_c()
    assert marked(run.mark) == {}
    assert redis.connection_error(redis_url)
    assert "Traceback" not in run.said()

    again = start()  # continues from the stored data
    again.until("Press Ctrl-C to stop")
    assert "Complete " in orders()
    assert (again.instance / "secrets.env").read_text() == secrets
    again.ctrl_c()
    assert marked(again.mark) == {}


def test_killed_run_leaves_no_process_behind(start: Callable[..., Run]) -> None:
    run = start()
    run.until("Press Ctrl-C to stop")
    redis_url = run.redis_url()
    run.process.kill()
    eventually(lambda: not marked(run.mark), "every process has exited", seconds=60)
    eventually(lambda: redis.connection_error(redis_url), "Redis has stopped")


def test_killed_process_is_restarted(start: Callable[..., Run]) -> None:
    run = start()
    run.until("Press Ctrl-C to stop")
    for program, name in [
        ("jobs.worker", "worker"),
        ("jobs.schedule", "schedule"),
        ("jobs.watch", "watch"),
        ("gunicorn", "web"),
    ]:
        leader = run.children(program)[0]
        os.kill(leader, signal.SIGKILL)
        run.until(f"{name:<8} | exited (SIGKILL)")
        eventually(partial(run.has_other, program, leader), f"{name} is restarted")
    eventually(lambda: _answers(run.url("PORT", "/healthz")), "the portal answers again")
    run.ctrl_c()
    assert marked(run.mark) == {}


def test_real_services_run_without_the_sandbox(start: Callable[..., Run]) -> None:
    run = start(**REAL, WORKERS="2", BIGCARTEL_API_URL="http://127.0.0.1:1/v1", FCP_API_URL="http://127.0.0.1:1/xml")
    run.until("Press Ctrl-C to stop")
    assert "sandbox" not in run.said().replace(str(run.instance), "")
    assert run.children("sandbox") == []
    settings = dotenv_values(run.instance / "run.env")
    assert settings["BIGCARTEL_API_URL"] == "http://127.0.0.1:1/v1"
    assert settings["DATABASE_URL"] == f"sqlite:///{run.instance}/portal.sqlite3"
    eventually(lambda: requests.get(run.url("PORT", "/readyz"), timeout=5).ok, "two workers run", seconds=60)
    assert requests.get(run.url("PORT", "/readyz"), timeout=5).json()["running"]["workers"] == 2
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(60) == 0
    assert marked(run.mark) == {}


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
