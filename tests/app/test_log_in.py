"""Whoever is not logged in sees nothing but what is open to all, whatever is added to the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.access import OPEN_TO_ALL
from tests.app.routes import Caller, Route, all_routes, scoped_routes

if TYPE_CHECKING:
    from flask import Flask

    from tests.app.world import World


def guarded(app: Flask) -> list[Route]:
    return [route for route in all_routes(app) if route.rule.endpoint not in OPEN_TO_ALL]


def test_every_address_asks_for_a_log_in(app: Flask, world: World) -> None:
    nobody = Caller(app, None)
    open_doors = []
    for route in guarded(app):
        url = route.url(world.own.arguments)
        for method in route.methods:
            answer = nobody.send(method, url)
            if answer.status_code != 302 or not answer.headers["Location"].startswith("/log-in?next="):
                open_doors.append(f"{method} {route} answers {answer.status_code}")
    assert open_doors == []


def test_a_piece_of_a_page_is_sent_to_the_log_in_as_a_whole(app: Flask, world: World) -> None:
    nobody = Caller(app, None)
    open_doors = []
    for route in guarded(app):
        url = route.url(world.own.arguments)
        for method in route.methods:
            answer = nobody.send(method, url, HX_Request="true")
            if answer.status_code != 401 or answer.headers["HX-Redirect"] != "/log-in" or answer.data:
                open_doors.append(f"{method} {route} answers {answer.status_code}")
    assert open_doors == []


def test_what_is_open_to_all_exists_and_is_nobodys(app: Flask) -> None:
    assert OPEN_TO_ALL - {rule.endpoint for rule in app.url_map.iter_rules()} == set()
    assert OPEN_TO_ALL & {route.rule.endpoint for route in scoped_routes(app)} == set()
