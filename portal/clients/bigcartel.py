"""Client for the Big Cartel API v1: orders, products, and marking an order shipped, as typed values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from portal.clients.bigcartel_documents import (
    as_stored,
    order_document,
    order_documents,
    read_account,
    read_order,
    read_product,
    read_products,
    read_stored,
)
from portal.clients.bigcartel_paging import FIRST, count, next_page
from portal.clients.bigcartel_types import (
    Account,
    BigCartelAddress,
    BigCartelOrder,
    BigCartelProduct,
    Document,
    LineItem,
    Option,
)
from portal.clients.errors import NotFound, ServiceError, Unauthorized, UnexpectedAnswer
from portal.clients.failure_kinds import Kind, kind_of
from portal.clients.failures import TRIES, busy, rejected
from portal.clients.http import Http
from portal.clients.jsonapi import BIG_CARTEL, error_words, parse_json, unreadable_answer
from portal.clients.tally import big_cartel_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from portal.clients.errors import Exchange
    from portal.clients.http import Answer, Circuit

__all__ = [
    "Account",
    "BigCartel",
    "BigCartelAddress",
    "BigCartelOrder",
    "BigCartelProduct",
    "Document",
    "LineItem",
    "Option",
    "OrderPage",
    "as_stored",
    "bigcartel_http",
    "order_document",
    "order_documents",
    "read_order",
    "read_product",
    "read_stored",
]

MAX_JSON_BYTES = 16 * 1024 * 1024
_PASSING = frozenset({423, 425})
"""Locked, and too early: statuses that pass."""
_MEDIA_TYPE = "application/vnd.api+json"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of the order list: each order's number and document, in the order of the list.

    ``nameless`` counts entries without an id; ``count`` is Big Cartel's own count for the whole list.
    """

    orders: tuple[tuple[str, Document], ...]
    nameless: int
    count: int | None


def bigcartel_http(*, circuit: Circuit | None = None, interactive: bool = False, tries: int = TRIES) -> Http:
    """Return an Http with limits that suit Big Cartel; ``interactive`` means that a person is waiting."""
    timeout, deadline = ((3.0, 5.0), 6.0) if interactive else ((5.0, 20.0), 60.0)
    return Http(
        BIG_CARTEL,
        max_bytes=MAX_JSON_BYTES,
        circuit=circuit,
        timeout=timeout,
        deadline=deadline,
        tries=tries,
    )


class BigCartel:
    """One store's account. ``api_url`` is a URL like https://api.bigcartel.com/v1.

    Every call raises the errors of ``Http.call`` and, in addition, NotFound (404), Busy (423, 425, or a
    4xx whose message says that Big Cartel can't work now), Rejected (any other 4xx), and UnexpectedAnswer (not JSON, or
    not in the API's shape).
    """

    def __init__(self, http: Http, *, api_url: str, account_id: str, token: str) -> None:
        self._http = http
        self._url = f"{api_url.rstrip('/')}/accounts/{quote(account_id, safe='')}"
        self._account_id = account_id
        self._token = token
        self._headers = {
            "Accept": _MEDIA_TYPE,
            "Content-Type": _MEDIA_TYPE,
            "Authorization": f"Bearer {token}",
        }

    def order_pages(self, *, unshipped_only: bool, updated_from: datetime | None, sort: str) -> Iterator[OrderPage]:
        """Yield the pages of the order list, one call per page.

        ``sort`` is completed_at, created_at, or updated_at, with a leading "-" for newest first.
        """
        params = {"sort": sort}
        if unshipped_only:
            params["filter[shipping_status]"] = "unshipped"
        if updated_from is not None:
            moment = updated_from.astimezone(UTC).isoformat(timespec="milliseconds")
            params["filter[updated_at_from]"] = moment.replace("+00:00", "Z")
        for page in self._pages("orders", params):
            documents = tuple(order_documents(page))
            nameless = len(page["data"]) - len(documents)
            yield OrderPage(documents, nameless, count(page))

    def order(self, number: str) -> Document:
        """Return one order's document, for ``read_order``. Raises NotFound when no order has that number."""
        with big_cartel_call("order"):
            answer = self._call("GET", self._order_url(number))
            document = _read(answer, order_document)
            if read_order(document).number != number:
                raise unreadable_answer("not the order we requested", answer.exchange)
        return document

    def mark_shipped(self, number: str) -> Exchange:
        """Set an order to shipped. Raises UnexpectedAnswer when the answer has a different order or status."""
        body = {"data": {"id": number, "type": "orders", "attributes": {"shipping_status": "shipped"}}}
        data = json.dumps(body, separators=(",", ":")).encode()
        with big_cartel_call("mark_shipped"):
            answer = self._call("PATCH", self._order_url(number), data=data)
            if answer.body.strip() and _contradicts(_read(answer, lambda page: page), number):
                raise unreadable_answer("another order, or one that isn't shipped", answer.exchange)
        return answer.exchange

    def product_pages(self) -> Iterator[tuple[BigCartelProduct, ...]]:
        """Yield the store's products, one call per page. Products without an id are skipped."""
        for page in self._pages("products", {}):
            yield read_products(page)

    def product(self, product_id: str) -> BigCartelProduct:
        """Return one product. Raises NotFound when it no longer exists."""
        with big_cartel_call("product"):
            answer = self._call("GET", f"{self._url}/products/{quote(product_id, safe='')}")
            return _read(answer, lambda page: read_product(page.get("data"), page.get("included")))

    def account(self) -> Account:
        """Return the store that the token belongs to."""
        with big_cartel_call("account"):
            answer = self._call("GET", self._url)
            return _read(answer, lambda page: read_account(page, self._account_id))

    def _order_url(self, number: str) -> str:
        return f"{self._url}/orders/{quote(number, safe='')}"

    def _pages(self, path: Literal["orders", "products"], params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a list, with our own filters and sort. Raises UnexpectedAnswer when pages repeat."""
        paging: dict[str, str] | None = dict(FIRST)
        seen: list[dict[str, str]] = []
        before: list[object] = []
        while paging is not None:
            with big_cartel_call(path):
                answer = self._call("GET", f"{self._url}/{path}", params={**paging, **params})
                page = _read(answer, _with_entries)
            ids = [entry.get("id") if isinstance(entry, dict) else None for entry in page["data"]]
            if paging in seen or (ids and ids == before):
                raise unreadable_answer("the same page twice", answer.exchange)
            seen.append(paging)
            before = ids
            yield page
            try:
                paging = next_page(page, paging)
            except UnexpectedAnswer as error:
                error.exchange = answer.exchange
                raise

    def _call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> Answer:
        if not (self._token.isascii() and self._token.isprintable()):
            raise Unauthorized(f"our {BIG_CARTEL} access token contains invalid characters.", service=BIG_CARTEL)
        answer = self._http.call(
            method,
            url,
            headers=self._headers,
            params=params,
            data=data,
            secrets=(self._token,),
            words=error_words,
        )
        if answer.status < 300:
            return answer
        words = answer.redacted(error_words(answer.body))
        if answer.status == 404:
            message = f"{BIG_CARTEL} couldn't find what we requested (HTTP 404)."
            raise NotFound(message, service=BIG_CARTEL, words=words, exchange=answer.exchange)
        detail = f" (HTTP {answer.status})"
        if answer.status in _PASSING or kind_of(words, (self._account_id,)) is Kind.BUSY:
            raise busy(BIG_CARTEL, detail, words=words, exchange=answer.exchange)
        raise rejected(BIG_CARTEL, detail, words=words, exchange=answer.exchange)


def _read(answer: Answer, reader: Callable[[Mapping[str, Any]], _T]) -> _T:
    """Return what ``reader`` makes of a JSON answer; an error it raises carries the exchange."""
    try:
        return reader(parse_json(answer.body))
    except ServiceError as error:
        error.exchange = answer.exchange
        raise


def _with_entries(page: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(page.get("data"), list):
        raise unreadable_answer("a list without data")
    return page


def _contradicts(page: Mapping[str, Any], number: str) -> bool:
    """Return whether a PATCH answer, whose shape is undocumented, has a different order or status."""
    if not isinstance(page.get("data"), dict) or page["data"].get("id") is None:
        return False
    order = read_order(page)
    return order.number != number or order.shipping_status not in {"", "shipped"}
