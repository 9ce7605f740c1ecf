"""Run a program of the portal with a clock that a benchmark moves.

``python -m benchmarks.moved_clock FILE MODULE [CERTIFICATE]`` runs the module as ``python -m MODULE`` does. The only
difference is the time that ``portal.clock.utc_now`` returns: the seconds in FILE are added to it. It reads the file at
each call, so all programs with the same file move together. With a certificate, the program trusts that one, too.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLOCK = "portal.clock"
ROOT = Path(__file__).resolve().parent.parent


def replace_clock(file: Path) -> None:
    """Replace ``portal.clock`` before anything imports it: other modules keep the function that they import."""
    assert CLOCK not in sys.modules, f"{CLOCK} is already imported."
    spec = importlib.util.spec_from_file_location(CLOCK, ROOT / "portal" / "clock.py")
    assert spec is not None
    assert spec.loader is not None
    clock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(clock)

    def utc_now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text()))

    vars(clock)["utc_now"] = utc_now
    sys.modules[CLOCK] = clock


def trust(certificate: Path) -> None:
    """Have the portal's clients trust the certificate, for servers of the benchmark that speak TLS."""
    from benchmarks.certificates import trusted_too  # noqa: PLC0415 - after the clock was replaced
    from portal.clients import connections  # noqa: PLC0415

    connections.start_over(trusted_too(certificate))


def main() -> None:
    file, module, *certificate = sys.argv[1:]
    replace_clock(Path(file))
    if certificate:
        trust(Path(certificate[0]))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
