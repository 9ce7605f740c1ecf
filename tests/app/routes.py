"""The app's routes from its URL map, filled in with a merchant's values, and clients that request them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from werkzeug.routing import AnyConverter

from tests.logged_in import log_in_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.routing import Rule
    from werkzeug.test import TestResponse

SCOPE = "merchant_id"
"""The argument that names the merchant of a page."""
ONLY_FOR_SUPPORT = frozenset({"merchant.visits.begin", "merchant.visits.end"})
"""Pages of a merchant that the merchant doesn't have."""
QUERY = {"do": "retry", "start": "all", "item": "1"}
"""The query that some pages require; the others ignore it."""


@dataclass(frozen=True, slots=True)
class Route:
    """One rule with its choices made, such as pause or resume for <any(pause, resume):what>."""

    rule: Rule
    choices: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        chosen = "".join(f" {name}={value}" for name, value in self.choices)
        return f"{self.rule.endpoint} {self.rule.rule}{chosen}"

    @property
    def methods(self) -> list[str]:
        return sorted(self.rule.methods or ())

    @property
    def named(self) -> list[str]:
        """Return the arguments that name something belonging to a merchant."""
        return sorted(self.rule.arguments - dict(self.choices).keys())

    def url(self, values: Mapping[str, str | int]) -> str:
        """Return the address with these values. Fails the test if an argument has no value."""
        if unknown := [name for name in self.named if name not in values]:
            pytest.fail(
                f"{self.rule.rule} takes {unknown}, which these tests have no values for: give both merchants one "
                "in tests/app/world.py, under that name in Side.arguments."
            )
        given = {name: values[name] for name in self.named} | dict(self.choices)
        filled = self.rule.build(given, append_unknown=False)
        assert filled is not None, f"{self.rule.rule} cannot be built from {given}"
        return filled[1]


def all_routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        fixed = {
            name: sorted(converter.items)
            for name, converter in rule._converters.items()
            if isinstance(converter, AnyConverter)
        }
        for picked in product(*fixed.values()):
            yield Route(rule, tuple(zip(fixed, picked, strict=True)))


def scoped_routes(app: Flask) -> Iterator[Route]:
    """Return the routes of a merchant's pages."""
    return (route for route in all_routes(app) if SCOPE in route.rule.arguments)


def browser(app: Flask, email: str | None) -> FlaskClient:
    """Return a client logged in as this person, or logged out for None."""
    client = app.test_client()
    if email is not None:
        log_in_as(app, client, email)
    return client


class Caller:
    """Requests any address with any method, with the CSRF token that a page would include."""

    def __init__(self, app: Flask, email: str | None) -> None:
        self.client = browser(app, email)
        page = BeautifulSoup(self.client.get("/account" if email else "/log-in").text, "html.parser")
        field = page.find("input", {"name": "csrf_token"})
        assert field is not None
        self._headers = {"X-CSRFToken": str(field["value"])}

    def send(self, method: str, url: str, **headers: str) -> TestResponse:
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(url, method=method, query_string=QUERY, headers=sent)

    def post(self, url: str, fields: Mapping[str, str]) -> TestResponse:
        """Send a form and return the page it redirects to."""
        given = {name: value for name, value in fields.items() if name != "csrf_token"}
        return self.client.post(url, data=given, headers=self._headers, follow_redirects=True)
