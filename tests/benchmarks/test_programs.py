"""Every benchmark runs at its smallest size and writes its report. Whether goals are met is not for tests to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.__main__ import PROGRAMS
from benchmarks.results import MISSED, ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", [name for name, sizes in PROGRAMS.items() if "small" in sizes])
def test_benchmark_writes_a_report(name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", *PROGRAMS[name]["small"].split(), "--json", str(file)]
    environ = {key: value for key, value in os.environ.items() if key != "TEST_DATABASE_URL"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode in {0, MISSED}, done.stderr
    report = json.loads(file.read_text("utf-8"))
    assert report["rows"]
    assert report["goals"]
    assert report["machine"]["processor"]
    assert all(report["machine"][name] for name in ("cores", "date", "postgresql", "python", "redis", "sqlite"))


def test_make_bench_runs_every_program() -> None:
    modules = [path for path in (ROOT / "benchmarks").glob("*.py") if '= Report("' in path.read_text("utf-8")]
    assert {path.stem for path in modules} <= set(PROGRAMS)
