"""No address, method or id gives access to another merchant's data."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal import create_app
from portal.access import PUBLIC_ENDPOINTS
from portal.extensions import db
from portal.models import Base
from tests.app.routes import ONLY_FOR_SUPPORT, SCOPE, Caller, Route, all_routes, scoped_routes
from tests.app.world import SUPPORT, World
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

ROUTES = list(scoped_routes(create_app(settings_for("sqlite://"))))


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_another_merchants_data_is_not_found(app: Flask, world: World, route: Route) -> None:
    caller, before = Caller(app, world.own.user), _rows(app)
    reached = []
    for swapped in _some_of(route.named):
        theirs = {name: value for name, value in world.foreign.arguments.items() if name in swapped}
        url = route.url(world.own.arguments | theirs)
        for method in route.methods:
            if method == "OPTIONS" and SCOPE not in swapped:
                continue  # Flask answers with the address's methods, which reveal nothing about the data.
            answer = caller.send(method, url)
            if answer.status_code != 404:
                reached.append(f"{method} with the other merchant's {', '.join(swapped)}: {answer.status_code}")
    assert reached == []
    assert _rows(app) == before, "a request that got a 404 changed something"
    owner = Caller(app, SUPPORT) if route.rule.endpoint in ONLY_FOR_SUPPORT else caller
    for method in route.methods:
        status = owner.send(method, route.url(world.own.arguments)).status_code
        assert status != 404, f"{method} doesn't find the merchant's own data either, so this test could not fail"
        assert status < 500


def test_every_address_with_an_argument_names_the_merchant(app: Flask) -> None:
    """The test above could not check an address without the merchant in it."""
    unscoped = [
        str(route)
        for route in all_routes(app)
        if route.named and SCOPE not in route.named and route.rule.endpoint not in PUBLIC_ENDPOINTS
    ]
    assert unscoped == []


def test_support_pages_are_only_for_support(app: Flask, world: World) -> None:
    pages = [route for route in all_routes(app) if route.rule.endpoint.startswith("support.")]
    assert pages
    merchant, support = Caller(app, world.own.user), Caller(app, SUPPORT)
    for route in pages:
        url = route.url({})
        assert {method: merchant.send(method, url).status_code for method in route.methods} == dict.fromkeys(
            route.methods, 404
        ), str(route)
        assert support.send("GET", url).status_code == 200, str(route)


def _some_of(names: list[str]) -> Iterable[tuple[str, ...]]:
    """Return every combination of at least one of the names."""
    return chain.from_iterable(combinations(names, count) for count in range(1, len(names) + 1))


def _rows(app: Flask) -> dict[str, list[Any]]:
    """Return every row in the database, by table."""
    with app.app_context():
        return {
            table.name: list(db.session.execute(select(table).order_by(*table.primary_key)).all())
            for table in Base.metadata.sorted_tables
        }
