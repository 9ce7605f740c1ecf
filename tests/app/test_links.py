"""Every page is linked from another page, and no link is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.app.crawl import Crawl
from tests.app.routes import ONLY_FOR_SUPPORT, SCOPE, browser
from tests.app.world import SUPPORT

if TYPE_CHECKING:
    from flask import Flask

    from tests.app.world import World

REACHED_WITHOUT_A_LINK = {
    "health.alive": "for process monitors",
    "health.ready": "for process monitors",
    "health.metrics": "for Prometheus",
    "auth.reset_password": "linked from an email",
    "auth.accept_invitation": "linked from an email",
    "emails.unsubscribe": "linked from every email about incidents",
    "connect.callback": "Big Cartel redirects here",
    "home.styleguide": "for developers; only while the app is debugged",
    "merchant.orders.decided": "shown after a bulk action on orders",
}


def test_every_page_is_linked_and_no_link_is_broken(app: Flask, world: World) -> None:
    merchant, support, anonymous = (Crawl(app, browser(app, email)).run() for email in (world.own.user, SUPPORT, None))
    assert merchant.broken + support.broken + anonymous.broken == []
    assert _pages(app) - merchant.endpoints - support.endpoints - anonymous.endpoints == REACHED_WITHOUT_A_LINK.keys()
    of_a_merchant = _pages(app, of_a_merchant=True) - REACHED_WITHOUT_A_LINK.keys()
    assert of_a_merchant - merchant.endpoints - ONLY_FOR_SUPPORT == set()
    assert of_a_merchant - support.endpoints == set()


def test_no_page_mentions_another_merchant(app: Flask, world: World) -> None:
    pages = Crawl(app, browser(app, world.own.user)).run().pages
    assert any(world.own.name in text for text in pages.values())
    assert [url for url, text in pages.items() if world.foreign.name.lower() in text.lower()] == []


def _pages(app: Flask, *, of_a_merchant: bool = False) -> set[str]:
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and (SCOPE in rule.arguments or not of_a_merchant)
    }
