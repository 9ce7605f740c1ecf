"""Refresh the product caches of stores."""

from __future__ import annotations

from jobs.leased import skip_if_leased
from portal.current import session, settings
from portal.fulfillment.products import refresh_products


def products(store_ids: list[int]) -> None:
    for store_id in store_ids:
        with skip_if_leased("products.already_running", store=store_id):
            refresh_products(session(), store_id, settings())
