"""Links between the pages lead to files and headings that exist, and every page can be found from the README."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import ROOT
from tests.docs.markdown import Page, page, pages

README = page("README.md")
README_LIMIT = 120
"""Lines. The README fits on a few screens; everything longer has a page of its own under docs/."""


@pytest.mark.parametrize("one", pages(), ids=str)
def test_every_relative_link_leads_to_a_file_and_a_heading(one: Page) -> None:
    broken = []
    for link in one.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (one.path.parent / unquote(parts.path)).resolve() if parts.path else one.path
        if not target.exists() or not target.is_relative_to(ROOT):
            broken.append(f"{link}: no such file")
        elif parts.fragment and parts.fragment not in Page(target).anchors:
            broken.append(f"{link}: no such heading")
    assert broken == []


def test_no_page_has_two_headings_with_the_same_anchor() -> None:
    """A second heading with the same name gets a number, which changes when a heading is added above it."""
    assert [str(one) for one in pages() for anchor in one.anchors if re.fullmatch(r".*[a-z]-[1-9]", anchor)] == []


def test_the_readme_stays_short() -> None:
    assert len(README.lines) < README_LIMIT


def test_every_page_is_within_two_clicks_of_the_readme() -> None:
    near, reached = {README}, {README}
    for _ in range(2):
        near = {target for one in near for target in _targets(one)} - reached
        reached |= near
    assert {str(one) for one in pages() if one.path.parent in {ROOT, ROOT / "docs"}} - {
        str(one) for one in reached
    } == set()


def test_every_picture_is_shown_on_a_page() -> None:
    pictures = {path.resolve() for path in (ROOT / "docs").rglob("*.png")}
    shown = {(one.path.parent / link).resolve() for one in pages() for link in one.links}
    assert pictures
    assert pictures - shown == set()


def _targets(one: Page) -> set[Page]:
    known = {other.path: other for other in pages()}
    linked = {(one.path.parent / urlsplit(link).path).resolve() for link in one.links if not urlsplit(link).scheme}
    return {known[path] for path in linked if path in known}
