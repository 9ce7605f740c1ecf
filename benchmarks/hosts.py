"""Hosts on a network of their own, on one machine: network namespaces on one switch. Linux only.

The switch is this process's own network namespace, so nothing of it outlives the process, and the machine's network
stays as it is. It takes root, or a kernel that lets users create namespaces.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
"""From the kernel's include/uapi/linux/sched.h; the os module has it since Python 3.12."""
SWITCH = "switch"
NETWORK = "10.77.0."
ON_A_SWITCH = "PORTAL_ON_A_SWITCH"
"""Set in the process that runs on the network of its own."""

_LIBC = ctypes.CDLL(None, use_errno=True)


class HostsError(Exception):
    """The machine doesn't allow network namespaces. The text is for the person who started the program."""


def on_a_switch(module: str) -> None:
    """Start the module again on a network of its own, unless that has been done. Raises HostsError."""
    if ON_A_SWITCH in os.environ:
        _ip("link", "add", SWITCH, "type", "bridge")
        _ip("address", "add", f"{NETWORK}1/24", "dev", SWITCH)
        for name in ("lo", SWITCH):
            _ip("link", "set", name, "up")
        return
    as_user = ["--user", "--map-current-user", "--keep-caps"] if os.geteuid() else []
    unshare = [_program("unshare"), *as_user, "--net"]
    probe = [*unshare, _program("ip"), "link", "add", SWITCH, "type", "bridge"]
    tried = subprocess.run(probe, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise HostsError(
            "This machine doesn't let us create network namespaces. Run the program as root, or on a machine where "
            f"users may create them. The reason: {tried.stderr.strip()}"
        )
    again = [*unshare, sys.executable, "-m", module, *sys.argv[1:]]
    os.execve(again[0], again, {**os.environ, ON_A_SWITCH: "yes"})  # noqa: S606 - a fixed program


@dataclass(frozen=True, slots=True)
class Host:
    """A host that is plugged into the switch. ``namespace`` is the open file that keeps its network alive."""

    name: str
    address: str
    namespace: int

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be on this host for the block: programs started and connections opened in it are the host's."""
        with Path("/proc/thread-self/ns/net").open("rb") as before:
            _enter(self.namespace)
            try:
                yield
            finally:
                _enter(before.fileno())

    def unplug(self) -> None:
        """Cut the host off from all others. What is on its way is lost; nobody is told."""
        _ip("link", "set", f"to-{self.name}", "down")

    def plug_in(self) -> None:
        _ip("link", "set", f"to-{self.name}", "up")


def add_host(name: str, number: int) -> Host:
    """Plug a new host into the switch, at the address with this last number."""
    host = Host(name, f"{NETWORK}{number}", _new_namespace())
    cable = f"to-{name}"
    _ip(
        "link",
        "add",
        cable,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        f"/proc/{os.getpid()}/fd/{host.namespace}",
    )
    _ip("link", "set", cable, "master", SWITCH, "up")
    with host.entered():
        _ip("address", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("link", "set", device, "up")
    return host


def _new_namespace() -> int:
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        _check(_LIBC.unshare(CLONE_NEWNET))
        try:
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        finally:
            _enter(before.fileno())


def _enter(namespace: int) -> None:
    _check(_LIBC.setns(namespace, CLONE_NEWNET))


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _ip(*arguments: str) -> None:
    subprocess.run([_program("ip"), *arguments], check=True)


@cache
def _program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise HostsError(f"The program {name} was not found.")
    return path
