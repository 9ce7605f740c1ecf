"""Create .venv and install one lock file into it: `python3 -m embedded.bootstrap requirements-run.txt`.

make runs this with the system's Python. Even an old Python must be able to parse it, to say that it is too old:
standard library and old syntax only.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from embedded.ports import PortError, read_ports

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
LOCKS = ("requirements-run.txt", "requirements.txt")
"""What `make run` and `make test` install. Each lock contains everything in the one before it."""

NO_NETWORK = (
    "Couldn't reach a package index, so nothing was installed. "
    "Check the network, the proxy or pip's settings, then run make again."
)
DISK_FULL = "The disk is full. Free about 600 MB on this project's disk, then run make again."
SIGNS_OF_NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|name resolution|Name or service not known|"
    r"Network is unreachable|Connection refused|connection broken by|from versions: none",
)


class SetupError(Exception):
    """Setup failed. The text is for the person who typed make."""


def explain(output: str) -> str:
    """Return one line that explains why pip or venv failed, given what it printed."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return DISK_FULL
    if SIGNS_OF_NO_NETWORK.search(output):
        return NO_NETWORK
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")] or lines or ["(no output)"]
    return f"Couldn't install the pinned packages. The installer said: {errors[-1]}"


def check_python() -> None:
    """Raise SetupError when this Python is too old or can't create virtual environments."""
    if sys.version_info[:2] < OLDEST:
        raise SetupError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old: this project needs 3.11 or newer. "
            "Install it and run make again, with PYTHON=/path/to/python3.11 if python3 is still the old one."
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships its Python without it; the import tells
        import venv  # noqa: F401, PLC0415
    except ImportError:
        raise SetupError(
            "This Python can't create virtual environments. Install the package python3-venv "
            "(Debian, Ubuntu: sudo apt-get install python3-venv), then run make again."
        ) from None


def install(root: Path, lock: str) -> None:
    """Install the packages that the lock pins into root/.venv, if needed. Removes nothing. Raises SetupError.

    Each installed lock leaves a stamp with the hash of its text. Installing one lock can change versions that
    another lock pinned, so it clears every stamp first.
    """
    venv = root / ".venv"
    python = venv / "bin" / "python"
    hashes = {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in LOCKS}
    stamps = {name: (venv / name).with_suffix(".ready") for name in LOCKS}
    usable = python.exists() and (venv / "bin" / "pip").exists()
    if usable and stamps[lock].exists() and stamps[lock].read_text() == hashes[lock]:
        stamps[lock].touch()
        return
    for stamp in stamps.values():
        stamp.unlink(missing_ok=True)
    sys.stderr.write(f"Installing {lock} into .venv (up to a minute, and only when that file changes) ...\n")
    if not usable:
        shutil.rmtree(str(venv), ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(venv)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "3",
          "--require-hashes", "--requirement", str(root / lock)])  # fmt: skip
    for name in LOCKS[: LOCKS.index(lock) + 1]:
        stamps[name].write_text(hashes[name])


def _run(command: "list[str]") -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(explain(done.stdout + done.stderr))


def main(lock: str) -> int:
    """Return exit status 0, or 1 after printing one sentence on stderr."""
    try:
        check_python()
        if lock == "requirements-run.txt":
            read_ports(os.environ)  # first, so nobody waits for the installation only to learn that a port is in use
        install(ROOT, lock)
    except (SetupError, PortError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{explain(str(error))}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
