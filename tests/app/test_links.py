"""No page is reached only by typing its address, and no link leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.app.crawl import Crawl
from tests.app.routes import SCOPE, browser
from tests.app.world import SUPPORT

if TYPE_CHECKING:
    from flask import Flask

    from tests.app.world import World

ARRIVED_AT_OTHERWISE = {
    "health.alive": "for whatever watches the processes",
    "health.ready": "as above",
    "health.metrics": "as above",
    "auth.reset_password": "its link comes by mail",
    "auth.accept_invitation": "its link comes by mail",
    "connect.callback": "Big Cartel sends the person there",
    "merchant.orders.decided": "deciding about several orders ends there",
}


def test_every_page_is_linked_and_no_link_leads_nowhere(app: Flask, world: World) -> None:
    merchant, support, nobody = (Crawl(app, browser(app, email)).run() for email in (world.own.user, SUPPORT, None))
    assert merchant.broken + support.broken + nobody.broken == []
    assert _pages(app) - merchant.endpoints - support.endpoints - nobody.endpoints == ARRIVED_AT_OTHERWISE.keys()
    of_a_merchant = _pages(app, of_a_merchant=True) - ARRIVED_AT_OTHERWISE.keys()
    assert of_a_merchant - merchant.endpoints == set()
    assert of_a_merchant - support.endpoints == set()


def test_no_page_tells_of_another_merchant(app: Flask, world: World) -> None:
    pages = Crawl(app, browser(app, world.own.user)).run().pages
    assert any(world.own.name in text for text in pages.values())
    assert [url for url, text in pages.items() if world.foreign.name.lower() in text.lower()] == []


def _pages(app: Flask, *, of_a_merchant: bool = False) -> set[str]:
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and (SCOPE in rule.arguments or not of_a_merchant)
    }
