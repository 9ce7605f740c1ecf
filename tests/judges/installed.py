"""Where the judges are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGES = Path(__file__).parent / "node_modules"


def package_file(name: str) -> Path:
    """Return a file of an installed package. Without it, the test is skipped, except in CI, where it fails."""
    file = PACKAGES / name
    return file if file.is_file() else _missing(f"{file.name} isn't installed: make judges does that, with npm.")


def program(name: str) -> str:
    """Return the path of a program of this machine, likewise."""
    return shutil.which(name) or _missing(f"There is no {name} on this machine.")


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
