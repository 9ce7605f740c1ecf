"""A SKU is set in the product list itself: htmx replaces the product's row with its form, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, Order, OrderState, SkuOverride
from tests.views.conftest import World, get
from tests.views.counting import statements
from tests.views.page import one, text, text_in
from tests.views.products.products_world import URL, add

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def _order(app: Flask, store_id: int, number: str, product_id: str, sku: str = "", **more: Any) -> None:
    line: dict[str, Any] = {
        "item_id": "1", "name": "x", "option": "", "option_id": None, "product_id": product_id, "sku": sku,
        "quantity": 1, "source": "none", "left_out": False, "problems": [],
    }  # fmt: skip
    with app.app_context():
        values = {"state": OrderState.HELD, "document": json.dumps({"data": {"id": number}}), "merchant_id": 816}
        db.session.add(
            Order(
                store_id=store_id, number=number, state_changed_at=utc_now(), first_seen_at=utc_now(), lines=[line],
                **(values | more),
            )
        )  # fmt: skip
        db.session.commit()


def _piece(
    client: FlaskClient, path: str, fields: dict[str, str] | None = None, product_id: str = "103"
) -> BeautifulSoup:
    """Request the product's row, or its form, as htmx does."""
    headers = {"HX-Request": "true", "HX-Target": f"product-{product_id}"}
    if fields is None:
        answer = client.get(path, headers=headers)
    else:
        token = str(get(client, URL).select("input[name=csrf_token]")[0]["value"])
        answer = client.post(path, data=fields, headers={**headers, "X-CSRFToken": token})
    assert answer.status_code == 200
    # What htmx puts elsewhere is in a template, because it couldn't stand beside a part of a table.
    piece = BeautifulSoup(answer.text.replace("<template>", "").replace("</template>", ""), "html.parser")
    assert piece.select("html") == []
    assert one(piece, "tbody")["id"] == f"product-{product_id}"
    return piece


def test_form_replaces_the_row_with_what_is_known(app: Flask, catalog: World, client_of: ClientOf) -> None:
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/102"
    reason = "Invalid SKU: MUG"
    _order(app, catalog.store_id, "FERN-1", "102", "MUG", state=OrderState.REJECTED, state_reason=reason)
    link = one(get(client, URL), "#product-102 [data-edit]")
    assert (link["hx-get"], link["href"], link["hx-target"]) == (address, address, "closest tbody")

    piece = _piece(client, address, product_id="102")

    form = one(piece, "form")
    assert (form["action"], form["hx-post"]) == (address, address)
    assert "Holds tea." in text_in(form, "blockquote")
    assert text_in(form, "mark") == "SKU: MUG"
    assert "The warehouse doesn't know MUG." in text(form)
    field = one(form, "input[name=whole_product]")
    assert (field["id"], field["placeholder"]) == ("whole_product-102", "MUG")
    assert field.has_attr("autofocus")
    assert one(form, "label[for=whole_product-102]")
    close = str(one(form, "a[data-close]")["hx-get"])
    assert text_in(_piece(client, close, product_id="102"), "tbody code") == "MUG"


def test_saving_replaces_the_row_and_says_what_happens(
    app: Flask, catalog: World, client_of: ClientOf, woken: list[object]
) -> None:
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/103"
    for number in range(2):
        _order(app, catalog.store_id, f"FERN-{number}", "103")
    _order(app, catalog.store_id, "FERN-9", "104")
    _order(app, catalog.other_store_id, "OTHER-1", "103", merchant_id=900)
    said = "SKU saved. We're checking 2 orders on hold with this product again now."

    piece = _piece(client, address, {"whole_product": " POSTER-1 "})

    assert text_in(piece, "tbody code") == "POSTER-1"
    assert said in text_in(piece, "tbody")
    assert text_in(piece, "#product-news[hx-swap-oob]") == f"Poster: {said}"
    assert "1 product is missing a SKU" in text_in(piece, "#product-problems[hx-swap-oob] .alert-danger")
    assert one(piece, "[data-edit]").has_attr("autofocus")
    assert woken
    assert not get(client, URL).select(".alert-success"), "what was said in the list isn't said again"

    piece = _piece(client, f"{address}/remove", {"option_id": ""})

    assert "SKU removed. We're checking 2 orders" in text_in(piece, "tbody")
    assert "No SKU" in text_in(piece, "tbody")
    assert "2 products are missing a SKU" in text_in(piece, "#product-problems")
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject.startswith("Poster"))).all()
        assert sorted(actions) == ["SKU set by hand", "SKU set by hand: removed"]


def test_invalid_sku_is_said_in_the_row(app: Flask, catalog: World, client_of: ClientOf, woken: list[object]) -> None:
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/101"

    piece = _piece(client, address, {"whole_product": "OK-", "option_101-LARGE": "SKU:X"}, product_id="101")

    why = "Enter the SKU alone, without “SKU:” before it."
    assert text_in(piece, "form .invalid-feedback") == why
    assert text_in(piece, "#product-news") == f"Nothing has changed yet. {why}"
    assert [field["name"] for field in piece.select("[autofocus]")] == ["option_101-LARGE"]
    assert one(piece, "input[name=whole_product]")["value"] == "OK-"
    assert one(piece, "[name=option_101-SMALL]")["placeholder"] == "SHIRT-SMALL"
    assert woken == []
    same = _piece(client, address, {"whole_product": ""}, product_id="101")
    assert "Nothing changed." in text_in(same, "tbody")
    assert woken == []


def test_support_gives_a_reason_in_the_row(app: Flask, catalog: World, client_of: ClientOf) -> None:
    client, address = client_of(catalog.support), f"{URL}/{catalog.store_id}/103"
    for path in (address, f"{address}/remove"):
        piece = _piece(client, path, {"whole_product": "POSTER-1", "option_id": ""})
        assert "Say why." in text_in(piece, "form .invalid-feedback")
        assert [field["name"] for field in piece.select("[autofocus]")] == ["reason"]
    _piece(client, address, {"whole_product": "POSTER-1", "reason": "asked by phone"})
    with app.app_context():
        assert db.session.scalars(select(SkuOverride.sku)).all() == ["POSTER-1"]


@pytest.mark.parametrize("path", ["", "?close=1"])
def test_row_and_form_take_few_statements(app: Flask, catalog: World, client_of: ClientOf, path: str) -> None:
    add(app, catalog.store_id, *((str(n), f"Mug {n}", f"SKU:MUG-{n}-", ("S", "M")) for n in range(1000, 1300)))
    for number in range(40):
        _order(app, catalog.store_id, f"FERN-{number}", "103")
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/103{path}"
    get(client, URL)
    with statements(app) as ran:
        _piece(client, address)
    assert len(ran) < 12, ran
