"""A store with a product for each kind of SKU problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.views.products.products_world import add

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World


@pytest.fixture
def catalog(app: Flask, world: World) -> World:
    add(
        app, world.store_id,
        ("101", "Shirt", "Soft cotton. SKU:SHIRT-", ("SMALL", "LARGE")),
        ("102", "Mug", "Holds tea.<br>SKU: MUG", ("Default",)),
        ("103", "Poster", "A poster, 50 x 70", ("Default",)),
        ("104", "Badge", "sku: BADGE", ("Default",)),
        ("105", "Cup", "Another cup. SKU:MUG", ("Default",)),
    )  # fmt: skip
    add(app, world.other_store_id, ("901", "Secret lamp", "SKU:LAMP", ("Default",)))
    return world
