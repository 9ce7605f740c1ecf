"""docs/outside-apis.md covers every place in the code that rests on an assumption."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.docs.markdown import page

MARKER = "ASSUMED"
FOLDERS = ("portal", "jobs", "sandbox", "embedded", "benchmarks")


def test_every_file_with_an_assumption_is_named() -> None:
    marked = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".json", ".html"} and MARKER in path.read_text(encoding="utf-8")
    }
    named = set(page("docs/outside-apis.md").code_spans)
    assert marked
    assert marked - named == set()


def test_every_assumption_says_what_happens_when_it_is_wrong() -> None:
    one = page("docs/outside-apis.md")
    rows = one.rows("Big Cartel") + one.rows("FCP")
    assert rows
    assert [row for row in rows if len(row) != 4 or not all(cell.strip() for cell in row)] == []
