"""deploy/backup.sh: what it leaves can be read, old backups go, and a failed one leaves nothing."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from embedded import postgres
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600


def back_up(url: str, folder: Path, *programs: Path) -> int:
    """Run the script with these folders before others in PATH, and return its exit status."""
    clients = postgres.clients()
    folders = [*programs, *([clients] if clients else []), os.environ["PATH"]]
    given = {"PATH": ":".join(map(str, folders)), "DATABASE_URL": url}
    return subprocess.run(["/bin/sh", ROOT / "deploy/backup.sh", folder], env=given, check=False).returncode


@pytest.fixture
def plain_url(postgres_url: str) -> str:
    """The URL as PostgreSQL's own programs know it."""
    return make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_backup_is_private_and_replaces_those_older_than_two_weeks(plain_url: str, tmp_path: Path) -> None:
    for days in (13, 15):
        old = tmp_path / f"portal-{days}.dump"
        old.touch()
        os.utime(old, (time.time() - days * DAY,) * 2)
    assert back_up(plain_url, tmp_path) == 0
    kept, new = sorted(path for path in tmp_path.iterdir())
    assert kept.name == "portal-13.dump"
    assert new.suffix == ".dump"
    assert new.read_bytes().startswith(b"PGDMP")
    assert new.stat().st_mode & 0o077 == 0


def test_failed_backup_deletes_no_backup_and_leaves_nothing(tmp_path: Path) -> None:
    old = tmp_path / "portal-15.dump"
    old.touch()
    os.utime(old, (time.time() - 15 * DAY,) * 2)
    assert back_up("postgresql://nobody@127.0.0.1:1/none", tmp_path) != 0
    assert list(tmp_path.iterdir()) == [old]


def test_backup_that_cannot_be_read_is_none(plain_url: str, tmp_path: Path) -> None:
    programs, folder = tmp_path / "bin", tmp_path / "backups"
    programs.mkdir()
    folder.mkdir()
    (programs / "pg_restore").write_text("#!/bin/sh\nexit 1\n")
    (programs / "pg_restore").chmod(0o755)
    assert back_up(plain_url, folder, programs) != 0
    assert list(folder.iterdir()) == []
