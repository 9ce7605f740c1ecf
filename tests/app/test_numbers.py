"""No number in an address, a query or a form is an error of ours, however large it is and whatever its digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import pytest
from flask import Request

from portal.clients.circuit import Circuit
from portal.page_extensions import limiter
from tests.app.crawl import Crawl
from tests.app.isolated import isolated_app
from tests.app.routes import Caller, all_routes, browser
from tests.app.world import SUPPORT, World, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from werkzeug.datastructures import MultiDict

NUMBERS = {
    "more than 32 bits": "2147483648",
    "thirty nines": "9" * 30,
    "more digits than Python reads": "9" * 5000,
    "negative": "-1",
    "negative and huge": "-" + "9" * 30,
    "zero": "0",
    "huge after zeros": "0" * 11 + "9" * 15,
    "full-width": "\uff19" * 12,
    "Arabic": "\u0669" * 30,
    "raised": "\u00b2",
    "exponent": "1e999",
    "not a number": "NaN",
    "underscores": "1_000_000_000_000",
    "year 10000": "10000-01-01",
    "NUL": "1\0",
}
HARDEST = {what: NUMBERS[what] for what in ("thirty nines", "huge after zeros", "Arabic")}
IN_QUERY = ("before", "page", "since", "seen", "merchant", "merchant_id", "store", "from_day", "to_day", "day", "order",
            "left", "done", "number", "q", "actor", "product")  # fmt: skip
"""Every name in a query whose value may be a number or a day."""


pytestmark = pytest.mark.timeout(600)


class NotingRequest(Request):
    """Notes whether anything looks at the query. A page that never does is the same with every number in it."""

    looked: ClassVar[bool] = False

    @property
    def args(self) -> MultiDict[str, str]:
        NotingRequest.looked = True
        return super().args

    @property
    def full_path(self) -> str:
        NotingRequest.looked = True
        return super().full_path


@pytest.fixture
def app(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """On PostgreSQL, whose integers have 32 bits and whose text has no NUL; SQLite takes more."""
    monkeypatch.setattr(limiter, "enabled", False)
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())
    with isolated_app(postgres_url, tmp_path) as app:
        yield app


@pytest.fixture
def world(app: Flask) -> World:
    return build(app)


def test_no_row_has_such_a_number(app: Flask, world: World) -> None:
    caller, wrong = Caller(app, world.own.user), []
    for route in all_routes(app):
        for name in route.named:
            if not isinstance(world.own.arguments.get(name), int):
                continue
            for what, number in NUMBERS.items():
                marked = route.url({**world.own.arguments, name: 2_000_000_000})
                answer = caller.client.get(marked.replace("2000000000", quote(number)))
                if answer.status_code not in {404, 405}:
                    wrong.append(f"{route} with {name} {what}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("who", ["merchant", "support"])
def test_no_number_in_a_query_is_an_error(app: Flask, world: World, who: str) -> None:
    app.request_class = NotingRequest
    caller, wrong, looking = Caller(app, SUPPORT if who == "support" else world.own.user), [], set()
    for route in all_routes(app):
        if "GET" not in route.methods or route.rule.endpoint.endswith("static"):
            continue
        url = route.url({**world.own.arguments, "token": "x", "filename": "x"})
        for what, number in NUMBERS.items():
            query = {**dict.fromkeys(IN_QUERY, number), "do": "retry", "start": "day"}
            if "/products" in url:
                del query["store"], query["product"]
            NotingRequest.looked = False
            if _is_error(status := _status(caller, url, query)):
                wrong.append(f"{url} with {what}: {status}")
            if not NotingRequest.looked:
                break
            looking.add(url)
    assert len(looking) > 20, "something looks at the query, and the request doesn't note it"
    assert wrong == []


@pytest.mark.parametrize("who", ["merchant", "support"])
def test_no_number_in_one_field_of_a_query_or_a_form_is_an_error(app: Flask, world: World, who: str) -> None:
    person = SUPPORT if who == "support" else world.own.user
    crawl, wrong = Crawl(app, browser(app, person)).run(), []
    caller = Caller(app, person)
    for path, query in crawl.queries():
        for name in query:
            for what, number in HARDEST.items():
                if _is_error(status := _status(caller, path, {**query, name: number})):
                    wrong.append(f"GET {path} with {name} {what}: {status}")
    for url, fields in crawl.kinds_of_forms():
        caller = Caller(app, person)
        for name in fields.keys() - {"csrf_token"}:
            for what, number in HARDEST.items():
                if _is_error(status := caller.post(url, {**fields, name: number}).status_code):
                    wrong.append(f"POST {url} with {name} {what}: {status}")
    assert wrong == []


@pytest.mark.parametrize("number", [number for number in NUMBERS.values() if "\0" not in number])
def test_sign_up_explains_a_merchant_id_that_cannot_be(app: Flask, world: World, number: str) -> None:
    fields = {"email": "new@fern.example", "password": "correct horse battery", "merchant_name": "Fern",
              "merchant_token": "token", "merchant_id": number}  # fmt: skip
    answer = Caller(app, None).post("/sign-up", fields)
    assert answer.status_code < 500
    assert "This isn&#39;t a Merchant Id." in answer.text


def _status(caller: Caller, url: str, query: dict[str, str]) -> int:
    """Return the status of a page, or of a download that has been read to its end."""
    with caller.client.get(url, query_string=query) as answer:
        answer.get_data()
        return answer.status_code


def _is_error(status: int) -> bool:
    """503 is what pages answer that need an outside service, which these tests don't have."""
    return status >= 500 and status != 503
