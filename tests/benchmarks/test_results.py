"""The table, the goals and the file of a benchmark's report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.results import MISSED, Goal, Report, parser, table

if TYPE_CHECKING:
    from pathlib import Path


def report(tmp_path: Path) -> tuple[Report, Path]:
    file = tmp_path / "new" / "report.json"
    return Report("idle", parser(__doc__).parse_args(["--json", str(file)])), file


def test_table_aligns_text_left_and_numbers_right() -> None:
    lines = table([{"database": "SQLite", "cpu_ms": 0.5}, {"database": "PostgreSQL", "cpu_ms": 12.34, "rows": 1000}])
    assert lines == [
        "database    cpu ms   rows",
        "SQLite         0.5",
        "PostgreSQL    12.3  1,000",
    ]


@pytest.mark.parametrize(
    ("value", "limits", "is_met"),
    [
        (1.3, {"at_most": 1.3}, True),
        (1.31, {"at_most": 1.3}, False),
        (0.9, {"at_least": 0.9}, True),
        (0.89, {"at_least": 0.9}, False),
    ],
)
def test_goal_is_met_up_to_its_limit(value: float, limits: dict[str, float], is_met: bool) -> None:
    assert Goal("a ratio", value, **limits).is_met is is_met


def test_report_says_what_was_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, file = report(tmp_path)
    made.row(stores=20, floor_ms=1.5, ratio=2.9)
    made.goal("CPU beside a bare GET", 2.9, at_most=3)
    assert made.finish() == 0
    made.goal("statements per poll", 4, at_most=3)
    assert made.finish() == MISSED
    assert "MISSED  statements per poll: 4, at most 3" in capsys.readouterr().out
    written = json.loads(file.read_text("utf-8"))
    assert written["rows"] == [{"stores": 20, "floor_ms": 1.5, "ratio": 2.9}]
    assert [goal["is_met"] for goal in written["goals"]] == [True, False]
