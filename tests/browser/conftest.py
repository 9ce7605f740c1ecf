"""A real browser, and a running portal for each file of tests."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.site import Site, put_to_work, running_site

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. In CI these tests fail without one: a page that nobody has opened is not tested."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path and not os.environ.get("CI"):
        pytest.skip("NOT TESTED: no Chromium was found. Install it (Debian: apt-get install chromium).")
    assert path, "No Chromium was found: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--disable-background-networking"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def working_site(site: Site) -> Site:
    put_to_work(site)
    return site
