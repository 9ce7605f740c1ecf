"""systemd accepts the units, and they run the commands of docs/operations.md."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest

from embedded.process import launch
from portal import create_app
from tests.conftest import ROOT, settings_for
from tests.deploy.judges import judge
from tests.docs import shell
from tests.embedded.processes import eventually
from tests.jobs.site import environ

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "deploy/systemd"
COMMON = (FOLDER / "portal-.service.d/common.conf").read_text(encoding="utf-8")
UNITS = ["portal.target", "portal-web.socket", "portal-web.service", "portal-worker@1.service",
         "portal-schedule.service", "portal-watch.service", "portal-migrate@1.2.0.service"]  # fmt: skip
SERVICES = sorted(FOLDER.glob("*.service"))
STARTED = re.compile(r"^ExecStart=(\S+/)?(.*)$", re.MULTILINE)


def verified(folder: Path, text: str = "") -> str:
    """Return what systemd says about the units, with programs that exist and the text added to what all have."""
    shutil.copytree(FOLDER, folder)
    for path in folder.glob("*.service"):
        path.write_text(STARTED.sub("ExecStart=/bin/sh", path.read_text()))
    (folder / "portal-.service.d/common.conf").write_text(COMMON + text)
    done = subprocess.run(
        [judge("systemd-analyze"), "verify", "--man=no", "--generators=no", *UNITS],
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_LOG_LEVEL": "warning"},
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "portal" in line]
    return "\n".join(ours) or ("" if done.returncode == 0 else done.stderr)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    assert verified(tmp_path / "units") == ""


def test_what_all_services_have_reaches_them_all(tmp_path: Path) -> None:
    said = verified(tmp_path / "units", "NoSuchKey=1\n")
    assert said.count("Unknown key 'NoSuchKey'") >= len(SERVICES)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_commands_exist_and_are_those_of_the_operations_page(path: Path) -> None:
    ((folder, command),) = STARTED.findall(path.read_text())
    assert re.fullmatch(r"/opt/portal/(current|%i)/.venv/bin/", folder)
    assert f"WorkingDirectory={folder.removesuffix('/.venv/bin/')}\n" in path.read_text()
    assert shell.problem_with(create_app(settings_for("sqlite://")), shlex.split(command)) == ""
    assert command in (ROOT / "docs/operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_waits_for_a_migration_however_long_it_takes(path: Path) -> None:
    """A worker or watch that starts too early exits with 1."""
    assert "StartLimitIntervalSec=0" in COMMON
    assert ("Restart=always" in path.read_text()) is ("Type=oneshot" not in path.read_text())


def test_a_stopped_worker_may_finish_its_job() -> None:
    assert "KillMode=mixed" in COMMON
    assert "TimeoutStopSec=60" in (FOLDER / "portal-worker@.service").read_text()


def test_nginx_leads_where_the_socket_listens() -> None:
    (address,) = re.findall(r"^ListenStream=(.*)$", (FOLDER / "portal-web.socket").read_text(), re.MULTILINE)
    assert f"set $portal {address};" in (ROOT / "deploy/nginx.conf").read_text()


@contextmanager
def web(listening: socket.socket, folder: Path) -> Iterator[None]:
    """The web process, with a socket that is already open, as systemd passes it."""
    ((_, command),) = STARTED.findall((FOLDER / "portal-web.service").read_text())
    settings = settings_for(f"sqlite:///{folder / 'none.sqlite3'}", REDIS_URL="redis://127.0.0.1:1/0")
    start = f'exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "{sys.executable}" -m {command}'
    with (folder / "log").open("ab") as output:
        process = launch(
            ["/bin/sh", "-c", start],
            output=output,
            folder=ROOT,
            environ={**os.environ, **environ(settings)},
            stdin=listening.fileno(),
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def status(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", "/healthz", headers={"Connection": "close"})
        return client.getresponse().status


def test_no_request_fails_while_the_web_process_is_restarted(tmp_path: Path) -> None:
    """The socket outlives the web process, so clients that come meanwhile wait."""
    answers: list[int] = []
    restarted = Event()

    def ask(port: int) -> None:
        while not restarted.is_set():
            answers.append(status(port))

    with closing(socket.create_server(("127.0.0.1", 0))) as listening, ThreadPoolExecutor(4) as clients:
        port = listening.getsockname()[1]
        asking = [clients.submit(ask, port) for _ in range(4)]  # before anything runs
        try:
            with web(listening, tmp_path):
                eventually(lambda: len(answers) > 100, "the first one answers", seconds=60)
            before = len(answers)
            with web(listening, tmp_path):
                eventually(lambda: len(answers) > before + 100, "the second one answers", seconds=60)
                restarted.set()
                for one in asking:
                    one.result()
        finally:
            restarted.set()
    assert set(answers) == {200}
