"""An unknown SKU is fixed on the page of one order, and all orders that it stopped arrive at the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.site import OWNER, is_wider_than_window, log_in, violations
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.site import Site


def _place(site: Site, page: Page, product: str, count: int) -> list[str]:
    """Place orders of a product alone, and wait until the warehouse has rejected them."""
    numbers = [site.sandbox.place_order(account="1000001", items=[{"product": product}]) for _ in range(count)]
    eventually(lambda: _are_rejected(site, page, numbers), "the orders are rejected", seconds=60)
    return numbers


def _are_rejected(site: Site, page: Page, numbers: list[str]) -> bool:
    page.goto(f"{site.url}/m/816/orders?state=rejected")
    return all(page.locator(f"tbody a:text-is('{number}')").count() for number in numbers)


@pytest.mark.parametrize("with_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sku_is_fixed_for_all_orders_that_it_stopped(browser: Browser, live_site: Site, *, with_script: bool) -> None:
    product = "115" if with_script else "116"
    live_site.sandbox.put_product(
        product, name=f"Field Guide {product}", description=f"Ferns.\n\nSKU:GUIDE-{product}", account="1000001"
    )
    context = browser.new_context(java_script_enabled=with_script)
    page = context.new_page()
    log_in(page, live_site, OWNER)
    numbers = _place(live_site, page, product, 3)

    page.goto(f"{live_site.url}/m/816/orders/{numbers[0]}")
    page.locator("#state").get_by_role("link", name="Set SKU").click()
    form = page.get_by_role("dialog") if with_script else page.locator("main")
    expect(form.get_by_text(f"The warehouse doesn't know GUIDE-{product}.")).to_be_visible()
    if with_script:
        form.get_by_label("SKU", exact=True).fill("")
        form.get_by_role("button", name="Save and send").click()
        # The browser itself asks for the required field, and nothing was sent.
        expect(form).to_be_visible()
        assert violations(page) == []
    form.get_by_label("SKU", exact=True).fill("TOWEL-01")
    form.get_by_role("button", name="Save and send", exact=False).click()

    expect(page.get_by_text("orders are being sent")).to_be_visible()
    eventually(
        lambda: all(number in live_site.sandbox.accepted("816") for number in numbers), "the orders arrive", seconds=60
    )
    for number in numbers:
        assert live_site.sandbox.accepted("816")[number] == 1
        assert live_site.sandbox.received("816")[number]["items"] == [{"sku": "TOWEL-01", "quantity": 1}]
    context.close()


@pytest.mark.parametrize(("width", "theme"), [(1200, "light"), (1200, "dark"), (360, "light")])
def test_every_form_is_accessible_and_fits_the_window(
    browser: Browser, live_site: Site, *, width: int, theme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    log_in(page, live_site, OWNER)
    page.goto(f"{live_site.url}/m/816/orders?state=held")
    page.locator("tbody a").first.click()
    page.wait_for_url("**/m/816/orders/*")
    order, problems = page.url, []
    addresses = [str(link.get_attribute("href")) for link in page.locator("main a[data-dialog]").all()]
    assert {address.partition("?")[0].rsplit("/", 1)[1] for address in addresses} >= {"hold", "address", "sku", "item"}
    for address in (*addresses, f"{order.removeprefix(live_site.url)}/address/big-cartel"):
        page.goto(f"{live_site.url}{address}")
        problems += violations(page)
        problems += [address] if is_wider_than_window(page) else []
        page.goto(order)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        button = page.locator(f"a[href='{address}'][data-dialog]")
        if button.count():
            button.first.click()
            expect(page.get_by_role("dialog")).to_be_visible()
            problems += violations(page)
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_be_hidden()
    context.close()
    assert problems == []
