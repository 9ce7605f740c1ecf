"""Run the benchmarks one after another: ``python -m benchmarks`` for all of them, with names for some.

Each is a process of its own. Its report is in ``bench/``; with ``--size small``, the figures mean nothing, but each
program shows within seconds that it works; those that can't are left out. The exit status is 1 if a program failed,
and 3 if none did but a goal was missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from benchmarks.results import MISSED, ROOT

PROGRAMS: dict[str, dict[str, str]] = {
    "submit": {
        "small": "--orders 60 --latency 0 --rounds 1",
        "usual": "--orders 1000 --rounds 3",
    },
    "idle_poll": {"small": "--open 0 20 --held 0 20 --polls 3", "usual": ""},
    "idle_worker": {"small": "--stores 20 --orders 20 --rounds 1", "usual": ""},
    "connections": {"small": "--calls 5", "usual": ""},
    "track": {"small": "--orders 20", "usual": ""},
    "memory": {"usual": ""},
    "peers": {"usual": ""},
    "sizing": {"usual": ""},
    "due_polls": {"small": "--minutes 1 --workers 4", "usual": "--minutes 6"},
    "many_merchants": {"small": "--stores 1000 --rounds 2", "usual": ""},
    "workers": {"small": "--workers 1 2 --merchants 4 --orders 40 --latency 10", "usual": ""},
    "fairness": {"usual": ""},
    "forks": {"small": "--jobs 2 --rounds 1", "usual": ""},
    "webhook": {"small": "--single 2 --burst 4", "usual": ""},
    "pages": {"small": "--small 500 --large 1000 --merchants 3 --products 60 --rounds 1", "usual": ""},
    "search": {"small": "--orders 200 --merchants 3 --rounds 1", "usual": ""},
    "outage": {"usual": "--minutes 1"},
    "retention": {"small": "--attempts 200 400 --orders 20 --seconds 1", "usual": ""},
    "many_machines": {"usual": ""},
}
"""The options of each program by size. What takes longer than a few minutes isn't usual: the docs name it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run the benchmarks one after another.")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"one of {', '.join(PROGRAMS)} (default: all)")
    parser.add_argument("--size", choices=("small", "usual"), default="usual")
    options = parser.parse_args()
    statuses = {}
    for name in options.programs or [name for name, sizes in PROGRAMS.items() if options.size in sizes]:
        command = [sys.executable, "-m", f"benchmarks.{name}", *PROGRAMS[name][options.size].split()]
        print(f"\n$ python {' '.join(command[1:])}", flush=True)
        began = time.monotonic()
        statuses[name] = subprocess.run(command, cwd=ROOT, check=False).returncode
        print(f"({time.monotonic() - began:.0f} s)", flush=True)
    words = {0: "all goals met", MISSED: "a goal was missed"}
    print("", *(f"{name:<16}{words.get(status, 'FAILED')}" for name, status in statuses.items()), sep="\n")
    return 1 if set(statuses.values()) - {0, MISSED} else max(statuses.values())


if __name__ == "__main__":
    sys.exit(main())
