"""The whole main way, from sign-up to an order that is sent again, with a keyboard only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.keyboard import Keyboard
from tests.browser.site import PASSWORD
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from tests.browser.site import Site


def test_main_way_needs_no_mouse_and_always_shows_the_focus(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    keyboard = Keyboard(page)
    page.goto(site.url)
    keyboard.press(page.get_by_role("link", name="Sign up"))
    keyboard.write(page.get_by_label("Email"), "owner@keys.example")
    keyboard.write(page.get_by_label("Password"), PASSWORD)
    keyboard.write(page.get_by_label("Merchant Id"), "816")
    keyboard.write(page.get_by_label("Merchant Name"), "Fern & Fable")
    keyboard.write(page.get_by_label("Merchant Token"), "sandbox-token")
    keyboard.press(page.get_by_role("button", name="Sign up"))
    assert "/m/816/" in page.url

    keyboard.press(page.get_by_role("button", name="Connect store"))
    keyboard.pick(page.get_by_label("Store"), "F")
    keyboard.press(page.get_by_role("button", name="Allow"))
    expect(page.get_by_role("textbox", name="Account ID")).to_have_value("1000001")

    keyboard.choose(page.locator("#domestic-0"), page.get_by_role("radio", name="USPS Media Mail"))
    keyboard.choose(page.locator("#international-0"), page.get_by_role("radio", name="USPS ePacket"))
    keyboard.press(page.get_by_role("button", name="Save services"))
    dry_run = page.get_by_role("link", name="Open dry run")
    _until(page, lambda: dry_run.count() > 0, "the products are read")
    keyboard.press(dry_run)
    _until(page, lambda: page.locator("#dry-run tbody tr").count() > 20, "the backlog is listed")
    keyboard.press(page.get_by_role("button", name="Start dry run"))
    _until(page, lambda: page.get_by_text("Would be rejected").count() > 0, "the warehouse's verdicts are listed")
    keyboard.check(page.get_by_label("All"))
    keyboard.press(page.get_by_role("button", name="Go live"))
    keyboard.press(page.get_by_role("button", name="Go live"))
    expect(page.get_by_text("is live. We're sending")).to_be_visible()

    keyboard.press(page.get_by_role("link", name="Orders", exact=True))
    rejected = page.get_by_role("main").get_by_role("link", name="Rejected")
    _until(page, lambda: rejected.count() > 0, "an order is rejected", seconds=60)
    keyboard.press(rejected)
    keyboard.press(page.locator("tbody a[href*='/orders/']"))
    number = page.url.rsplit("/", 1)[1]
    posted = site.sandbox.posted("816")[number]
    keyboard.open(page.get_by_role("link", name="Retry"))
    keyboard.press(page.get_by_role("dialog").get_by_role("button", name="Retry order"))
    eventually(lambda: site.sandbox.posted("816")[number] > posted, "the order is sent again", seconds=40)
    assert keyboard.problems == []
    context.close()


def _until(page: Page, condition: Callable[[], object], what: str, seconds: float = 40) -> None:
    def is_true_after_reload() -> bool:
        page.reload()
        return bool(condition())

    eventually(is_true_after_reload, what, seconds=seconds)
