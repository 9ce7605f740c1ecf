"""Documents, lists and errors in Big Cartel's JSON:API format."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from multidict import MultiMapping

    from sandbox.world import Document

MEDIA_TYPE = "application/vnd.api+json"
HEADERS = {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"}
DEFAULT_LIMIT = 20
MAX_LIMIT = 100  # ASSUMED: 50 is known to work; behavior above 100 is not documented

_ORDER_FILTERS = {
    "filter[updated_at_from]": ("updated_at", True),
    "filter[updated_at_to]": ("updated_at", False),
    "filter[completed_at_from]": ("completed_at", True),
    "filter[completed_at_to]": ("completed_at", False),
}
_SORTS = ("created_at", "completed_at", "updated_at")
_PAGE = {"page[limit]", "page[offset]"}
_ORDER_QUERY = {*_ORDER_FILTERS, *_PAGE, "filter[shipping_status]", "search", "sort", "sort_direction"}


class ApiError(Exception):
    """An error answer with an `errors` list."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        super().__init__(title)
        self.status, self.title, self.detail = status, title, detail

    def response(self) -> web.Response:
        error = {"status": str(self.status), "title": self.title, "detail": self.detail or self.title}
        return respond({"errors": [error]}, self.status)


def respond(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), headers=HEADERS)


def single(document: Document, self_url: str) -> web.Response:
    return respond({"data": _with_self(document, self_url), "included": document.get("included", [])})


def _with_self(document: Document, self_url: str) -> dict[str, Any]:
    return {**document["data"], "links": {"self": self_url}}


def page(documents: Sequence[Document], query: MultiMapping[str], url: str) -> web.Response:
    """Return one page of the list at `url`; each document's own URL is `url` followed by its ID."""
    limit = _integer(query, "page[limit]", DEFAULT_LIMIT, 1)
    offset = _integer(query, "page[offset]", 0, 0)
    limit = min(limit, MAX_LIMIT)
    shown = documents[offset : offset + limit]
    return respond(
        {
            "data": [_with_self(one, f"{url}/{one['data']['id']}") for one in shown],
            "meta": {"count": str(len(documents))},
            "included": _included(shown),
            "links": _links(query, url, offset, limit, len(documents)),
        }
    )


def _links(query: MultiMapping[str], url: str, offset: int, limit: int, count: int) -> dict[str, str]:
    """Return pagination links: none for a single page, and no `next` on the last one."""
    if count <= limit and offset == 0:
        return {}
    rest = [(key, value) for key, value in query.items() if key not in _PAGE]

    def to(start: int) -> str:
        return f"{url}?{urlencode([*rest, ('page[limit]', limit), ('page[offset]', start)])}"

    links = {"last": to(max(count - 1, 0) // limit * limit)}
    if offset + limit < count:
        links["next"] = to(offset + limit)
    return links


def _included(documents: Iterable[Document]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for document in documents:
        for one in document.get("included", []):
            found.setdefault((one["type"], one["id"]), one)
    return list(found.values())


def select_orders(
    documents: Iterable[Document], query: MultiMapping[str], *, unlisted: Container[str] = ()
) -> list[Document]:
    """Filter, search and sort orders. Raises ApiError (400) for an unknown parameter or an invalid value.

    Orders that are ``unlisted`` match no shipping status.
    """
    _check_names(query, _ORDER_QUERY)
    tests = []
    status = query.get("filter[shipping_status]")
    for name, (attribute, is_from) in _ORDER_FILTERS.items():
        if name in query:
            tests.append((attribute, is_from, _moment(name, query[name])))
    search = query.get("search", "").strip().lower()
    chosen = [
        document
        for document in documents
        if (status is None or _has_status(document, status, unlisted))
        and all(_within(document, *test) for test in tests)
        and (not search or _matches(document, search))
    ]
    sort = query.get("sort", "-created_at")
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in _SORTS:
        raise ApiError(400, "Invalid sort", f"sort must be one of {', '.join(_SORTS)}, with an optional leading -.")
    descending = descending or query.get("sort_direction", "") == "desc"
    chosen.sort(key=lambda one: str(one["data"]["attributes"].get(name) or ""), reverse=descending)
    return chosen


def _has_status(document: Document, status: str, unlisted: Container[str]) -> bool:
    data = document["data"]
    return data["attributes"].get("shipping_status") == status and data["id"] not in unlisted


def select_products(documents: Iterable[Document], query: MultiMapping[str]) -> list[Document]:
    _check_names(query, {*_PAGE, "sort", "sort_direction"})
    return sorted(documents, key=lambda one: int(one["data"]["attributes"].get("position") or 0))


def _check_names(query: MultiMapping[str], known: set[str]) -> None:
    for name in query:
        if name not in known:
            raise ApiError(400, "Invalid parameter", f"{name} is not a parameter of this list.")


def _within(document: Document, attribute: str, is_from: bool, moment: str) -> bool:
    value = document["data"]["attributes"].get(attribute)
    if not isinstance(value, str):
        return False
    return value >= moment if is_from else value <= moment


def _matches(document: Document, search: str) -> bool:
    attributes = document["data"]["attributes"]
    words = (
        document["data"]["id"],
        f"{attributes.get('customer_first_name')} {attributes.get('customer_last_name')}",
        attributes.get("customer_email"),
    )
    return any(search in str(word or "").lower() for word in words)


def _moment(name: str, text: str) -> str:
    """Convert an ISO 8601 time to the format of stored times, so that they compare as text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, "Invalid parameter", f"{name} must be an ISO 8601 time.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _integer(query: MultiMapping[str], name: str, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < least:
        raise ApiError(400, "Invalid parameter", f"{name} must be a whole number, {least} or greater.")
    return int(text)
