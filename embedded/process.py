"""Child processes that don't outlive their parent, and the processes of a session. Linux only."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def launch(
    command: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    folder: Path,
    environ: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, out of reach of the terminal's Ctrl-C.

    The kernel sends it SIGTERM when the thread that started it exits, for whatever reason. The program must stop its
    own children: gunicorn and the RQ worker do so on SIGTERM, and an RQ work horse finishes its job first. `user` is
    the user and group id to run as, without supplementary groups.
    """
    parent = os.getpid()

    def before_exec() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # the parent exited before prctl took effect
            os._exit(1)

    return subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=None if environ is None else dict(environ),
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=before_exec,  # noqa: PLW1509 - it acquires no lock
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def session_members(session: int) -> list[int]:
    """Return the running processes of a session.

    A process stays in its session when its parent dies, and when it creates its own process group, as RQ's work
    horses do.
    """
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has exited in the meantime
        state, _, _, its_session = stat.rpartition(")")[2].split()[:4]
        if int(its_session) == session and state not in "ZX":
            members.append(int(entry.name))
    return members


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have exited already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
