"""Every page in every dress: no violations for axe, nothing sideways on a phone, nothing that the CSP refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.site import OWNER, SUPPORT, is_wider_than_the_window, log_in, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.site import Site

OPEN = ("/", "/log-in", "/sign-up", "/forgot-password", "/no-such-page")
MERCHANT = (
    "/connect",
    "/account",
    "/m/816/",
    "/m/816/orders",
    "/m/816/orders?state=held",
    "/m/816/orders?number=ZZZZ",
    "/m/816/products",
    "/m/816/products/try",
    "/m/816/shipping",
    "/m/816/attempts",
    "/m/816/settings",
    "/m/816/settings/colleagues",
    "/m/816/settings/credentials",
    "/m/816/settings/audit-trail",
    "/m/816/settings/sending/pause",
    "/m/816/settings/test-mode/on",
    "/m/816/connection/1",
    "/m/816/go-live/1",
    "/m/816/go-live/1/confirm?start=all",
)
LINKED = (
    ("/m/816/orders?state=held", "tbody a"),
    ("/m/816/orders?state=rejected", "tbody a"),
    ("/m/816/orders?state=completed", "tbody a"),
    ("/m/816/attempts", "tbody a"),
    ("/m/816/products", "tbody a[href*='/products/']"),
)
"""Pages that are reached by the first link of such a kind."""
ONLY_SUPPORT = (
    "/support/merchants",
    "/support/merchants?q=zzz",
    "/support/audit",
    "/support/attempts",
    "/support/attempts?merchant=816&outcome=refused",
    "/m/816/",
    "/m/816/settings/sending/pause",
)


@pytest.mark.parametrize(("width", "theme"), [(1200, "light"), (1200, "dark"), (360, "light")])
@pytest.mark.parametrize("email", [None, OWNER, SUPPORT])
def test_every_page_is_for_everyone(
    browser: Browser, working_site: Site, *, email: str | None, width: int, theme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
    if email is not None:
        log_in(page, working_site, email)
    wrong = []
    for address in _addresses(page, working_site, email):
        page.goto(address)
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        wrong += violations(page)
        if is_wider_than_the_window(page):
            wrong.append(f"{address} scrolls sideways at {width} px")
    context.close()
    assert wrong + refused == []


def _addresses(page: Page, site: Site, email: str | None) -> list[str]:
    paths = {None: OPEN, OWNER: MERCHANT, SUPPORT: ONLY_SUPPORT}[email]
    addresses = [f"{site.url}{path}" for path in paths]
    for path, link in LINKED if email == OWNER else ():
        page.goto(f"{site.url}{path}")
        found = page.locator(link).first.get_attribute("href")
        assert found, f"{path} leads nowhere"
        addresses.append(f"{site.url}{found}")
        if re.search(r"/orders/[A-Z]{4}-\d{6}$", found) and "rejected" in path:
            addresses += [f"{site.url}{found}/retry", f"{site.url}{found}/close"]
    return addresses


def test_an_order_turns_before_the_readers_eyes(browser: Browser, working_site: Site) -> None:
    """The order's page follows the order by itself, and a form in use is left alone."""
    context = browser.new_context()
    page = context.new_page()
    log_in(page, working_site, OWNER)
    page.goto(f"{working_site.url}/m/816/orders?state=submitted")
    page.locator("tbody a").first.click()
    number = page.url.rsplit("/", 1)[1]
    working_site.sandbox.ship([number])
    page.get_by_text("Complete", exact=True).first.wait_for(timeout=40_000)
    context.close()


def test_a_reader_can_choose_the_dark(browser: Browser, working_site: Site) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(working_site.url)
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    context.close()
