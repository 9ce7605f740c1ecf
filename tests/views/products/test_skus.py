"""SKUs set by hand, and descriptions previewed without saving."""

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


def test_sku_set_by_hand_overrides_the_description_until_removed(
    app: Flask, catalog: World, client_of: ClientOf
) -> None:
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/103"
    with app.app_context():
        db.session.get_one(Store, catalog.store_id).next_poll_at = utc_now() + timedelta(hours=1)
        db.session.commit()
    page = read(post(client, address, whole_product=" POSTER-1 "))
    assert "SKU saved. No orders on hold have this product." in text(page)
    assert text_in(page, "table code") == "POSTER-1"
    assert "Set by hand" in text(page)
    with app.app_context():
        store = db.session.get_one(Store, catalog.store_id)
        assert store.products_changed_at is not None
        assert store.next_poll_at is not None
        assert store.next_poll_at <= utc_now(), "held orders are assessed again right away"
        override = db.session.scalars(select(SkuOverride)).one()
        assert (override.store_id, override.product_id, override.option_id, override.sku, override.set_by) == (
            catalog.store_id, "103", "", "POSTER-1", catalog.owner,
        )  # fmt: skip
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject) == (catalog.owner, "SKU set by hand", "Poster: POSTER-1")
    assert "Poster" not in names(get(client, f"{URL}?problems=y"))
    read(post(client, f"{address}/remove", option_id=""))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []
    assert "Poster" in names(get(client, f"{URL}?problems=y"))


def test_same_product_id_in_another_store_is_a_different_product(
    app: Flask, catalog: World, client_of: ClientOf
) -> None:
    with app.app_context():
        theirs = SkuOverride(
            store_id=catalog.other_store_id, product_id="103", sku="THEIRS", set_by="x", set_at=utc_now()
        )
        db.session.add(theirs)
        db.session.commit()
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/103"
    assert "THEIRS" not in str(get(client, address))
    assert "Nothing changed." in text(read(post(client, f"{address}/remove", option_id="")))
    read(post(client, address, whole_product="OURS"))
    with app.app_context():
        assert set(db.session.scalars(select(SkuOverride.sku))) == {"THEIRS", "OURS"}


def test_option_sku_overrides_the_product_sku(app: Flask, catalog: World, client_of: ClientOf) -> None:
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/101"
    page = read(post(client, address, **{"whole_product": "TEE-", "option_101-SMALL": "OLD-SMALL"}))
    assert "2 SKUs saved." in text(page)
    assert [code.get_text() for code in page.select("table code")] == ["OLD-SMALL", "TEE-LARGE"]
    fields = {field["name"]: field.get("value", "") for field in page.select("form input[type=text]")}
    assert fields == {"whole_product": "TEE-", "option_101-SMALL": "OLD-SMALL", "option_101-LARGE": ""}
    page = read(post(client, address, **{"whole_product": "", "option_101-SMALL": "OLD-SMALL"}))
    assert [code.get_text() for code in page.select("table code")] == ["OLD-SMALL", "SHIRT-LARGE"]
    with app.app_context():
        db.session.scalars(select(Product).where(Product.product_id == "101")).one().options = []
        db.session.commit()
    assert "Options no longer in Big Cartel" in text(get(client, address))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("SKU:TEE-", "Enter the SKU alone, without “SKU:” before it."),
        ("X" * 65, "The SKU “XXX"),
        ("T\ue000", "characters that the warehouse can't accept"),
    ],
)
def test_invalid_sku_is_not_saved(app: Flask, catalog: World, client_of: ClientOf, typed: str, said: str) -> None:
    page = read(post(client_of(catalog.owner), f"{URL}/{catalog.store_id}/101", whole_product=typed))
    assert said in text_in(page, ".invalid-feedback")
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []


def test_support_must_give_a_reason(app: Flask, catalog: World, client_of: ClientOf) -> None:
    support, address = client_of(catalog.support), f"{URL}/{catalog.store_id}/103"
    page = read(post(support, address, whole_product="POSTER-1"))
    assert "Say why" in text(page)
    read(post(support, address, whole_product="POSTER-1", reason="asked by phone"))
    assert "Say why" in text(read(post(support, f"{address}/remove", option_id="")))
    assert "Say why" in text(read(post(support, f"{URL}/{catalog.store_id}/refresh")))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride.sku)).all() == ["POSTER-1"]
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.reason) == (catalog.support, "asked by phone")


def test_description_preview_saves_nothing(catalog: World, client_of: ClientOf) -> None:
    client = client_of(catalog.owner)
    assert "Type or paste a description" in text(get(client, f"{URL}/try"))
    page = read(post(client, f"{URL}/try", description="Soft. SKU:TEE", options="SMALL\n\n LARGE "))
    assert [code.get_text() for code in page.select("#tried code")] == ["TEESMALL", "TEELARGE"]
    assert "“TEE” directly followed by the option “SMALL”" in text(page)
    assert "Blocks orders" in text(read(post(client, f"{URL}/try", description="Soft.")))
    page = get(client, f"{URL}/try?store={catalog.store_id}&product=101")
    assert [code.get_text() for code in page.select("#tried code")] == ["SHIRT-SMALL", "SHIRT-LARGE"]
    assert "<b>" not in str(one(read(post(client, f"{URL}/try", description="<b>SKU:X</b>")), "#tried"))


def test_description_preview_updates_while_typing(catalog: World, client_of: ClientOf) -> None:
    client = client_of(catalog.owner)
    token = str(one(get(client, f"{URL}/try"), "#csrf_token")["value"])
    answer = client.post(
        f"{URL}/try", data={"description": "SKU:TEE"}, headers={"HX-Request": "true", "X-CSRFToken": token}
    )
    piece = answer.get_data(as_text=True)
    assert "TEE</code>" in piece
    assert "<html" not in piece
