"""The Dockerfile: what it copies is enough to run, from folders that can't be written to."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, settings_for
from tests.jobs.site import environ

if TYPE_CHECKING:
    from pathlib import Path

TEXT = re.sub(r"\\\n|^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
INSTRUCTIONS = [(line.split()[0], line.split(maxsplit=1)[1]) for line in TEXT.splitlines() if line.strip()]
KNOWN = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}


def last_stage() -> list[tuple[str, str]]:
    start = max(number for number, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    return INSTRUCTIONS[start:]


def copied() -> list[str]:
    return [
        path for name, rest in INSTRUCTIONS if name == "COPY" and "--from" not in rest for path in rest.split()[:-1]
    ]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The project's folder in the image, read-only."""
    folder = tmp_path / "image"
    for name, rest in last_stage():
        if name == "COPY" and "--from" not in rest:
            *sources, target = rest.split()
            for source in sources:
                into = folder / target / (source.rpartition("/")[2] if target.endswith("/") else "")
                into.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copyfile(ROOT / source, into)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


def test_it_has_two_stages_and_runs_as_another_user_than_root() -> None:
    assert {name for name, _ in INSTRUCTIONS} <= KNOWN
    assert [name for name, _ in INSTRUCTIONS].count("FROM") == 2
    last = dict(last_stage())
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"])
    assert [name for name, _ in last_stage()].index("USER") > [name for name, _ in last_stage()].index("RUN")
    assert "pip install" not in " ".join(rest for _, rest in last_stage())


def test_it_installs_the_pinned_packages_of_production_only() -> None:
    installs = [rest for name, rest in INSTRUCTIONS if name == "RUN" and "pip install" in rest]
    assert len(installs) == 1
    assert re.findall(r"-r \S*?([\w.-]+)$", installs[0]) == ["requirements-production.txt"]
    assert "--require-hashes" in installs[0]


def test_what_is_copied_exists_and_is_all_that_the_build_is_sent() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied())
    assert all((ROOT / path).exists() for path in copied())


def test_commands_are_lists_so_that_signals_reach_the_process() -> None:
    last = dict(last_stage())
    assert json.loads(last["CMD"])[-1] == "wsgi:app"
    (check,) = re.findall(r"CMD (.*)", last["HEALTHCHECK"])
    compile(json.loads(check)[-1], "health check", "exec")


@pytest.mark.parametrize(
    "command",
    [["-c", "import jobs.worker, jobs.schedule, jobs.watch, wsgi"], ["-m", "gunicorn", "--check-config", "wsgi:app"]],
)
def test_what_is_copied_is_enough_to_run(command: list[str], image: Path, tmp_path: Path) -> None:
    run(command, image, tmp_path)


def test_what_is_copied_is_enough_to_migrate(image: Path, tmp_path: Path) -> None:
    run(["-m", "flask", "--app", "wsgi", "db", "upgrade"], image, tmp_path)
    with closing(sqlite3.connect(tmp_path / "portal.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def run(command: list[str], image: Path, folder: Path) -> None:
    given = environ(settings_for(f"sqlite:///{folder / 'portal.sqlite3'}", MAIL_URL="smtp://mail.example:25"))
    before = sorted(image.rglob("*"))
    done = subprocess.run(
        [sys.executable, *command],
        cwd=image,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent", **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(image.rglob("*")) == before, "it wrote to its own folder"
