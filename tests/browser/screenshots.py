"""Take pictures of the pages, to look at them: `make screenshots`.

Each page is taken on a laptop, a tablet and a phone, light and dark: of a merchant with nothing yet, of one with many
orders, with long texts, and in an outage. `index.html` in the folder shows them all. The README's are taken first.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.chromium import open_chromium
from tests.browser.records import add_records, has_open_incident
from tests.browser.site import OWNER, PASSWORD, SUPPORT, go_live, log_in, running_site
from tests.conftest import ROOT
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from playwright.sync_api import Browser, Page

    from tests.browser.records import Records
    from tests.browser.site import Site

README = {
    "dashboard": "/m/816/",
    "orders": "/m/816/orders",
    "products": "/m/816/products?problems=y",
    "order": "/m/816/orders?state=rejected > tbody a",
}
"""Addresses. After " > ", a selector of the link on that page that leads to the picture's page."""
NEWCOMER = "newcomer@moss.example"
PUBLIC = ("/", "/log-in", "/sign-up", "/forgot-password", "/no-such-page")
EMPTY = (
    "/connect",
    *(f"/m/817/{page}" for page in ("", "orders", "products", "shipping", "attempts", "incidents", "notes", "search")),
    *(f"/m/817/settings{page}" for page in ("", "/colleagues", "/webhook", "/audit-trail")),
)
FULL = (
    "/account",
    *(f"/m/816/{page}" for page in ("", "?days=30", "orders", "products", "products/try", "shipping", "attempts")),
    *(f"/m/816/orders?{filters}" for filters in ("state=held", "needs=attention&sort=oldest", "number=ZZZZ")),
    *(f"/m/816/orders?state={state} > tbody a" for state in ("held", "rejected", "completed")),
    "/m/816/attempts > tbody a",
    "/m/816/products > tbody a[href*='/products/']",
    "/m/816/orders?state=rejected > tbody a > #state a[href$='/sku'], #state a[href*='/sku?']",
    "/m/816/orders?state=rejected > tbody a > #state a[href$='/close']",
    *(f"/m/816/search{query}" for query in ("", "?q=9400", "?q=mug", "?q=zzz")),
    *(f"/m/816/{page}" for page in ("incidents", "notes", "connection/1", "go-live/1")),
    *(f"/m/816/settings{page}" for page in ("", "/colleagues", "/credentials", "/audit-trail", "/alerts", "/webhook")),
)
BY_SUPPORT = (
    *(f"/support/{page}" for page in ("merchants", "search?q=fern", "attempts", "incidents", "messages", "audit")),
    "/support/buyers",
    "/m/816/visit",
    "/m/816/",
)
IN_TROUBLE = (
    *(f"/m/816/{page}" for page in ("", "orders?needs=attention", "incidents", "connection/1", "settings")),
    "/m/816/orders > tbody a",
)
SIZES = {1280: 860, 768: 1024, 390: 844}
THEMES = ("light", "dark")
DAYS = 14
"""Days over which the orders of the merchant with many are spread."""


@dataclass(frozen=True, slots=True)
class Picture:
    part: str
    address: str
    width: int
    theme: str
    file: str


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes pictures of pages into a folder: those whose address or part contains ``only``. Reports what it did."""

    browser: Browser
    site: Site
    folder: Path
    report: Callable[[str], object]
    only: str = ""

    def take(self, part: str, addresses: Sequence[str], email: str | None = None) -> list[Picture]:
        """Take each page in every size and theme, as this person sees it."""
        taken = []
        wanted = [address for address in addresses if self.only in address or self.only in part]
        if not wanted:
            return []
        for theme in THEMES:
            context = self.browser.new_context(color_scheme="dark" if theme == "dark" else "light")
            page = context.new_page()
            if email is not None:
                log_in(page, self.site, email)
            for number, address in enumerate(wanted):
                if not visit(page, self.site.url, address):
                    self.report(f"{part}: {address} is missing")
                    continue
                for width, height in SIZES.items():
                    page.set_viewport_size({"width": width, "height": height})
                    file = f"{part}-{number:02}-{width}-{theme}.png".replace(" ", "-")
                    page.screenshot(path=self.folder / file, full_page=True, animations="disabled")
                    taken.append(Picture(part, address, width, theme, file))
            context.close()
        self.report(f"{part}: {len(taken)} pictures")
        return taken


def visit(page: Page, url: str, address: str) -> bool:
    """Open a page, and follow the links that its address names. Return whether all of them are there."""
    start, *links = address.split(" > ")
    page.goto(f"{url}{start}")
    for link in links:
        target = page.locator(link).first
        if not target.count():
            return False
        page.goto(f"{url}{target.get_attribute('href')}")
    page.wait_for_load_state("networkidle")
    return True


def contact_sheet(pictures: Sequence[Picture]) -> str:
    """Return the page that shows all pictures, a row for each page."""
    rows: dict[tuple[str, str], list[Picture]] = {}
    for picture in pictures:
        rows.setdefault((picture.part, picture.address), []).append(picture)
    style = "body{font:14px sans-serif} div{display:flex;gap:1rem;overflow-x:auto} img{max-height:30rem}"
    body = "".join(
        f"<h2>{escape(part)}: {escape(address)}</h2><div>{''.join(_figure(one) for one in some)}</div>"
        for (part, address), some in rows.items()
    )
    return f'<!doctype html><meta charset="utf-8"><title>Pages</title><style>{style}</style>{body}\n'


def _figure(picture: Picture) -> str:
    words = f"{picture.width} px, {picture.theme}"
    return f'<a href="{picture.file}"><img loading="lazy" src="{picture.file}" alt="{words}" title="{words}"></a>'


def take_readme(browser: Browser, site: Site, addresses: Mapping[str, str] = README) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    log_in(page, site, OWNER)
    for name, address in addresses.items():
        assert visit(page, site.url, address), f"{address} is missing"
        page.screenshot(path=ROOT / "docs" / f"{name}.png")


def add_newcomer(site: Site) -> None:
    merchant = ("--merchant-id", "817")
    site.flask("merchants", "add", *merchant, "--name", "Moss & Moth", "--token-stdin", text="other")
    site.flask("users", "create", NEWCOMER, "--role", "merchant", *merchant, "--password-stdin", text=PASSWORD)


def add_orders(site: Site) -> None:
    """Place orders over the last days, and wait until most are sent."""
    placed, today = [], datetime.now(UTC)
    for day in range(DAYS):
        moment = (today - timedelta(days=day, minutes=30)).isoformat(timespec="seconds")
        # A sync asks for what was updated since the one before.
        dates = {"created_at": moment, "completed_at": moment, "updated_at": today.isoformat(timespec="seconds")}
        placed += site.sandbox.place_orders(count=8 + 5 * (day % 4), abroad=True, account="1000001", template=dates)
    eventually(lambda: len(site.sandbox.accepted("816")) > len(placed) // 2, "the orders are sent", seconds=120)


def break_services(browser: Browser, site: Site) -> None:
    """Have the warehouse fail and Big Cartel refuse the store's token, until the pages say so."""
    site.sandbox.place_orders(count=12, account="1000001")
    site.sandbox.fault("any", "status", side="fcp", status=503, times=None)
    page = browser.new_page()
    log_in(page, site, OWNER)
    page.locator("#status[data-level=trouble]").wait_for(timeout=60_000)
    site.sandbox.put_account("1000001", tokens=())
    page.get_by_role("link", name="Reconnect").first.wait_for(timeout=60_000)


def pictures_of(camera: Camera) -> list[Picture]:
    site = camera.site
    pictures = camera.take("public", PUBLIC)
    add_newcomer(site)
    pictures += camera.take("empty", EMPTY, NEWCOMER)
    add_orders(site)
    pictures += camera.take("full", FULL, OWNER) + camera.take("support", BY_SUPPORT, SUPPORT)
    eventually(lambda: has_open_incident(site), "the rejected order is an incident", seconds=60)
    pictures += camera.take("long texts", _of_records(add_records(site)), OWNER)
    break_services(camera.browser, site)
    pictures += camera.take("in trouble", IN_TROUBLE, OWNER)
    return pictures + camera.take("in trouble by support", ("/support/merchants", "/support/incidents"), SUPPORT)


def _of_records(records: Records) -> tuple[str, ...]:
    order = records.changed_order
    webhook = "/m/816/settings/webhook"
    return (order, f"{order}/changes", records.open_incident, records.closed_incident, "/m/816/notes", webhook)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--to", type=Path, default=ROOT / "screenshots", help="folder of the pictures")
    arguments.add_argument("--only", default="", help="only pages whose address or part contains this")
    arguments.add_argument("--readme", action="store_true", help="only the README's pictures")
    options = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory() as temporary,
        running_site(Path(temporary)) as site,
        sync_playwright() as playwright,
        open_chromium(playwright, Path(temporary), may_download=True, report=print) as browser,
    ):
        go_live(site)
        if not options.only:
            take_readme(browser, site)
        if options.readme:
            return
        options.to.mkdir(parents=True, exist_ok=True)
        pictures = pictures_of(Camera(browser, site, options.to, print, options.only))
        (options.to / "index.html").write_text(contact_sheet(pictures), encoding="utf-8")


if __name__ == "__main__":
    main()
