"""Programs that judge the files of a deployment."""

from __future__ import annotations

import os
import shutil

import pytest


def judge(name: str) -> str:
    """Return the program's path. Without it, the test is skipped, except in CI, where it fails."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/bin")
    if found is None and os.environ.get("CI"):
        pytest.fail(f"CI has no {name}")
    return found or pytest.skip(f"There is no {name}.")
