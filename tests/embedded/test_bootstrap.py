"""Setup on a new machine: one clear sentence for each thing that can be missing."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

from embedded.bootstrap import DISK_FULL, LOCKS, NO_NETWORK, explain
from embedded.redis import free_port

ROOT = Path(__file__).resolve().parents[2]
RUN, ALL = LOCKS
UNREACHABLE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to establish a new \
connection: [Errno -3] Temporary failure in name resolution')': /simple/flask/
ERROR: No matching distribution found for flask==3.1.3
"""
ANY_HASH = f"--hash=sha256:{'0' * 64}"  # pip doesn't compare it with a package that is already installed
INSTALLED = f"pytest=={version('pytest')} {ANY_HASH}\n"
MISSING = f"a-package-that-does-not-exist==1 {ANY_HASH}\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that setup needs, in a folder without a .venv."""
    folder = tmp_path / "clone"
    (folder / "embedded").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("__init__.py", "bootstrap.py", "ports.py"):
        shutil.copy(ROOT / "embedded" / name, folder / "embedded")
    for lock in LOCKS:
        (folder / lock).write_text(MISSING)
    return folder


def stamp(clone: Path, lock: str) -> Path:
    return clone / ".venv" / lock.replace(".txt", ".ready")


def set_up(clone: Path, lock: str = ALL, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the first step of make, without this machine's pip settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    environ = {**kept, "PIP_CONFIG_FILE": os.devnull, **environ}
    return subprocess.run(
        ["make", str(stamp(Path(), lock))],  # noqa: S607 - the machine's own make
        cwd=clone, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line that a failed setup prints besides its progress and make's last line."""
    assert done.returncode != 0
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("make: ***", "Installing "))]
    assert len(lines) == 1, lines
    return lines[0]


def python_that(runs_first: str, folder: Path) -> str:
    """Return a PATH on which python3 is this Python after it has run a statement."""
    folder.mkdir()
    fake = folder / "python3"
    start = f"import sys, runpy; {runs_first}; del sys.argv[:2]; runpy.run_module(sys.argv[0], run_name='__main__')"
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{start}" "$@"\n')
    fake.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def venv_with_pip(clone: Path) -> None:
    """Create a stand-in for .venv that runs this Python and its pip."""
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "pip"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (programs / name).chmod(0o755)


def make_stale(*files: Path) -> None:
    """Make files older than the locks, as after a fresh checkout."""
    for file in files:
        os.utime(file, (0, 0))


def test_missing_venv_module_names_the_package(clone: Path, tmp_path: Path) -> None:
    done = set_up(clone, PATH=python_that("sys.modules['ensurepip'] = None", tmp_path / "bin"))
    assert "apt-get install python3-venv" in sentence(done)
    assert not (clone / ".venv").exists()


def test_old_python_names_the_required_version(clone: Path, tmp_path: Path) -> None:
    done = set_up(clone, PATH=python_that("sys.version_info = (3, 9, 2)", tmp_path / "bin"))
    assert sentence(done).startswith("Python 3.9 is too old: this project needs 3.11 or newer.")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("name", ["__init__.py", "bootstrap.py", "ports.py"])
def test_old_python_can_parse_the_setup(name: str) -> None:
    ast.parse((ROOT / "embedded" / name).read_text(), feature_version=(3, 6))


def test_missing_python_is_named(clone: Path) -> None:
    assert "python4 was not found" in sentence(set_up(clone, PYTHON="python4", MAKEFLAGS="-e"))


def test_taken_port_is_reported_before_anything_is_installed(clone: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = set_up(clone, RUN, PORT=str(port))
    assert sentence(done).startswith(f"Can't listen on port {port}: Address already in use.")
    assert "Installing" not in done.stderr
    assert not (clone / ".venv").exists()


def test_unreachable_index_is_reported_as_a_network_problem(clone: Path) -> None:
    venv_with_pip(clone)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: every connection is refused
        done = set_up(clone, PIP_INDEX_URL=f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
    assert sentence(done) == NO_NETWORK
    assert f"Installing {ALL}" in done.stderr
    assert not stamp(clone, ALL).exists()


def test_missing_index_is_reported_as_a_network_problem(clone: Path) -> None:
    venv_with_pip(clone)
    assert sentence(set_up(clone, PIP_NO_INDEX="1")) == NO_NETWORK


def test_unchanged_lock_is_not_installed_again(clone: Path) -> None:
    venv_with_pip(clone)
    stamp(clone, ALL).write_text(sha256(MISSING.encode()).hexdigest())
    make_stale(stamp(clone, ALL))
    done = set_up(clone, PIP_NO_INDEX="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stamp(clone, ALL).stat().st_mtime >= (clone / ALL).stat().st_mtime


def test_changed_lock_is_installed(clone: Path) -> None:
    venv_with_pip(clone)
    stamp(clone, ALL).write_text("the hash of an older lock")
    make_stale(stamp(clone, ALL))
    (clone / ALL).write_text(INSTALLED)
    done = set_up(clone, PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stderr
    assert stamp(clone, ALL).read_text() == sha256(INSTALLED.encode()).hexdigest()


def test_run_after_test_installs_nothing(clone: Path) -> None:
    venv_with_pip(clone)
    (clone / ALL).write_text(INSTALLED)
    assert set_up(clone, ALL, PIP_NO_INDEX="1").returncode == 0
    done = set_up(clone, RUN, PIP_NO_INDEX="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_installing_the_smaller_lock_does_not_mark_the_larger_as_installed(clone: Path) -> None:
    venv_with_pip(clone)
    (clone / RUN).write_text(INSTALLED)
    stamp(clone, ALL).write_text(sha256(MISSING.encode()).hexdigest())
    assert set_up(clone, RUN, PORT=str(free_port()), BIGCARTEL_CLIENT_ID="no sandbox", PIP_NO_INDEX="1").returncode == 0
    assert stamp(clone, RUN).exists()
    assert not stamp(clone, ALL).exists()


@pytest.mark.parametrize(
    ("printed", "explanation"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n", DISK_FULL),
        ("OSError: [Errno 122] Disk quota exceeded: '/home/x/.venv/lib'", DISK_FULL),
        (UNREACHABLE, NO_NETWORK),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES.\nmore",
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES.",
        ),
        ("error: command 'gcc' failed\n", "error: command 'gcc' failed"),
        ("", "(no output)"),
    ],
)
def test_installer_output_becomes_one_line(printed: str, explanation: str) -> None:
    assert explain(printed).endswith(explanation)
    assert "\n" not in explain(printed)


def test_make_alone_lists_its_commands() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True)  # noqa: S607 - the machine's own make
    targets = [line.split()[1] for line in done.stdout.splitlines()]
    assert targets == [
        "help",
        "run",
        "test",
        "judges",
        "lint",
        "format",
        "types",
        "bench",
        "screenshots",
        "lock",
        "clean",
    ]
