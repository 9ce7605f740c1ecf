"""Helpers for the order page tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal import queue
from portal.extensions import db
from portal.models import AuditEntry, Order, OrderState
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bs4 import BeautifulSoup, Tag
    from flask import Flask

LIST = "/m/816/orders"
WOKEN = [queue.Call(queue.JobName.SUBMIT, (816,)), queue.Call(queue.JobName.TRACK, (816,))]


def numbers(page: BeautifulSoup) -> list[str]:
    return [row.get_text(strip=True) for row in page.select("tbody th[scope=row] a")]


def row(page: BeautifulSoup, number: str) -> Tag:
    return one(page, f"tbody tr:has(a:-soup-contains-own('{number}'))")


def said_of_each(page: BeautifulSoup) -> dict[str, str]:
    """Return the text of each row by order number."""
    return {text_in(row, "a"): text(row) for row in page.select("tbody tr")}


def state_of(app: Flask, number: str) -> OrderState:
    with app.app_context():
        return db.session.scalars(select(Order.state).where(Order.number == number)).one()


def entries(app: Flask, number: str) -> Sequence[AuditEntry]:
    with app.app_context():
        return db.session.scalars(select(AuditEntry).where(AuditEntry.subject == number)).all()
