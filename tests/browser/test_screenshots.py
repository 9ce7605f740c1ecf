"""The program that takes pictures of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.screenshots import SIZES, THEMES, Camera, contact_sheet
from tests.browser.site import OWNER

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser.site import Site


def test_each_page_is_taken_in_every_size_and_theme(browser: Browser, live_site: Site, tmp_path: Path) -> None:
    said: list[str] = []
    camera = Camera(browser, live_site, tmp_path, said.append, only="account")
    pictures = camera.take("part", ("/account", "/m/816/", "/account > .no-such-link"), OWNER)
    assert {(one.width, one.theme) for one in pictures} == {(width, theme) for width in SIZES for theme in THEMES}
    assert {one.address for one in pictures} == {"/account"}
    assert "part: /account > .no-such-link is missing" in said
    assert {one.name for one in tmp_path.iterdir()} == {one.file for one in pictures}
    assert all(one.file in contact_sheet(pictures) for one in pictures)
