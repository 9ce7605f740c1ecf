"""What a benchmark reports: the machine, the options, a table of rows, and goals that are met or missed.

A program makes a Report, adds rows as it measures them, states its goals and returns ``report.finish()`` as its exit
status: MISSED if a goal was missed. The table goes to standard output, the whole report as JSON to a file. In a row,
"floor" is what the bare comparison took in the same run, and "ratio" is this program's share or multiple of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from embedded import postgres, redis
from embedded.supervisor import RunError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "bench"
"""Where the reports go; Git ignores it."""

MISSED = 3
"""The exit status of a program that missed a goal; one that failed exits with 1."""

Value = str | int | float | None
"""None is a figure that doesn't apply to the row."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit for a measured figure: at most, or at least, this much."""

    what: str
    value: float
    at_most: float | None = None
    at_least: float | None = None
    is_met: bool = field(init=False)

    def __post_init__(self) -> None:
        too_much = self.at_most is not None and self.value > self.at_most
        too_little = self.at_least is not None and self.value < self.at_least
        object.__setattr__(self, "is_met", not too_much and not too_little)

    def __str__(self) -> str:
        limits = [
            f"{words} {limit:,g}"
            for words, limit in (("at least", self.at_least), ("at most", self.at_most))
            if limit is not None
        ]
        verdict = "met" if self.is_met else "MISSED"
        return f"{verdict:<8}{self.what}: {shown(self.value)}, {' and '.join(limits)}"


class Report:
    """The report of one run of one program. ``options`` are its command-line options, from ``parser()``."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        self.name = name
        self.options = {key: value for key, value in vars(options).items() if key != "json"}
        self.rows: list[dict[str, Value]] = []
        self.goals: list[Goal] = []
        self._file = Path(options.json or FOLDER / f"{name}.json")

    def row(self, **columns: Value) -> None:
        """Add a row. Underscores in the names of columns are shown as spaces. Progress goes to standard error."""
        self.rows.append(columns)
        if sys.stderr.isatty():
            print(
                f"{self.name}: {', '.join(f'{name} {shown(value)}' for name, value in columns.items())}",
                file=sys.stderr,
            )

    def goal(self, what: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """Say what is to be reached, and what was."""
        self.goals.append(Goal(what, value, at_most=at_most, at_least=at_least))

    def finish(self) -> int:
        """Print the table and the goals, write the file, and return the exit status."""
        print("\n".join([*table(self.rows), "", *map(str, self.goals)]), flush=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self.as_json(), indent=2, default=str) + "\n", "utf-8")
        return 0 if all(goal.is_met for goal in self.goals) else MISSED

    def as_json(self) -> dict[str, object]:
        return {
            "program": self.name,
            "options": self.options,
            "machine": machine(),
            "rows": self.rows,
            "goals": [asdict(goal) for goal in self.goals],
        }


def parser(documentation: str | None) -> argparse.ArgumentParser:
    """Return a parser with the option that all benchmarks have; ``documentation`` is the program's docstring."""
    made = argparse.ArgumentParser(description=(documentation or "").partition("\n")[0])
    made.add_argument("--json", metavar="FILE", help="where to write the report (default: bench/PROGRAM.json)")
    return made


def table(rows: list[dict[str, Value]]) -> list[str]:
    """Return the lines of an aligned table: text to the left, numbers to the right."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[name.replace("_", " ") for name in columns]]
    lines += [[shown(row.get(name)) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    is_text = [any(isinstance(row.get(name), str) for row in rows) for name in columns]
    return [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, is_text, strict=True)
        ).rstrip()
        for line in lines
    ]


def shown(value: Value) -> str:
    """Return the figure with three significant digits, or all digits of a whole number."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value


@cache
def machine() -> dict[str, Value]:
    """Return what the figures were measured on: processor, cores, versions, time, and commit."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _first_line("git", "describe", "--always", "--dirty"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_at_end": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": _postgresql(),
        "redis": _first_line(*redis.find_server(), "--version"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _postgresql() -> str:
    if os.environ.get("TEST_DATABASE_URL"):
        return "the server of TEST_DATABASE_URL"
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            return _first_line(str(postgres.find_programs(Path(folder)) / "postgres"), "--version")
        except RunError:
            return ""


def _first_line(*command: str) -> str:
    """Return the first line that a command prints, or "" if it can't be run."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.partition("\n")[0]
