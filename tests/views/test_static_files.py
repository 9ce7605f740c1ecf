"""Browsers keep files for as long as they don't change. Pages are compressed for our own site only."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import brotli
import pytest

from portal import static_files
from tests.conftest import ROOT
from tests.views.conftest import get

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bs4 import BeautifulSoup
    from flask.testing import FlaskClient

    from tests.views.conftest import World

FOREVER = "public, max-age=31536000, immutable"
ALL = {"Accept-Encoding": "gzip, deflate, br, zstd"}


def files_of(page: BeautifulSoup) -> list[str]:
    """Return the address of every file that the page loads."""
    found = [str(tag["href"]) for tag in page.find_all("link")]
    return found + [str(tag["src"]) for tag in page.find_all(["script", "img"])]


def test_browsers_keep_every_file_of_a_page(owner: FlaskClient, client_of: Callable[[str | None], FlaskClient]) -> None:
    files = {*files_of(get(owner, "/m/816/")), *files_of(get(client_of(None), "/"))}
    assert any("bootstrap.min.css" in file for file in files)
    assert any("portal.css" in file for file in files)
    for file in files:
        answer = owner.get(file, headers=ALL)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == FOREVER, file
        assert set(answer.headers.get("Vary", "Accept-Encoding").split(", ")) == {"Accept-Encoding"}, file
        assert "Set-Cookie" not in answer.headers


def test_browsers_keep_the_fonts_and_images_of_style_sheets(owner: FlaskClient) -> None:
    page = get(owner, "/m/816/")
    preloaded = [str(tag["href"]) for tag in page.find_all("link", rel="preload")]
    sheets = [file for file in files_of(page) if ".css" in file]
    assert len(sheets) == 2
    addresses = {
        f"/static/{reference}"
        for sheet in sheets
        for reference in re.findall(r'url\("?(?!data:|")([^")]+)"?\)', owner.get(sheet).get_data(as_text=True))
    }
    assert set(preloaded) < addresses
    assert addresses
    for address in addresses:
        assert owner.get(address).headers["Cache-Control"] == FOREVER, address


def test_address_with_an_old_hash_still_answers_but_is_not_kept(owner: FlaskClient) -> None:
    """As after an upgrade, in a page that was opened before it, or during one, from the process that is still old."""
    for address in ("/static/portal.css?v=0123456789abcdef", "/static/portal.css"):
        answer = owner.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-cache"
        again = owner.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.get_data()) == (304, b"")


def test_changed_file_has_another_address(tmp_path: Path) -> None:
    file = tmp_path / "a.css"
    file.write_text("a {}")
    first = static_files.version(file)
    file.write_text("b {}")
    assert first != static_files.version(file)
    assert static_files.version(file.with_name("b.css")) is None


@pytest.mark.parametrize(
    ("accepted", "used"), [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("", None), ("br;q=0", None)]
)
def test_file_comes_in_the_best_encoding_that_the_browser_knows(owner: FlaskClient, accepted: str, used: str) -> None:
    plain = (ROOT / "portal/static/portal.js").read_bytes()
    answer = owner.get("/static/portal.js", headers={"Accept-Encoding": accepted})
    read = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[used]
    assert answer.headers.get("Content-Encoding") == used
    assert read(answer.get_data()) == plain
    assert int(answer.headers["Content-Length"]) == len(answer.get_data())


def test_files_outside_the_folder_are_not_served(owner: FlaskClient) -> None:
    for address in (
        "/static/../core.py",
        "/static/%2e%2e/core.py",
        "/static/vendor",
        "/static/no",
    ):
        assert owner.get(address).status_code == 404, address


def test_pages_are_compressed_for_our_own_site_only(owner: FlaskClient) -> None:
    """See portal/compression.py for the attack that this stops."""
    page = "/m/816/"
    for asking in ({}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}):
        assert owner.get(page, headers=ALL | asking).headers["Content-Encoding"] == "br"
    for other in ("cross-site", "same-site", "anything"):
        assert "Content-Encoding" not in owner.get(page, headers=ALL | {"Sec-Fetch-Site": other}).headers


def test_csv_files_are_not_compressed(owner: FlaskClient, world: World) -> None:
    """Their rows arrive while later ones are read."""
    for path in ("/m/816/orders/orders.csv", "/m/816/attempts/attempts.csv", "/m/816/products/products.csv"):
        answer = owner.get(path, headers=ALL, buffered=False)
        assert answer.is_streamed
        assert "Content-Encoding" not in answer.headers
        answer.close()


def test_pages_use_no_script_of_bootstrap() -> None:
    """They don't load it. A component that needs it, such as a dropdown, would do nothing."""
    for template in (ROOT / "portal/templates").rglob("*.html"):
        assert not re.search(r"data-bs-(?!theme)", template.read_text()), template.name
