"""Helpers for the product page tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.clock import utc_now
from portal.extensions import db
from portal.models import Product, Store
from tests.views.page import text

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from flask import Flask

URL = "/m/816/products"


def add(app: Flask, store_id: int, *products: tuple[str, str, str, tuple[str, ...]], **more: Any) -> None:
    """Add products given as (id, name, description, option names); an option's id is <product id>-<name>."""
    with app.app_context():
        for product_id, name, description, options in products:
            db.session.add(
                Product(
                    store_id=store_id, product_id=product_id, name=name, description=description,
                    options=[{"id": f"{product_id}-{option}", "name": option} for option in options],
                    fetched_at=more.get("fetched_at", utc_now()), gone=more.get("gone", False), status="active",
                )
            )  # fmt: skip
        db.session.get_one(Store, store_id).products_refreshed_at = more.get("refreshed_at", utc_now())
        db.session.commit()


def names(page: BeautifulSoup) -> list[str]:
    return [text(link) for link in page.select("#list .product th a.words")]


def skus(page: BeautifulSoup) -> list[str]:
    return [code.get_text(strip=True) for code in page.select("#list td code")]
