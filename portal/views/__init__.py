"""The pages, one blueprint per module. A merchant's pages are under /m/<merchant_id>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.routing import IntegerConverter

from portal.models.base import MAX_ID
from portal.views import (
    alerts,
    attempts,
    auth,
    buyers,
    connect,
    connection,
    dashboard,
    dialogs,
    emails,
    errors,
    golive,
    health,
    home,
    incidents,
    list_views,
    merchant,
    messages,
    notes,
    order_fixes,
    orders,
    product_file,
    products,
    rates,
    search,
    settings,
    setup,
    shipping,
    status,
    support,
    visits,
    webhook,
    webhooks,
)

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import Map

orders.blueprint.register_blueprint(order_fixes.blueprint)
products.blueprint.register_blueprint(product_file.blueprint)
shipping.blueprint.register_blueprint(rates.blueprint)
support.blueprint.register_blueprint(buyers.blueprint)
support.blueprint.register_blueprint(search.over_all)
settings.blueprint.register_blueprint(webhook.blueprint)
for _family in (
    alerts,
    attempts,
    connection,
    dashboard,
    golive,
    incidents,
    list_views,
    notes,
    products,
    search,
    settings,
    setup,
    shipping,
    status,
    visits,
):
    merchant.blueprint.register_blueprint(_family.blueprint)


class _RowId(IntegerConverter):
    """A row id in an address. A number too large for any row's id doesn't match, so it is a 404."""

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, **{"max": MAX_ID, **options})


def register(app: Flask) -> None:
    app.url_map.converters["int"] = _RowId
    for family in (
        health,
        home,
        auth,
        emails,
        connect,
        support,
        merchant,
        webhooks,
    ):
        app.register_blueprint(family.blueprint)
    dialogs.register(app)
    messages.register(app)
    errors.register(app)
