"""The header's search field, by keyboard alone, on a phone, and without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.site import OWNER, SUPPORT, is_wider_than_window, log_in, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.site import Site


def _any_number(page: Page, site: Site) -> str:
    page.goto(f"{site.url}/m/816/orders")
    href = page.locator("tbody a[href*='/orders/']").first.get_attribute("href")
    assert href
    return href.rsplit("/", 1)[1]


def test_search_is_usable_by_keyboard_alone(browser: Browser, live_site: Site) -> None:
    context = browser.new_context()
    page = context.new_page()
    log_in(page, live_site, OWNER)
    number = _any_number(page, live_site)
    field = page.get_by_role("combobox", name="Search orders, buyers, SKUs")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    assert field.input_value() == ""
    page.keyboard.type(number.lower().replace("-", ""))
    option = page.get_by_role("option", name=number)
    expect(option).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status").filter(has_text="1 result")).to_have_count(1)
    assert violations(page) == []

    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "search-orders-1")
    page.keyboard.press("ArrowUp")
    expect(option).to_have_attribute("aria-selected", "false")
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    expect(field).to_have_attribute("aria-expanded", "false")
    assert field.input_value()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/m/816/orders/{number}")

    page.keyboard.press("/")
    page.keyboard.type("zzzz")
    expect(page.get_by_text("No results for “zzzz”.")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/m/816/search?q=zzzz")
    expect(page.get_by_role("heading", name="Search")).to_be_visible()
    # In another field, "/" is only a character.
    page.locator("#q").fill("")
    page.locator("#q").press("/")
    assert page.locator("#q").input_value() == "/"
    context.close()


def test_search_fills_the_header_of_a_phone(browser: Browser, live_site: Site) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    log_in(page, live_site, SUPPORT)
    page.goto(f"{live_site.url}/support/merchants")
    field = page.get_by_role("combobox", name="Search orders, buyers, SKUs")
    field.click()
    field.press_sequentially("fern")
    expect(page.get_by_role("option", name="Merchant 816")).to_be_visible()
    box = field.bounding_box()
    assert box
    assert box["width"] > 320
    assert not is_wider_than_window(page)
    assert violations(page) == []
    page.get_by_role("option", name="Merchant 816").click()
    page.wait_for_url("**/m/816/")
    context.close()


def test_search_works_without_a_script(browser: Browser, live_site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_site, OWNER)
    number = _any_number(page, live_site)
    page.goto(f"{live_site.url}/m/816/")
    page.get_by_role("searchbox", name="Search orders, buyers, SKUs").fill(number)
    page.get_by_role("searchbox", name="Search orders, buyers, SKUs").press("Enter")
    page.wait_for_url(f"**/m/816/orders/{number}")
    context.close()
