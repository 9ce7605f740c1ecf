"""Big Cartel's webhooks: what isn't genuine is refused, and what is only makes a store's sync due."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal.clock import utc_now
from portal.extensions import db
from portal.models import Store
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.views.conftest import World

URL = "/webhooks/bigcartel"


@pytest.fixture
def webhooks(app: Flask, long_ago: None) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], bigcartel_webhook_secrets="new, old")


def send(app: Flask, body: bytes, secret: str = "new") -> TestResponse:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return app.test_client().post(URL, data=body, headers={"X-Webhook-Signature": signature})


def event(kind: str, account: object = "1000001") -> bytes:
    return json.dumps({"account_id": account, "type": kind, "payload": {}}).encode()


def is_due(app: Flask, store_id: int) -> bool:
    with app.app_context():
        due_at = db.session.get_one(Store, store_id).next_poll_at
        return due_at is not None and due_at <= utc_now()


def test_without_a_secret_there_is_no_such_page(app: Flask, world: World) -> None:
    assert send(app, event("order.created")).status_code == 404


@pytest.mark.parametrize("secret", ["new", "old"])
def test_an_order_makes_its_store_due_once(
    app: Flask, world: World, webhooks: None, woken: list[Call], secret: str
) -> None:
    answers = [send(app, event("order.created"), secret) for _ in range(5)]
    assert {(answer.status_code, answer.get_data(), answer.headers.get("Set-Cookie")) for answer in answers} == {
        (204, b"", None)
    }
    assert is_due(app, world.store_id)
    assert woken == [Call(JobName.POLL, (world.store_id,))]


@pytest.mark.parametrize(
    "body",
    [event("product.updated"), event("order.created", "999"), event("order.created", "\0")],
    ids=["product", "unknown account", "no account"],
)
def test_what_concerns_no_order_of_ours_is_ignored(
    app: Flask, world: World, webhooks: None, woken: list[Call], body: bytes
) -> None:
    assert send(app, body).status_code == 204
    assert not is_due(app, world.store_id)
    assert woken == []


def test_a_store_that_failed_keeps_its_back_off(app: Flask, world: World, webhooks: None, woken: list[Call]) -> None:
    with app.app_context():
        db.session.get_one(Store, world.store_id).poll_failures = 1
        db.session.commit()
    assert send(app, event("order.created")).status_code == 204
    assert (is_due(app, world.store_id), woken) == (False, [])


@pytest.mark.parametrize(
    ("body", "secret", "status"),
    [(event("order.created"), "wrong", 401), (b"{", "new", 400), (b"x" * 1_100_000, "new", 413)],
)
def test_what_is_not_genuine_or_readable_changes_nothing(
    app: Flask, world: World, webhooks: None, woken: list[Call], body: bytes, secret: str, status: int
) -> None:
    assert send(app, body, secret).status_code == status
    assert (is_due(app, world.store_id), woken) == (False, [])
