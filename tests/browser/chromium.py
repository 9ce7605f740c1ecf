"""The Chromium that the browser tests drive: the system's, or the one that Playwright downloads."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from playwright.sync_api import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Playwright

ON_PATH = ("chromium", "chromium-browser", "google-chrome")
DOWNLOAD = (sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")
DOWNLOAD_SECONDS = 60.0
INSTALL = "install it (Debian, Ubuntu: sudo apt-get install chromium)"


class NoChromiumError(Exception):
    """There is no Chromium on this machine. The text says what was tried and what to install."""


def open_chromium(
    playwright: Playwright, shared: Path, *, may_download: bool, report: Callable[[str], None]
) -> Browser:
    """Start Chromium, downloading it first if it is missing and that is allowed. `report` is called with the outcome.

    `shared` is a folder that this test run's processes have in common. Raises NoChromiumError.
    """
    on_path = next(filter(None, map(shutil.which, ON_PATH)), None)
    try:
        return launch(playwright, on_path)
    except Error:
        if on_path:
            raise
    if not may_download:
        raise NoChromiumError(f"No Chromium was found: {INSTALL}.")
    problem = download_once(shared)
    if not problem:
        try:
            browser = launch(playwright, None)
        except Error as error:
            problem = f"the downloaded one doesn't start ({str(error).splitlines()[0]})"
        else:
            report("Browser tests: no Chromium was installed, so Playwright downloaded one.")
            return browser
    message = f"Browser tests skipped: no Chromium was found, and {problem}. To run them, {INSTALL}."
    report(message)
    raise NoChromiumError(message)


def launch(playwright: Playwright, path: str | None) -> Browser:
    """Start the Chromium at this path, or Playwright's own. Raises playwright's Error when it doesn't start."""
    return playwright.chromium.launch(executable_path=path, args=["--disable-background-networking"])


def download_once(shared: Path) -> str:
    """Download Chromium once per test run, whichever process asks first. Return why that failed, or ""."""
    outcome = shared / "chromium-download"
    with (shared / "chromium-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not outcome.exists():
            outcome.write_text(download())
        return outcome.read_text()


def download(command: Sequence[str] = DOWNLOAD, seconds: float = DOWNLOAD_SECONDS) -> str:
    """Download Chromium into Playwright's cache. Return why that failed, or ""."""
    with TemporaryFile() as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the command itself and the downloader that it started
            process.wait()
            return f"downloading it took longer than {seconds:g} seconds"
        if not status:
            return ""
        printed.seek(0)
        lines = [line.strip() for line in printed.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")] or lines or ["no output"]
    return f"downloading it failed ({errors[0]})"
