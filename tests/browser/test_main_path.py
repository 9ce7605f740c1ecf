"""A merchant's first time through the portal, from sign-up to shipped orders, with and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.site import connect_store, sign_up
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from tests.browser.site import Site


@pytest.mark.parametrize(
    ("with_script", "merchant", "name", "token", "account"),
    [
        (True, "816", "Fern & Fable", "sandbox-token", "1000001"),
        (False, "900", "Moss & Mortar", "sandbox-token-2", "1000002"),
    ],
    ids=["with JavaScript", "without JavaScript"],
)
def test_new_merchant_gets_from_sign_up_to_shipped_orders(
    browser: Browser, site: Site, *, with_script: bool, merchant: str, name: str, token: str, account: str
) -> None:
    context = browser.new_context(java_script_enabled=with_script)
    page = context.new_page()
    sign_up(page, site, email=f"owner@{account}.example", merchant_id=merchant, name=name, token=token)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert f"/m/{merchant}/" in page.url

    connect_store(page, site, account)
    expect(page.get_by_role("textbox", name="Account ID")).to_have_value(account)
    expect(page.get_by_role("button", name="Show access token")).to_be_visible()
    page.get_by_role("radio", name="USPS Media Mail").check()
    page.get_by_role("radio", name="USPS ePacket").check()
    _press(page, "Save services")
    expect(page.get_by_text("Saved.").first).to_be_visible()
    dry_run = page.get_by_role("link", name="Open dry run")
    _until(page, lambda: dry_run.count() > 0, "the products are read")
    assert not site.sandbox.accepted(merchant), "a test order of the setup became a real order"
    dry_run.click()
    _until(page, lambda: page.locator("#dry-run tbody tr").count() > 20, "the backlog is listed")
    assert not site.sandbox.accepted(merchant), "a real order was sent before the store went live"
    _press(page, "Start dry run")
    _until(page, lambda: page.get_by_text("Would be rejected").count() > 0, "the warehouse's verdicts are listed")
    assert not site.sandbox.accepted(merchant), "a test order became a real order"
    page.get_by_label("All").first.check()
    _press(page, "Go live")
    _press(page, "Go live")
    expect(page.get_by_text("is live. We're sending")).to_be_visible()
    expect(page.get_by_role("heading", name="Open orders")).to_be_visible()

    page.goto(f"{site.url}/m/{merchant}/orders?state=completed")
    _until(page, lambda: page.locator("tbody tr").count() > 10, "orders are complete", seconds=60)
    page.locator("tbody a").first.click()
    expect(page.get_by_text("marked as shipped in Big Cartel").first).to_be_visible()
    number = page.url.rsplit("/", 1)[1]
    assert site.sandbox.shipping_statuses(account)[number] == "shipped"
    assert all(times == 1 for times in site.sandbox.accepted(merchant).values())
    context.close()


def _press(page: Page, button: str) -> None:
    """Press a button and wait for the next page, which a reload in the meantime would cancel."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def _until(page: Page, condition: Callable[[], object], what: str, seconds: float = 40) -> None:
    def is_true_after_reload() -> bool:
        page.reload()
        return bool(condition())

    eventually(is_true_after_reload, what, seconds=seconds)
