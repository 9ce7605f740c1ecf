"""Conveniences for people who keep the portal open: keys, dialogs, times that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.site import OWNER, SUPPORT, log_in, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

    from tests.browser.site import Site


@pytest.fixture
def page(browser: Browser, live_site: Site) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    log_in(opened, live_site, OWNER)
    yield opened
    context.close()


def test_keys_move_through_the_rows_select_and_open(page: Page, live_site: Site) -> None:
    page.goto(f"{live_site.url}/m/816/orders")
    numbers = [page.locator("main tbody > tr").nth(row).locator("a").first.inner_text() for row in (0, 1)]
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == numbers[1]
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.locator("main tbody > tr").nth(0).locator("input[type=checkbox]").is_checked()
    assert not page.locator("main tbody > tr").nth(1).locator("input[type=checkbox]").is_checked()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{numbers[0]}")


def test_question_mark_lists_the_keys_and_they_can_be_turned_off(page: Page, live_site: Site) -> None:
    page.goto(f"{live_site.url}/m/816/orders")
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    listed.get_by_text("Next row").wait_for()
    assert violations(page) == []
    listed.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") != "A"
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") != "A"


def test_keys_do_nothing_while_somebody_types(page: Page, live_site: Site) -> None:
    page.goto(f"{live_site.url}/m/816/orders")
    field = page.get_by_role("combobox").first
    field.focus()
    page.keyboard.type("j?x")
    assert field.input_value() == "j?x"


def test_small_confirmation_opens_in_a_dialog_and_can_be_left(browser: Browser, live_site: Site) -> None:
    """Support gives a reason, so its buttons lead to a form."""
    context = browser.new_context()
    page = context.new_page()
    log_in(page, live_site, SUPPORT)
    page.goto(f"{live_site.url}/m/816/settings")
    page.get_by_role("link", name="Turn on test mode").click()
    dialog = page.get_by_role("dialog", name="Turn on test mode")
    dialog.get_by_label("Reason").wait_for()
    assert page.url.endswith("/settings")
    assert violations(page) == []
    dialog.get_by_role("link", name="Cancel").click()
    dialog.wait_for(state="detached")
    assert page.evaluate("document.activeElement.innerText") == "Turn on test mode"
    for name in ("Turn on test mode", "Turn off test mode"):
        page.get_by_role("link", name=name).click()
        dialog = page.get_by_role("dialog", name=name)
        dialog.get_by_label("Reason").fill("The merchant asked")
        dialog.get_by_role("button", name=name).click()
    page.get_by_role("link", name="Turn on test mode").wait_for()
    context.close()


def test_selected_orders_are_closed_in_a_dialog_that_stays_until_its_form_is_right(page: Page, live_site: Site) -> None:
    page.goto(f"{live_site.url}/m/816/orders?state=rejected")
    page.locator("main tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="Close orders").click()
    dialog = page.get_by_role("dialog", name="Close order")
    reason = dialog.get_by_label("Reason")
    reason.fill("  ")
    dialog.get_by_role("button", name="Close order").click()
    dialog.get_by_text("Say why").wait_for()
    assert reason.evaluate("field => field === document.activeElement")
    assert violations(page) == []
    reason.fill("Bought twice")
    dialog.get_by_role("button", name="Close order").click()
    page.get_by_role("heading", name="1 order is closed.").wait_for()
    page.get_by_role("button", name="Undo closing").click()
    page.get_by_text("1 order is open again.").wait_for()


def test_button_shows_that_its_answer_is_on_its_way(page: Page, live_site: Site) -> None:
    page.goto(f"{live_site.url}/m/816/orders?state=held")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Hold order").click()
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route("**/hold", keep)
    button = page.get_by_role("dialog").get_by_role("button", name="Hold order")
    before = button.bounding_box()
    button.click()
    page.locator("dialog button[aria-busy=true]").wait_for()
    button.click(force=True)
    assert button.bounding_box() == before
    assert len(waiting) == 1
    waiting[0].continue_()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone.").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
def test_success_is_told_in_a_toast_that_leaves_after_a_while(page: Page, live_site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.clock.install()
    page.goto(f"{live_site.url}/m/816/settings/alerts")
    page.get_by_role("checkbox").first.click()
    page.get_by_role("button", name="Save alerts").click()
    toast = page.locator(".toast-message", has_text="Alerts saved.")
    toast.wait_for()
    assert violations(page) == []
    page.clock.run_for(6_000)
    toast.hover()
    page.clock.run_for(30_000)
    assert toast.is_visible(), "the pointer is on it"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    save = page.get_by_role("button", name="Save alerts")
    lowest = save.evaluate("button => button.getBoundingClientRect().bottom")
    assert lowest < toast.evaluate("toast => toast.getBoundingClientRect().top"), "the toast covers the button"
    page.mouse.move(5, 5)
    page.clock.run_for(3_000)
    assert not toast.is_visible()


def test_undo_waits_until_the_toast_is_closed(page: Page, live_site: Site) -> None:
    page.clock.install()
    page.goto(f"{live_site.url}/m/816/orders?state=held")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Hold order").click()
    page.get_by_role("dialog").get_by_role("button", name="Hold order").click()
    undo = page.get_by_role("button", name="Undo")
    undo.wait_for()
    assert violations(page) == []
    page.clock.run_for(60_000)
    undo.click()
    page.get_by_text("Undone.").wait_for()
    page.get_by_role("button", name="Close message").click()
    assert page.evaluate("document.activeElement.id") == "content"
    assert not page.locator(".toast-message").count()


def test_menu_on_a_phone_opens_without_covering_the_header_for_long(page: Page, live_site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_site.url}/m/816/")
    assert page.locator(".site-head").evaluate("head => head.offsetHeight") == 56
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Products")
    assert not link.is_visible()
    page.get_by_role("button", name="Menu").click()
    assert violations(page) == []
    link.click()
    page.wait_for_url("**/products")
    assert not link.is_visible()


def test_icon_in_the_tab_follows_the_status_line(page: Page, live_site: Site) -> None:
    page.goto(f"{live_site.url}/m/816/")
    level = page.locator("#status").get_attribute("data-level")
    icon = page.locator("link[rel=icon]").get_attribute("href") or ""
    assert level == "attention", "the sandbox's warehouse rejects an order"
    assert "icon-trouble" in icon
