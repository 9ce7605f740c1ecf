"""A process imports what its work needs: what is in memory is copied by every fork, and paid for at every start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FOR_PAGES = frozenset({
    "authlib", "flask_bootstrap", "flask_limiter", "flask_login", "flask_wtf", "prometheus_client", "wtforms",
    "portal.access", "portal.filters", "portal.forms", "portal.oauth", "portal.pages", "portal.views",
})  # fmt: skip
FOR_COMMANDS = frozenset({"alembic", "flask_migrate", "mako", "pygments", "portal.cli"})
FOR_WORK = frozenset({"flask", "lxml", "requests", "portal.clients.fcp", "portal.fulfillment", "portal.models"})
"""What the schedule, which only wakes workers, does without."""


def imported(program: str) -> set[str]:
    """Return the modules that a new process has after importing a program."""
    shown = f"import json, sys, {program}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("program", "unneeded"),
    [
        ("jobs.worker", FOR_PAGES | FOR_COMMANDS),
        ("jobs.watch", FOR_PAGES | FOR_COMMANDS | {"flask"}),
        ("jobs.schedule", FOR_PAGES | FOR_COMMANDS | FOR_WORK),
    ],
)
def test_process_imports_nothing_that_its_work_does_not_need(program: str, unneeded: frozenset[str]) -> None:
    assert imported(program) & unneeded == set()
