"""SKUs set by hand, and descriptions tried without saving."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, Product, SkuOverride, Store
from tests.views.conftest import World, get, post, read
from tests.views.page import one, text, text_in
from tests.views.products.products_world import URL, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def test_a_sku_set_by_hand_wins_and_is_taken_back(app: Flask, shop: World, client_of: ClientOf) -> None:
    client, address = client_of(shop.owner), f"{URL}/{shop.store_id}/103"
    with app.app_context():
        db.session.get_one(Store, shop.store_id).next_poll_at = utc_now() + timedelta(hours=1)
        db.session.commit()
    page = read(post(client, address, whole_product=" POSTER-1 "))
    assert "The SKU is saved. Orders that wait are looked at again now." in text(page)
    assert text_in(page, "table code") == "POSTER-1"
    assert "Set by hand" in text(page)
    with app.app_context():
        store = db.session.get_one(Store, shop.store_id)
        assert store.products_changed_at is not None
        assert store.next_poll_at is not None
        assert store.next_poll_at <= utc_now(), "polled now, so that held orders follow"
        override = db.session.scalars(select(SkuOverride)).one()
        assert (override.store_id, override.product_id, override.option_id, override.sku, override.set_by) == (
            shop.store_id, "103", "", "POSTER-1", shop.owner,
        )  # fmt: skip
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject) == (shop.owner, "SKU set by hand", "Poster: POSTER-1")
    assert "Poster" not in names(get(client, f"{URL}?problems=y"))
    read(post(client, f"{address}/remove", option_id=""))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []
    assert "Poster" in names(get(client, f"{URL}?problems=y"))


def test_the_same_product_id_in_another_shop_is_another_product(app: Flask, shop: World, client_of: ClientOf) -> None:
    with app.app_context():
        theirs = SkuOverride(store_id=shop.other_store_id, product_id="103", sku="THEIRS", set_by="x", set_at=utc_now())
        db.session.add(theirs)
        db.session.commit()
    client, address = client_of(shop.owner), f"{URL}/{shop.store_id}/103"
    assert "THEIRS" not in str(get(client, address))
    assert "Nothing was changed." in text(read(post(client, f"{address}/remove", option_id="")))
    read(post(client, address, whole_product="OURS"))
    with app.app_context():
        assert set(db.session.scalars(select(SkuOverride.sku))) == {"THEIRS", "OURS"}


def test_one_option_by_hand(app: Flask, shop: World, client_of: ClientOf) -> None:
    client, address = client_of(shop.owner), f"{URL}/{shop.store_id}/101"
    page = read(post(client, address, **{"whole_product": "TEE-", "option_101-SMALL": "OLD-SMALL"}))
    assert "2 SKUs are saved." in text(page)
    assert [code.get_text() for code in page.select("table code")] == ["OLD-SMALL", "TEE-LARGE"]
    fields = {field["name"]: field.get("value", "") for field in page.select("form input[type=text]")}
    assert fields == {"whole_product": "TEE-", "option_101-SMALL": "OLD-SMALL", "option_101-LARGE": ""}
    page = read(post(client, address, **{"whole_product": "", "option_101-SMALL": "OLD-SMALL"}))
    assert [code.get_text() for code in page.select("table code")] == ["OLD-SMALL", "SHIRT-LARGE"]
    with app.app_context():
        db.session.scalars(select(Product).where(Product.product_id == "101")).one().options = []
        db.session.commit()
    assert "For options that are no longer there" in text(get(client, address))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("SKU:TEE-", "Enter the SKU alone, without “SKU:” before it."),
        ("X" * 65, "The SKU “XXX"),
        ("T\ue000", "characters that the warehouse can't accept"),
    ],
)
def test_what_cannot_be_sent_is_not_saved(app: Flask, shop: World, client_of: ClientOf, typed: str, said: str) -> None:
    page = read(post(client_of(shop.owner), f"{URL}/{shop.store_id}/101", whole_product=typed))
    assert said in text_in(page, ".invalid-feedback")
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []


def test_support_gives_a_reason(app: Flask, shop: World, client_of: ClientOf) -> None:
    support, address = client_of(shop.support), f"{URL}/{shop.store_id}/103"
    page = read(post(support, address, whole_product="POSTER-1"))
    assert "Say why" in text(page)
    read(post(support, address, whole_product="POSTER-1", reason="asked by phone"))
    assert "Say why" in text(read(post(support, f"{address}/remove", option_id="")))
    assert "Say why" in text(read(post(support, f"{URL}/{shop.store_id}/refresh")))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride.sku)).all() == ["POSTER-1"]
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.reason) == (shop.support, "asked by phone")


def test_a_description_is_tried_without_saving(shop: World, client_of: ClientOf) -> None:
    client = client_of(shop.owner)
    assert "Type or paste a description" in text(get(client, f"{URL}/try"))
    page = read(post(client, f"{URL}/try", description="Soft. SKU:TEE", options="SMALL\n\n LARGE "))
    assert [code.get_text() for code in page.select("#tried code")] == ["TEESMALL", "TEELARGE"]
    assert "“TEE” directly followed by the option “SMALL”" in text(page)
    assert "Stops the order" in text(read(post(client, f"{URL}/try", description="Soft.")))
    page = get(client, f"{URL}/try?store={shop.store_id}&product=101")
    assert [code.get_text() for code in page.select("#tried code")] == ["SHIRT-SMALL", "SHIRT-LARGE"]
    assert "<b>" not in str(one(read(post(client, f"{URL}/try", description="<b>SKU:X</b>")), "#tried"))


def test_a_description_is_tried_while_typing(shop: World, client_of: ClientOf) -> None:
    client = client_of(shop.owner)
    token = str(one(get(client, f"{URL}/try"), "#csrf_token")["value"])
    answer = client.post(
        f"{URL}/try", data={"description": "SKU:TEE"}, headers={"HX-Request": "true", "X-CSRFToken": token}
    )
    piece = answer.get_data(as_text=True)
    assert "TEE</code>" in piece
    assert "<html" not in piece
