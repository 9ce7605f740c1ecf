"""SKUs are set in the product list, by keyboard alone; without JavaScript, on the product's page; many by a file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.site import OWNER, is_wider_than_window, log_in, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.site import Site


def test_sku_is_set_in_the_list_by_keyboard(browser: Browser, live_site: Site) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    log_in(page, live_site, OWNER)
    page.goto(f"{live_site.url}/m/816/products?problems=y")
    row = page.locator("#list tbody").first
    link, field = row.locator("[data-edit]"), row.get_by_role("textbox").first

    link.focus()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    assert violations(page) == []
    assert not is_wider_than_window(page)
    page.keyboard.type("SKU:X")
    page.keyboard.press("Enter")
    expect(row.get_by_text("Enter the SKU alone")).to_be_visible()
    expect(field).to_be_focused()
    field.fill("TEA-1")
    page.keyboard.press("Enter")
    expect(link).to_be_focused()
    expect(page.get_by_role("status").filter(has_text=": SKU saved.")).to_have_count(1)
    expect(row.locator("code").first).to_contain_text("TEA-1")
    assert violations(page) == []

    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_value("TEA-1")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    row.get_by_role("button", name="Remove SKU").focus()
    page.keyboard.press("Enter")
    expect(link).to_be_focused()
    expect(row.get_by_text("SKU removed.")).to_be_visible()
    context.close()


def test_sku_is_set_on_a_page_without_javascript(browser: Browser, live_site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_site, OWNER)
    page.goto(f"{live_site.url}/m/816/products?problems=y")
    page.locator("#list [data-edit]").first.click()
    page.get_by_role("textbox").first.fill("TEA-1")
    page.get_by_role("button", name="Save SKU").click()
    expect(page.get_by_role("status").filter(has_text="SKU saved.")).to_be_visible()
    context.close()


def test_file_of_skus_is_previewed_and_saved(browser: Browser, live_site: Site) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    log_in(page, live_site, OWNER)
    page.goto(f"{live_site.url}/m/816/products?q=Tea%20Towel")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    edited = io.StringIO()
    writer = csv.DictWriter(edited, list(row), delimiter="\t")
    writer.writeheader()
    writer.writerows([row | {"own SKU": "OWN-TEA"}, row | {"product id": "404", "own SKU": "X"}])
    page.get_by_role("link", name="Upload CSV").click()
    page.get_by_label("CSV file").set_input_files(
        {"name": "products.csv", "mimeType": "text/csv", "buffer": edited.getvalue().encode("utf-16")}
    )
    page.get_by_role("button", name="Preview changes").click()
    expect(page.get_by_text("This store has no product with this id.")).to_be_visible()
    expect(page.get_by_text("OWN-TEA")).to_be_visible()
    assert violations(page) == []
    assert not is_wider_than_window(page)
    page.get_by_role("button", name="Save 1 SKU").click()
    expect(page.get_by_role("status").filter(has_text="SKU saved.")).to_be_visible()
    context.close()
