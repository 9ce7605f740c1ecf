"""Every page in both themes: no axe violations, no sideways scrolling on a phone, nothing blocked by the CSP.

Two more judges see every page and every form with errors: the Nu HTML Checker and IBM's Equal Access engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.records import Records, add_records, has_open_incident
from tests.browser.site import OWNER, SUPPORT, is_wider_than_window, log_in, violations
from tests.embedded.processes import eventually
from tests.judges.equal_access import accessibility_failures
from tests.judges.nu_checker import html_problems

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.browser.site import Site

OPEN = ("/", "/log-in", "/sign-up", "/forgot-password", "/no-such-page")
MERCHANT = (
    "/connect",
    "/account",
    "/m/816/",
    "/m/816/setup",
    "/m/816/orders",
    "/m/816/orders?state=held",
    "/m/816/orders?needs=attention&sort=oldest",
    "/m/816/orders?number=ZZZZ",
    "/m/816/products",
    "/m/816/products/try",
    "/m/816/products/1/upload",
    "/m/816/shipping",
    "/m/816/attempts",
    "/m/816/search",
    "/m/816/search?q=9400",
    "/m/816/search?q=zzz",
    "/m/816/settings",
    "/m/816/settings/colleagues",
    "/m/816/settings/credentials",
    "/m/816/settings/audit-trail",
    "/m/816/settings/alerts",
    "/m/816/settings/webhook",
    "/m/816/settings/webhook/secret",
    "/m/816/notes",
    "/m/816/incidents",
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
"""Pages reached through the first link on a page that matches a selector."""
ONLY_SUPPORT = (
    "/support/merchants",
    "/support/merchants?q=zzz",
    "/support/audit",
    "/support/search",
    "/support/search?q=fern",
    "/m/816/search?q=9400",
    "/support/attempts",
    "/support/incidents",
    "/support/messages",
    "/support/buyers",
    "/m/816/",
    "/m/816/visit",
    "/account",
    "/m/816/notes",
    "/m/816/settings/alerts",
    "/m/816/settings/webhook",
    "/m/816/settings/webhook/off",
    "/m/817/incidents",
    "/m/817/notes",
    "/m/817/setup",
    "/m/817/settings/webhook",
    "/support/attempts?merchant=816&outcome=refused",
    "/m/816/",
    "/m/816/settings/sending/pause",
)
REFUSED = {
    None: ("/log-in", "/sign-up", "/forgot-password"),
    OWNER: (
        "/account",
        "/m/816/settings/credentials",
        "/m/816/settings/colleagues",
        "/m/816/settings/alerts",
        "/m/816/notes",
        "/m/816/products/1/upload",
    ),
    SUPPORT: ("/support/buyers", "/m/817/settings/webhook", "/m/816/settings/sending/pause"),
}
"""Pages with a form that can't be sent empty."""
SEND_EMPTY = """form => {
    form.noValidate = true;
    for (const field of form.querySelectorAll("input:not([type=hidden], [type=radio], [type=checkbox]), textarea")) {
        field.value = "";
    }
    form.requestSubmit();
}"""


@pytest.fixture(scope="module")
def records(live_site: Site) -> Records:
    """Rows for every part of a page; merchant 817 has none, so its pages are empty."""
    live_site.flask("merchants", "add", "--merchant-id", "817", "--name", "Moss & Moth", "--token-stdin", text="other")
    eventually(lambda: has_open_incident(live_site), "the rejected order is an incident", seconds=60)
    return add_records(live_site)


@pytest.mark.parametrize(("width", "theme"), [(1200, "light"), (1200, "dark"), (360, "light"), (360, "dark")])
@pytest.mark.parametrize("email", [None, OWNER, SUPPORT])
def test_every_page_is_accessible_and_fits_the_window(
    browser: Browser, live_site: Site, records: Records, *, email: str | None, width: int, theme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text) if "Security Policy" in message.text else None)
    if email is not None:
        log_in(page, live_site, email)
    problems = []
    for address in _addresses(page, live_site, records, email):
        page.goto(address)
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        problems += violations(page)
        if is_wider_than_window(page):
            problems.append(f"{address} scrolls sideways at {width} px")
    context.close()
    assert problems + blocked == []


@pytest.mark.parametrize("email", [None, OWNER, SUPPORT])
def test_other_judges_find_nothing_wrong(
    browser: Browser, live_site: Site, records: Records, tmp_path: Path, *, email: str | None
) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    if email is not None:
        log_in(page, live_site, email)
    pages, problems = dict[str, str](), list[str]()
    for address in _addresses(page, live_site, records, email):
        answer = page.goto(address)
        assert answer is not None
        pages[address] = answer.text()
        problems += accessibility_failures(page)
    for path in REFUSED.get(email, ()):
        pages[f"{path}, with errors"] = _send_empty(page, f"{live_site.url}{path}")
        problems += violations(page) + accessibility_failures(page)
    context.close()
    assert html_problems(pages, tmp_path) + problems == []


def _send_empty(page: Page, address: str) -> str:
    """Send the page's first form with nothing in it, and return the HTML of the page that says what is wrong."""
    page.goto(address)
    with page.expect_navigation() as answered:
        page.locator("main form[method=post]").first.evaluate(SEND_EMPTY)
    assert page.locator("main .invalid-feedback, main .is-invalid, main .alert-danger").count(), f"{address}: no error"
    return answered.value.text()


def _addresses(page: Page, site: Site, records: Records, email: str | None) -> list[str]:
    incidents = (records.open_incident, f"{records.open_incident}/acknowledge", records.closed_incident)
    order = (records.changed_order, f"{records.changed_order}/changes")
    paths = {
        None: (*OPEN, records.unsubscribe, records.unsubscribed),
        OWNER: (*MERCHANT, *incidents, records.outage, *order),
        SUPPORT: (*ONLY_SUPPORT, *incidents, *order),
    }[email]
    addresses = [f"{site.url}{path}" for path in paths]
    for path, link in LINKED if email == OWNER else ():
        page.goto(f"{site.url}{path}")
        found = page.locator(link).first.get_attribute("href")
        assert found, f"{path} has no such link"
        addresses.append(f"{site.url}{found}")
        if re.search(r"/orders/[A-Z]{4}-\d{6}$", found) and "rejected" in path:
            addresses += [f"{site.url}{found}/{part}" for part in ("retry", "close", "address", "service", "hold")]
    return addresses


def test_order_page_follows_the_order_while_it_is_open(browser: Browser, live_site: Site) -> None:
    """The page updates without a reload."""
    context = browser.new_context()
    page = context.new_page()
    log_in(page, live_site, OWNER)
    page.goto(f"{live_site.url}/m/816/orders?state=submitted")
    page.locator("tbody a").first.click()
    number = page.url.rsplit("/", 1)[1]
    live_site.sandbox.ship([number])
    page.get_by_text("Complete", exact=True).first.wait_for(timeout=40_000)
    context.close()


def test_chosen_theme_survives_a_reload(browser: Browser, live_site: Site) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(live_site.url)
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    context.close()


def test_open_page_says_while_it_cannot_be_updated(browser: Browser, live_site: Site) -> None:
    """The database is away for the parts that the dashboard reloads, and then back."""
    context = browser.new_context()
    page = context.new_page()
    log_in(page, live_site, OWNER)
    page.goto(f"{live_site.url}/m/816/")
    notice = page.get_by_role("status").filter(has_text="This page may be out of date")

    def answer(route: Route) -> None:
        if "hx-request" in route.request.headers:
            route.fulfill(status=503, content_type="text/plain", body="This page may be out of date: no database.")
        else:
            route.continue_()

    page.route("**/m/816/**", answer)
    notice.wait_for(timeout=30_000)
    assert notice.count() == 1
    assert violations(page) == []
    page.unroute("**/m/816/**")
    notice.wait_for(state="detached", timeout=30_000)
    context.close()
