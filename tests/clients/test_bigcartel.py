"""Calls to Big Cartel: what we send, and what each answer means."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from portal.clients.bigcartel import Account, BigCartel, read_order
from portal.clients.errors import (
    NotFound,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from tests.clients.conftest import payload_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from portal.clients.http import Http

API = "https://api.bigcartel.com/v1"
ORDERS = f"{API}/accounts/1000001/orders"
ORDER = f"{ORDERS}/LMFN-543196"
TOKEN = "tok3n-of-the-store"


@pytest.fixture
def store(make_http: Callable[..., Http]) -> BigCartel:
    return BigCartel(make_http(service="Big Cartel"), api_url=API, account_id="1000001", token=TOKEN)


def all_pages(store: BigCartel) -> list[str]:
    pages = store.order_pages(unshipped_only=True, updated_from=None, sort="created_at")
    return [number for page in pages for number, _ in page.orders]


def query(call: int = 0) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(responses.calls[call].request.url or "").query))


def listing(
    total: int, *, link: Callable[[int], object], counted: bool = True, limit: int | None = None
) -> Callable[[PreparedRequest], tuple[int, dict[str, str], str]]:
    """Return a callback that answers with pages of ``total`` orders; ``link`` makes links.next from an offset."""

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(request.url or "").query).items()}
        offset, size = int(parameters.get("page[offset]", 0)), limit or int(parameters.get("page[limit]", 20))
        rows = [{"id": f"AAAA-{number:06}", "type": "orders"} for number in range(total)][offset : offset + size]
        links = {"next": link(offset + size)} if offset + size < total else {}
        body = {"data": rows, "links": links, "meta": {"count": str(total)} if counted else {}}
        return 200, {"Date": "Mon, 23 Nov 2026 19:00:00 GMT"}, json.dumps(body)

    return answer


@responses.activate
def test_order_list_is_requested_in_pages_of_50_and_read(store: BigCartel) -> None:
    responses.add(
        "GET", ORDERS, body=payload_bytes("bigcartel_orders_list"), headers={"Date": "Mon, 23 Nov 2026 19:00:00 GMT"}
    )
    (page,) = store.order_pages(unshipped_only=False, updated_from=None, sort="created_at")
    assert [number for number, _ in page.orders] == ["AAAA-000001", "BBBB-000002"]
    assert (page.nameless, page.count) == (0, 2)
    assert query() == {"page[limit]": "50", "sort": "created_at"}


@responses.activate
def test_filters_sort_and_headers_are_sent(store: BigCartel) -> None:
    responses.add("GET", ORDERS, json={"data": []})
    since = datetime(2026, 11, 23, 20, 0, tzinfo=timezone(timedelta(hours=1)))
    list(store.order_pages(unshipped_only=True, updated_from=since, sort="updated_at"))
    assert query() == {
        "page[limit]": "50",
        "sort": "updated_at",
        "filter[shipping_status]": "unshipped",
        "filter[updated_at_from]": "2026-11-23T19:00:00.000Z",
    }
    headers = responses.calls[0].request.headers
    assert headers["Accept"] == headers["Content-Type"] == "application/vnd.api+json"
    assert headers["Authorization"] == f"Bearer {TOKEN}"


@responses.activate
@pytest.mark.parametrize(
    "link",
    [
        lambda offset: f"{ORDERS}?page[limit]=50&page[offset]={offset}&filter[shipping_status]=unshipped",
        lambda offset: f"http://evil.example.com/v1?page[offset]={offset}&filter[shipping_status]=shipped&sort=x",
        lambda offset: f"/v1/accounts/2/orders?page%5Boffset%5D={offset}",
        lambda offset: {"href": f"?page[offset]={offset}"},
        lambda _: None,
    ],
)
@pytest.mark.parametrize("limit", [None, 20])
def test_every_page_is_read_once_and_only_from_our_url(
    store: BigCartel, link: Callable[[int], object], limit: int | None
) -> None:
    responses.add_callback("GET", ORDERS, listing(130, link=link, limit=limit))
    assert all_pages(store) == [f"AAAA-{number:06}" for number in range(130)]
    for number, call in enumerate(responses.calls):
        assert (call.request.url or "").startswith(ORDERS + "?")
        assert query(number)["filter[shipping_status]"] == "unshipped"
        assert query(number)["sort"] == "created_at"


@responses.activate
@pytest.mark.parametrize("orders", [0, 3])
def test_short_list_takes_one_call(store: BigCartel, orders: int) -> None:
    responses.add_callback("GET", ORDERS, listing(orders, link=lambda _: None))
    assert len(all_pages(store)) == orders
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    "link", [lambda _: ORDERS, lambda _: f"{ORDERS}?page[offset]=0", lambda _: 5, lambda _: "?page[offset]=x"]
)
def test_next_link_that_does_not_advance_is_an_unexpected_answer(
    store: BigCartel, link: Callable[[int], object]
) -> None:
    responses.add_callback("GET", ORDERS, listing(130, link=link))
    with pytest.raises(UnexpectedAnswer) as caught:
        all_pages(store)
    assert caught.value.exchange is not None
    assert len(responses.calls) == 1


@responses.activate
def test_list_that_ignores_the_offset_is_an_unexpected_answer(store: BigCartel) -> None:
    rows = [{"id": f"AAAA-{number:06}", "type": "orders"} for number in range(50)]
    responses.add("GET", ORDERS, json={"data": rows, "meta": {"count": 500}})
    with pytest.raises(UnexpectedAnswer, match="twice"):
        all_pages(store)
    assert len(responses.calls) == 2


@responses.activate
def test_list_whose_pages_loop_is_an_unexpected_answer(store: BigCartel) -> None:
    for number, following in enumerate((2, 3, 2, 3, 2)):
        rows = [{"id": f"AAAA-{number:06}", "type": "orders"}]
        responses.add("GET", ORDERS, json={"data": rows, "links": {"next": f"?page[number]={following}"}})
    with pytest.raises(UnexpectedAnswer, match="twice"):
        all_pages(store)
    assert len(responses.calls) == 4


@responses.activate
def test_entries_without_an_id_are_counted(store: BigCartel) -> None:
    responses.add("GET", ORDERS, json={"data": [{"id": "AAAA-000001"}, {"id": None}, 7]})
    (page,) = store.order_pages(unshipped_only=True, updated_from=None, sort="created_at")
    assert (len(page.orders), page.nameless, page.count) == (1, 2, None)


@responses.activate
def test_order_is_read_by_number(store: BigCartel) -> None:
    responses.add("GET", ORDER, body=payload_bytes("bigcartel_order_single"))
    assert read_order(store.order("LMFN-543196")).number == "LMFN-543196"


@responses.activate
def test_different_order_is_an_unexpected_answer(store: BigCartel) -> None:
    responses.add("GET", f"{ORDERS}/AAAA-000001", body=payload_bytes("bigcartel_order_single"))
    with pytest.raises(UnexpectedAnswer):
        store.order("AAAA-000001")


@responses.activate
def test_order_number_cannot_change_the_path(store: BigCartel) -> None:
    responses.add("GET", f"{ORDERS}/..%2F..%2Fx%3Fy", status=404)
    with pytest.raises(NotFound):
        store.order("../../x?y")


@responses.activate
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 204},
        {"status": 200, "json": {"data": {"id": "AAAA-000001", "attributes": {"shipping_status": "shipped"}}}},
        {"status": 200, "json": {"data": {"id": "AAAA-000001"}}},
        {"status": 200, "json": {"data": None}},
        {"status": 200, "json": {}},
        {"status": 200, "body": "", "headers": {"Content-Length": "0"}},
    ],
)
def test_order_is_marked_shipped(store: BigCartel, payload: Callable[[str], Any], answer: dict[str, Any]) -> None:
    responses.add("PATCH", f"{ORDERS}/AAAA-000001", **answer)
    exchange = store.mark_shipped("AAAA-000001")
    expected = payload("bigcartel_order_patch_shipped_request")
    expected.pop("_request")
    assert json.loads(responses.calls[0].request.body or b"") == json.loads(exchange.request) == expected
    assert exchange.status == answer["status"]


@responses.activate
@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"data": {"id": "AAAA-000001", "attributes": {"shipping_status": "unshipped"}}}},
        {"json": {"data": {"id": "BBBB-000002", "attributes": {"shipping_status": "shipped"}}}},
        {"body": "<html>Log in</html>"},
        {"body": ""},
    ],
)
def test_contradicting_answer_to_mark_shipped_is_an_unknown_outcome(store: BigCartel, answer: dict[str, Any]) -> None:
    responses.add("PATCH", f"{ORDERS}/AAAA-000001", **answer)
    with pytest.raises(OutcomeUnknown):
        store.mark_shipped("AAAA-000001")


@responses.activate
def test_products_are_read_by_page_and_by_id(store: BigCartel, payload: Callable[[str], Any]) -> None:
    answer = payload("bigcartel_product_jsonapi")
    listed = {"data": [answer["data"]], "included": answer["included"], "links": {}}
    responses.add("GET", f"{API}/accounts/1000001/products", json=listed)
    responses.add("GET", f"{API}/accounts/1000001/products/101", json=answer)
    responses.add("GET", f"{API}/accounts/1000001/products/102", status=404, json={"error": "Not found"})
    assert list(store.product_pages()) == [(store.product("101"),)]
    with pytest.raises(NotFound) as caught:
        store.product("102")
    assert caught.value.words == "Not found"


@responses.activate
def test_account_is_read(store: BigCartel) -> None:
    responses.add("GET", f"{API}/accounts/1000001", body=payload_bytes("bigcartel_account_list"))
    assert store.account() == Account("1000001", "exampleshop", "http://exampleshop.bigcartel.com")


@responses.activate
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected),
        (402, Rejected),
        (404, NotFound),
        (406, Rejected),
        (409, Rejected),
        (422, Rejected),
        (401, Unauthorized),
        (403, Unauthorized),
        (429, Throttled),
        (500, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("html", [False, True])
def test_errors_contain_big_cartels_message_but_no_token(
    store: BigCartel, status: int, expected: type[ServiceError], html: bool
) -> None:
    body = "<h1>No</h1>" if html else json.dumps({"errors": [{"title": "No", "detail": f"not with {TOKEN}"}]})
    responses.add("PATCH", ORDER, status=status, body=body)
    with pytest.raises(expected) as caught:
        store.mark_shipped("LMFN-543196")
    error = caught.value
    assert type(error) is expected
    assert error.words == ("" if html else "No: not with •••")
    assert error.service == "Big Cartel"
    assert error.exchange is not None
    assert TOKEN not in str(error) + error.words + error.exchange.answer + error.exchange.request


@responses.activate
@pytest.mark.parametrize("body", [b"<html>", b'{"data": [{"id": "AAAA', b"[]", b'{"data": {}}', b"{}", b'{"data": 1}'])
def test_malformed_list_is_an_unexpected_answer(store: BigCartel, body: bytes) -> None:
    responses.add("GET", ORDERS, body=body)
    with pytest.raises(UnexpectedAnswer) as caught:
        all_pages(store)
    assert caught.value.exchange is not None
    assert caught.value.exchange.answer == body.decode()


@responses.activate
@pytest.mark.parametrize("token", ["line\nbreak", "snow\N{SNOWMAN}man", "nul\0"])
def test_token_with_invalid_characters_is_not_sent(http: Http, token: str) -> None:
    store = BigCartel(http, api_url=API, account_id="1", token=token)
    with pytest.raises(Unauthorized):
        store.account()
    assert not responses.calls
