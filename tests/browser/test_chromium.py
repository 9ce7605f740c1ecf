"""A machine without Chromium: a download that may take a minute, and one line at the end of the test run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Starts a second program that holds on to the output, as Playwright's command does.
HANGS = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


def test_hanging_download_is_stopped() -> None:
    started = time.monotonic()
    assert chromium.download([sys.executable, "-c", HANGS], 0.5) == "downloading it took longer than 0.5 seconds"
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("prints", "reason"),
    [
        ("Downloading\nError: no such host\n    at somewhere\nError: download failure", "Error: no such host"),
        ("Segmentation fault\n", "Segmentation fault"),
        ("", "no output"),
    ],
)
def test_failed_download_gives_the_first_error(prints: str, reason: str) -> None:
    command = [sys.executable, "-c", f"import sys; sys.stderr.write({prints!r}); sys.exit(1)"]
    assert chromium.download(command) == f"downloading it failed ({reason})"


def test_successful_download_gives_no_reason() -> None:
    assert chromium.download([sys.executable, "-c", "print('Downloading')"]) == ""


@pytest.mark.parametrize("outcome", ["", "downloading it failed (Error: no such host)"])
def test_second_process_uses_the_first_ones_outcome(
    outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = iter([outcome])
    monkeypatch.setattr(chromium, "download", lambda: next(outcomes))
    assert [chromium.download_once(tmp_path) for _ in range(2)] == [outcome, outcome]


def browser_tests(tmp_path: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one browser test where no Chromium is installed and no download host answers."""
    environ = {
        **{name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")},
        "PATH": str(tmp_path),
        "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers"),
        "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:1",
        **environ,
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "tests/browser/test_main_path.py"]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [[], ["-n", "2", "--dist", "loadfile"]], ids=["one process", "two workers"])
def test_machine_without_chromium_skips_and_says_so_in_one_line(options: list[str], tmp_path: Path) -> None:
    done = browser_tests(tmp_path, *options)
    assert done.returncode == 0, done.stdout
    (note,) = [line for line in done.stdout.splitlines() if line.startswith("Browser tests")]
    assert note.startswith("Browser tests skipped: no Chromium was found, and downloading it failed (")
    assert note.endswith("To run them, install it (Debian, Ubuntu: sudo apt-get install chromium).")


def test_ci_without_chromium_fails_without_a_download(tmp_path: Path) -> None:
    done = browser_tests(tmp_path, CI="true")
    assert done.returncode == 1
    assert "No Chromium was found: install it" in done.stdout
    assert not (tmp_path / "browsers").exists()
