"""Take the README's screenshots: `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.chromium import open_chromium
from tests.browser.site import OWNER, go_live, log_in, running_site
from tests.conftest import ROOT

PICTURES = {
    "dashboard": "/m/816/",
    "orders": "/m/816/orders",
    "products": "/m/816/products?problems=y",
    "order": "/m/816/orders?state=rejected",
}


def main() -> None:
    folder = ROOT / "docs"
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as temporary,
        running_site(Path(temporary)) as site,
        sync_playwright() as playwright,
        open_chromium(playwright, Path(temporary), may_download=True, report=print) as browser,
    ):
        go_live(site)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        log_in(page, site, OWNER)
        for name, address in PICTURES.items():
            page.goto(f"{site.url}{address}")
            if name == "order":
                page.locator("tbody a").first.click()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main()
