"""Helpers for the tests of going live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.extensions import db
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Order
from tests.views.page import text, text_in

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from flask import Flask

    from tests.views.conftest import World

DAY = "2026-06-01"


def run_jobs(app: Flask, world: World) -> None:
    """Poll the store and submit its orders, as the workers would."""
    with app.app_context():
        poll_store(db.session(), world.store_id, app.config["SETTINGS"])
        submit_merchant(db.session(), 816, app.config["SETTINGS"])


def verdicts(app: Flask) -> dict[str, str | None]:
    with app.app_context():
        return {order.number: order.dry_run_verdict for order in db.session.query(Order)}


def row_of(page: BeautifulSoup, number: str) -> str:
    return text_in(page, f"tbody tr:has(a:-soup-contains-own('{number}'))")


def numbers(page: BeautifulSoup) -> list[str]:
    return [text(link) for link in page.select("tbody th a")]


def figures(page: BeautifulSoup) -> dict[str, int]:
    return {
        str(figure.next_sibling).strip(): int(figure.get_text()) for figure in page.find_all("div", class_="figure")
    }
