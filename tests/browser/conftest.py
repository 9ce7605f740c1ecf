"""A real browser, and a running portal for each file of tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import NoChromiumError, open_chromium
from tests.browser.site import Site, go_live, running_site
from tests.conftest import BROWSER_NOTE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running Chromium. Without one these tests are skipped, except in CI, where they fail."""
    in_ci = bool(os.environ.get("CI"))
    shared = tmp_path_factory.getbasetemp()
    if hasattr(pytestconfig, "workerinput"):
        shared = shared.parent  # each xdist worker has its own folder inside the run's folder

    def report(note: str) -> None:
        pytestconfig.stash[BROWSER_NOTE] = note

    with sync_playwright() as playwright:
        try:
            opened = open_chromium(playwright, shared, may_download=not in_ci, report=report)
        except NoChromiumError as error:
            if in_ci:
                pytest.fail(str(error))
            pytest.skip("no Chromium")
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def live_site(site: Site) -> Site:
    go_live(site)
    return site
