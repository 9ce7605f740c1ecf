"""The pages: one module per family, each a blueprint; those of a merchant hang under /m/<merchant_id>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.routing import IntegerConverter

from portal.models.base import GREATEST_ID
from portal.views import (
    attempts,
    auth,
    connect,
    connection,
    dashboard,
    errors,
    golive,
    health,
    home,
    merchant,
    orders,
    products,
    settings,
    shipping,
    support,
)

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import Map

for _family in (
    attempts,
    connection,
    dashboard,
    golive,
    orders,
    products,
    settings,
    shipping,
):
    merchant.blueprint.register_blueprint(_family.blueprint)


class _RowId(IntegerConverter):
    """A number in an address that can be a row's id; a greater one is an address that does not exist."""

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, **{"max": GREATEST_ID, **options})


def register(app: Flask) -> None:
    app.url_map.converters["int"] = _RowId
    for family in (
        health,
        home,
        auth,
        connect,
        support,
        merchant,
    ):
        app.register_blueprint(family.blueprint)
    errors.register(app)
