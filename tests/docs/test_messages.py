"""The troubleshooting page quotes messages that the portal really prints."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.conftest import ROOT
from tests.docs.markdown import page

if TYPE_CHECKING:
    from collections.abc import Iterator

QUOTED = re.compile(r'"([^"]+)"')
VARIABLE = re.compile(r"\s*(?:…|\d+)\s*")
FROM_SQLITE = "database is locked"
SECTIONS = ("One order", "A store or a merchant", "The installation")


def test_every_quoted_message_is_in_the_source() -> None:
    quoted = [
        part
        for section in SECTIONS
        for row in page("docs/troubleshooting.md").rows(section)
        for message in QUOTED.findall(row[0])
        for part in VARIABLE.split(message)
        if part
    ]
    assert len(quoted) > 8
    source = "\0".join(texts())
    assert [part for part in quoted if part not in source and part != FROM_SQLITE] == []


def texts() -> Iterator[str]:
    """Yield the strings of the code and the text of the templates."""
    for folder in ("portal", "jobs", "embedded"):
        for module in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(module.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    yield (ROOT / "config.py").read_text()
    for template in (ROOT / "portal/templates").rglob("*.html"):
        yield template.read_text()
