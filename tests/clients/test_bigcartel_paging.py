"""Paging through a list: every page once, no loops, no other host."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.bigcartel_paging import FIRST, count, next_page
from portal.clients.errors import UnexpectedAnswer
from tests.clients.json_values import DOCUMENTS

ROW = {"id": "1"}


def page(rows: int, following: object = None, total: object = None) -> dict[str, Any]:
    return {"data": [ROW] * rows, "links": {"next": following}, "meta": {"count": total}}


@pytest.mark.parametrize(
    "link",
    [
        "https://api.bigcartel.com/v1/accounts/1/orders?page[limit]=50&page[offset]=50",
        "http://api.bigcartel.com/v1/accounts/1/orders?page%5Blimit%5D=50&page%5Boffset%5D=50&sort=-created_at",
        "/v1/accounts/1/orders?page[offset]=50",
        "?page[offset]=50&filter[shipping_status]=shipped",
        "https://evil.example.com/steal?page[offset]=50&token=x",
        {"href": "/orders?page[offset]=50"},
    ],
)
def test_only_the_paging_parameters_of_a_link_are_used(link: object) -> None:
    assert next_page(page(50, link), FIRST) == {"page[limit]": "50", "page[offset]": "50"}


@pytest.mark.parametrize(
    "link",
    [
        "/orders?page[offset]=50",
        "/orders?page[offset]=0",
        "/orders?page[offset]=-50",
        "/orders?page[offset]=abc",
        "/orders?page[offset]=٦٠",
        "/orders?page[offset]=" + "9" * 5000,
        "/orders",
        "https://[broken",
        7,
        ["/orders?page[offset]=100"],
        {"href": None, "meta": {}} | {"href": 5},
    ],
)
def test_link_that_does_not_advance_is_an_unexpected_answer(link: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        next_page(page(50, link), {"page[limit]": "50", "page[offset]": "50"})


@pytest.mark.parametrize(
    ("rows", "total", "offset"),
    [
        (50, "120", "50"),
        (20, "120", "20"),
        (50, 50, None),
        (50, "50", None),
        (50, None, None),
        (50, "many", None),
        (3, "2000", None),
        (0, "2000", None),
    ],
)
def test_without_a_link_a_full_page_and_the_count_give_the_next_offset(
    rows: int, total: object, offset: str | None
) -> None:
    following = next_page(page(rows, None, total), FIRST)
    assert (following or {}).get("page[offset]") == offset


def test_page_may_be_smaller_than_requested() -> None:
    assert next_page(page(20, "?page[limit]=20&page[offset]=20"), FIRST) == {
        "page[limit]": "20",
        "page[offset]": "20",
    }


@pytest.mark.parametrize("links", [None, {}, [], "next", {"next": None}, {"next": ""}])
def test_last_page_has_no_next_link(links: object) -> None:
    assert next_page({"data": [ROW], "links": links}, FIRST) is None


@pytest.mark.parametrize(
    ("meta", "number"),
    [({"count": "2"}, 2), ({"count": 2}, 2), ({"count": True}, None), ({"count": -1}, None), ([], None), (None, None)],
)
def test_count_is_read_as_text_or_number(meta: object, number: int | None) -> None:
    assert count({"meta": meta}) == number


@given(DOCUMENTS, st.integers(0, 10**6))
def test_any_document_advances_ends_or_is_an_unexpected_answer(document: dict[str, Any], offset: int) -> None:
    document["data"] = [ROW] * 50
    paging = {"page[limit]": "50", "page[offset]": str(offset)}
    try:
        following = next_page(document, paging)
    except UnexpectedAnswer:
        return
    assert following is None or (following != paging and int(following["page[offset]"]) >= offset)
