"""Only the public endpoints are reachable without logging in, whatever pages are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.access import PUBLIC_ENDPOINTS
from tests.app.routes import Caller, Route, all_routes, scoped_routes

if TYPE_CHECKING:
    from flask import Flask

    from tests.app.world import World


def guarded(app: Flask) -> list[Route]:
    return [route for route in all_routes(app) if route.rule.endpoint not in PUBLIC_ENDPOINTS]


def test_every_other_address_requires_a_login(app: Flask, world: World) -> None:
    anonymous = Caller(app, None)
    unprotected = []
    for route in guarded(app):
        url = route.url(world.own.arguments)
        for method in route.methods:
            answer = anonymous.send(method, url)
            if answer.status_code != 302 or not answer.headers["Location"].startswith("/log-in?next="):
                unprotected.append(f"{method} {route} answers {answer.status_code}")
    assert unprotected == []


def test_htmx_request_redirects_the_whole_page_to_the_login_page(app: Flask, world: World) -> None:
    anonymous = Caller(app, None)
    unprotected = []
    for route in guarded(app):
        url = route.url(world.own.arguments)
        for method in route.methods:
            answer = anonymous.send(method, url, HX_Request="true")
            if answer.status_code != 401 or answer.headers["HX-Redirect"] != "/log-in" or answer.data:
                unprotected.append(f"{method} {route} answers {answer.status_code}")
    assert unprotected == []


def test_public_endpoints_exist_and_belong_to_no_merchant(app: Flask) -> None:
    assert PUBLIC_ENDPOINTS - {rule.endpoint for rule in app.url_map.iter_rules()} == set()
    assert PUBLIC_ENDPOINTS & {route.rule.endpoint for route in scoped_routes(app)} == set()
