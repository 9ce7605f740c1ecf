"""A portal, and a store whose orders are not synced yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.extensions import db
from portal.models import Merchant
from tests.views.real_services import connected_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from sandbox.client import Sandbox
    from tests.views.conftest import World


@pytest.fixture
def app(database_url: str, sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    with connected_app(database_url, sandbox_process, monkeypatch) as app:
        yield app


@pytest.fixture
def url(world: World) -> str:
    return f"/m/816/go-live/{world.store_id}"


@pytest.fixture
def store_orders(app: Flask, world: World, sandbox_process: Sandbox) -> Sandbox:
    """Two orders that can be sent (from 2025 and from now), one without a SKU, one unpaid and without a SKU."""
    with app.app_context():
        merchant = db.session.get_one(Merchant, 816)
        merchant.domestic_service, merchant.international_service = "USPS_MEDIA", "EPGEPACKT"
        db.session.commit()
    sandbox_process.put_product("1", name="Plain Mug", description="A mug. SKU:MUG-01", account="1000001")
    sandbox_process.put_product("2", name="Poster", description="A poster.", account="1000001")
    sandbox_process.place_orders(
        [
            {"number": "FERN-1", "created_at": "2025-05-05T10:00:00.000Z", "items": [{"product": "1", "quantity": 2}]},
            {"number": "FERN-2", "items": [{"product": "1"}]},
            {"number": "FERN-3", "items": [{"product": "2"}]},
            {"number": "FERN-4", "items": [{"product": "2"}], "payment_status": "pending"},
        ],
        account="1000001",
    )
    return sandbox_process
