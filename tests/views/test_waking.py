"""Pages commit before they wake workers, so a slow Redis never holds a database transaction open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal import queue
from portal.extensions import db
from tests.views.conftest import post

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("settings/sending/pause", {}),
        ("settings/test-mode/on", {}),
        ("settings", {"submit_unpaid": "y"}),
        ("shipping", {"domestic": "USPS_MEDIA"}),
        ("stores/{store}/poll", {}),
        ("products/{store}/refresh", {}),
        ("go-live/{store}/read", {}),
    ],
)
def test_no_transaction_is_open_while_workers_are_woken(
    app: Flask,
    world: World,
    owner: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    fields: dict[str, str],
) -> None:
    in_transaction = []
    monkeypatch.setattr(queue, "wake", lambda *_: in_transaction.append(db.session().in_transaction()))
    post(owner, f"/m/816/{address.format(store=world.store_id)}", **fields)
    assert in_transaction == [False]
