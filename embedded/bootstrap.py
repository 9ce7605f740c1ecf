"""Makes .venv with what requirements.txt pins; make runs it with the system's Python, so it must stand alone.

An old Python must still be able to read it, to be told that it is too old: hence no newer syntax here.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)

NO_NETWORK = (
    "pip could not reach a package index, so nothing was installed: "
    "check the network (or the proxy, or pip's own settings) and run make again."
)
DISK_FULL = "The disk is full: free about 600 MB where this project lies and run make again."
SIGNS_OF_NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|name resolution|Name or service not known|"
    r"Network is unreachable|Connection refused|connection broken by|from versions: none",
)


class SetupError(Exception):
    """The environment could not be made. The text is one sentence for the person who typed make."""


def explain(output: str) -> str:
    """One sentence for what pip (or venv) printed before it gave up."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return DISK_FULL
    if SIGNS_OF_NO_NETWORK.search(output):
        return NO_NETWORK
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")] or lines or ["no reason given"]
    return f"The packages in requirements.txt could not be installed. The installer's own words: {errors[-1]}"


def check_python() -> None:
    """Raises SetupError when this Python is too old or lacks what makes virtual environments."""
    if sys.version_info[:2] < OLDEST:
        raise SetupError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old, 3.11 or newer is needed: "
            "install it and run make again, with PYTHON=/path/to/it if python3 is still the old one."
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian leaves it out of its Python, which is what is asked here
        import venv  # noqa: F401, PLC0415 - as above
    except ImportError:
        raise SetupError(
            "This Python cannot make virtual environments: install the package python3-venv "
            "(Debian, Ubuntu: sudo apt-get install python3-venv) and run make again."
        ) from None


def install(root: Path) -> None:
    """Make root/.venv hold what root/requirements.txt pins.

    Does nothing when it does already. Raises SetupError.
    """
    venv, requirements = root / ".venv", root / "requirements.txt"
    python, stamp = venv / "bin" / "python", venv / ".ready"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    usable = python.exists() and (venv / "bin" / "pip").exists()
    if usable and stamp.exists() and stamp.read_text() == wanted:
        stamp.touch()
        return
    stamp.unlink(missing_ok=True)
    sys.stderr.write("Installing the pinned packages into .venv (once, about half a minute) ...\n")
    if not usable:
        shutil.rmtree(str(venv), ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(venv)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "3",
          "--requirement", str(requirements)])  # fmt: skip
    stamp.write_text(wanted)


def _run(command: "list[str]") -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(explain(done.stdout + done.stderr))


def main() -> int:
    """Exit status 0, or 1 after one sentence on stderr."""
    try:
        check_python()
        install(ROOT)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{explain(str(error))}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
