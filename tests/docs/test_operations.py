"""docs/operations.md is complete: every setting with its default, every log event, and every metric."""

from __future__ import annotations

import ast
import dataclasses
import re
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from config import Settings, load_settings
from tests.conftest import ROOT
from tests.docs.markdown import page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPERATIONS = "docs/operations.md"
REQUIRED = {"SECRET_KEY": "only-for-tests-0123456789-abcdefghij", "TOKEN_KEYS": Fernet.generate_key().decode()}
LOGS = frozenset({"info", "warning", "error", "exception"})
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
METRIC = re.compile(r"portal_[a-z_]+")


def test_every_setting_is_listed_with_its_default() -> None:
    defaults = load_settings(REQUIRED)
    expected = {}
    for field in dataclasses.fields(Settings):
        value = str(getattr(defaults, field.name))
        code = f"`{value.replace(str(ROOT), '<project>')}`" if value else "Empty"
        name = field.name.upper()
        expected[name] = "Required" if name in REQUIRED else code
    listed = {row[0].strip("`"): row[1] for row in page(OPERATIONS).rows("Settings")}
    assert listed == expected


def test_every_log_event_is_listed() -> None:
    logged = {
        event for folder in ("portal", "jobs") for path in (ROOT / folder).rglob("*.py") for event in _events(path)
    }
    listed = {event for row in page(OPERATIONS).rows("Log events") for event in EVENT.findall(row[0])}
    assert logged
    assert listed == logged


def test_every_metric_is_listed() -> None:
    modules = (ROOT / "portal/metrics").glob("*.py")
    exposed = {name for path in modules for name in METRIC.findall(path.read_text(encoding="utf-8"))}
    assert exposed
    listed = {row[0].strip("`").partition("{")[0] for row in page(OPERATIONS).rows("Metrics")}
    assert listed == exposed


def _events(path: Path) -> Iterator[str]:
    """The names of the events that a module logs: the first argument of log.info(…), and of skip_if_leased(…)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        is_log = (
            isinstance(node.func, ast.Attribute) and node.func.attr in LOGS and ast.unparse(node.func.value) == "log"
        )
        is_skip = isinstance(node.func, ast.Name) and node.func.id == "skip_if_leased"
        event = node.args[0]
        if (is_log or is_skip) and isinstance(event, ast.Constant) and isinstance(event.value, str):
            yield event.value
