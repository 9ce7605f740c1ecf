"""Setting the project up on somebody's machine: one clear sentence for each thing that can be missing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from embedded.bootstrap import DISK_FULL, NO_NETWORK, explain

ROOT = Path(__file__).resolve().parents[2]
UNREACHABLE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to establish a new \
connection: [Errno -3] Temporary failure in name resolution')': /simple/flask/
ERROR: No matching distribution found for flask==3.1.3
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What make needs of the project, in a folder that has no .venv yet."""
    folder = tmp_path / "clone"
    (folder / "embedded").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "embedded" / "bootstrap.py", folder / "embedded")
    (folder / "requirements.txt").write_text("a-package-that-nobody-made==1\n")
    return folder


def set_up(clone: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run make's first step. Nothing of this machine's pip settings counts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    environ = {**kept, "PIP_CONFIG_FILE": os.devnull, **environ}
    return subprocess.run(
        ["make", ".venv/.ready"],  # noqa: S607 - the make that the person has
        cwd=clone, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a person reads besides make's own last one and the progress line."""
    assert done.returncode != 0
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("make: ***", "Installing the pinned"))]
    assert len(lines) == 1, lines
    return lines[0]


def python_that(says_first: str, folder: Path) -> str:
    """A PATH on which python3 is this Python after some lines of its own."""
    folder.mkdir()
    fake = folder / "python3"
    start = f"import sys, runpy; {says_first}; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{start}" "$@"\n')
    fake.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def venv_with_pip(clone: Path) -> None:
    """Stands for a .venv that is made already: its programs are those of this Python."""
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "pip"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (programs / name).chmod(0o755)


def test_missing_venv_module_names_the_package(clone: Path, tmp_path: Path) -> None:
    done = set_up(clone, PATH=python_that("sys.modules['ensurepip'] = None", tmp_path / "bin"))
    assert "apt-get install python3-venv" in sentence(done)
    assert not (clone / ".venv").exists()


def test_old_python_is_told_which_is_needed(clone: Path, tmp_path: Path) -> None:
    done = set_up(clone, PATH=python_that("sys.version_info = (3, 9, 2)", tmp_path / "bin"))
    assert sentence(done).startswith("Python 3.9 is too old, 3.11 or newer is needed")
    assert not (clone / ".venv").exists()


def test_no_python_at_all(clone: Path) -> None:
    assert "python4 was not found" in sentence(set_up(clone, PYTHON="python4", MAKEFLAGS="-e"))


def test_index_that_does_not_answer_is_a_network_sentence(clone: Path) -> None:
    venv_with_pip(clone)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        done = set_up(clone, PIP_INDEX_URL=f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
    assert sentence(done) == NO_NETWORK
    assert "Installing the pinned packages" in done.stderr
    assert not (clone / ".venv" / ".ready").exists()


def test_no_index_is_a_network_sentence(clone: Path) -> None:
    venv_with_pip(clone)
    assert sentence(set_up(clone, PIP_NO_INDEX="1")) == NO_NETWORK


def test_same_requirements_are_not_installed_again(clone: Path) -> None:
    venv_with_pip(clone)
    requirements, stamp = clone / "requirements.txt", clone / ".venv" / ".ready"
    stamp.write_text(sha256(requirements.read_bytes()).hexdigest())
    os.utime(stamp, (0, 0))  # older than requirements.txt, as after a fresh checkout
    done = set_up(clone, PIP_NO_INDEX="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stamp.stat().st_mtime >= requirements.stat().st_mtime


def test_changed_requirements_are_installed(clone: Path) -> None:
    venv_with_pip(clone)
    (clone / ".venv" / ".ready").write_text("the hash of something else")
    os.utime(clone / ".venv" / ".ready", (0, 0))
    (clone / "requirements.txt").write_text("pytest\n")  # is there, so that nothing needs a network
    done = set_up(clone, PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stderr
    assert (clone / ".venv" / ".ready").read_text() == sha256(b"pytest\n").hexdigest()


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            DISK_FULL,
        ),
        ("OSError: [Errno 122] Disk quota exceeded: '/home/x/.venv/lib'", DISK_FULL),
        (
            UNREACHABLE,
            NO_NETWORK,
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES.\nmore",
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES.",
        ),
        ("error: command 'gcc' failed\n", "error: command 'gcc' failed"),
        ("", "no reason given"),
    ],
)
def test_what_the_installer_printed_becomes_one_sentence(printed: str, said: str) -> None:
    assert explain(printed).endswith(said)
    assert "\n" not in explain(printed)


def test_make_alone_says_what_there_is() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True)  # noqa: S607 - as above
    targets = [line.split()[1] for line in done.stdout.splitlines()]
    assert targets == ["help", "run", "test", "lint", "format", "types", "bench", "screenshots", "lock", "clean"]
