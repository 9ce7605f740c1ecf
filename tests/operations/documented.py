"""The commands of docs/operations.md, run in a shell as an operator does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from embedded import postgres
from tests.conftest import ROOT
from tests.docs.markdown import page
from tests.jobs.site import environ

if TYPE_CHECKING:
    from config import Settings

BLOCKS = page("docs/operations.md").code_blocks("sh")


def block(start: str) -> str:
    """The block of commands in docs/operations.md that starts with these words."""
    (found,) = [one for one in BLOCKS if one.startswith(start)]
    return found


def run(commands: str, settings: Settings, *, folder: Path = ROOT, status: int = 0) -> str:
    """Run the commands with these settings, and return what they print. Fails if their exit status is another one.

    PostgreSQL's own programs don't know SQLAlchemy's name for its driver, so it is left out of DATABASE_URL.
    """
    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
    if clients := postgres.clients():
        programs.insert(0, str(clients))
    url = make_url(settings.database_url)
    plain = url.set(drivername=url.drivername.partition("+")[0]).render_as_string(hide_password=False)
    given = {**environ(settings), "DATABASE_URL": plain, "PATH": ":".join(programs)}
    shell = ["/bin/bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(shell, cwd=folder, env=given, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == status, output
    assert "Traceback" not in output
    return output
