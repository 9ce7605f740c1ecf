"""An option that Big Cartel no longer has, but that orders on hold need, stands on the product's page."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import Order, OrderState, SkuOverride
from tests.views.conftest import World, get, post, read
from tests.views.page import one, text, text_in
from tests.views.products.products_world import URL, add, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

SAYS = "This option is no longer in Big Cartel, and an order is waiting for its SKU."
BADGE = "No longer in Big Cartel"


def _line(**changes: Any) -> dict[str, Any]:
    line = {
        "item_id": "1", "name": "Shirt", "option": "X-LARGE", "option_id": "101-XL", "product_id": "101", "sku": "",
        "quantity": 1, "source": "none", "left_out": False, "problems": [],
    }  # fmt: skip
    return line | changes


def _put(
    app: Flask, store_id: int, *lines: dict[str, Any], merchant: int = 816, state: OrderState = OrderState.HELD
) -> None:
    with app.app_context():
        db.session.add(
            Order(
                merchant_id=merchant, store_id=store_id, number="FERN-1", state=state, state_changed_at=utc_now(),
                first_seen_at=utc_now(), document='{"data": {"id": "FERN-1"}}', lines=list(lines),
                holds=[{"reason": "option_gone", "detail": "Shirt (X-LARGE)"}] if state is OrderState.HELD else [],
            )
        )  # fmt: skip
        db.session.commit()


def test_lost_option_that_an_order_needs_gets_its_sku_on_the_page(
    app: Flask, catalog: World, client_of: ClientOf
) -> None:
    client, address = client_of(catalog.owner), f"{URL}/{catalog.store_id}/101"
    assert BADGE not in text(get(client, address))
    _put(app, catalog.store_id, _line())

    page = get(client, address)
    assert f"X-LARGE {BADGE} No SKU" in text_in(page, "table")
    assert SAYS in text(page)
    assert "SKU for X-LARGE (no longer in Big Cartel)" in text(page)

    read(post(client, address, **{"option_101-XL": "SHIRT-XL"}))
    with app.app_context():
        override = db.session.scalars(select(SkuOverride)).one()
        assert (override.product_id, override.option_id, override.sku) == ("101", "101-XL", "SHIRT-XL")
    page = get(client, address)
    assert f"X-LARGE {BADGE} SHIRT-XL Set by hand" in text_in(page, "table")
    assert SAYS not in text(page)


def test_lost_option_is_in_the_list_and_in_the_csv_with_its_finding(
    app: Flask, catalog: World, client_of: ClientOf
) -> None:
    client = client_of(catalog.owner)
    assert "Shirt" not in names(get(client, f"{URL}?problems=y"))
    _put(app, catalog.store_id, _line())

    page = get(client, f"{URL}?problems=y&q=x-large")
    assert names(page) == ["Shirt"]
    assert f"{SAYS} Enter the SKU here, or restore the option in Big Cartel. Option: X-LARGE." in text(page)
    rows = list(csv.DictReader(io.StringIO(client.get(f"{URL}/products.csv?q=x-large").get_data(as_text=True))))
    by_option = {row["option"]: row for row in rows}
    assert by_option["X-LARGE"]["verdict"] == "Blocks orders"
    assert SAYS in by_option["X-LARGE"]["what is wrong"]
    assert (by_option["SMALL"]["verdict"], by_option["SMALL"]["what is wrong"]) == ("OK", "")


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (_line(option_id="101-SMALL", option="Small"), OrderState.HELD),
        (_line(), OrderState.CLOSED),
        (_line(option_id=None), OrderState.HELD),
        ({name: value for name, value in _line().items() if name != "option_id"}, OrderState.HELD),
    ],
    ids=["current option", "nobody waits", "no option id", "stored before ids were kept"],
)
def test_other_options_are_not_listed(
    app: Flask, catalog: World, client_of: ClientOf, line: dict[str, Any], state: OrderState
) -> None:
    _put(app, catalog.store_id, line, state=state)
    assert BADGE not in text(get(client_of(catalog.owner), f"{URL}/{catalog.store_id}/101"))


def test_product_that_lost_all_its_options_still_lists_the_needed_one(
    app: Flask, catalog: World, client_of: ClientOf
) -> None:
    add(app, catalog.store_id, ("107", "Bag", "SKU:BAG", ("Default",)))
    _put(app, catalog.store_id, _line(product_id="107", option_id="9", option="Small", name="Bag"))

    page = get(client_of(catalog.owner), f"{URL}/{catalog.store_id}/107")

    assert f"Small {BADGE} No SKU" in text_in(page, "table")
    assert {field["name"] for field in page.select("form input[type=text]")} == {"whole_product", "option_9"}


def test_fix_sku_of_the_hold_leads_to_the_product_page(app: Flask, catalog: World, client_of: ClientOf) -> None:
    _put(app, catalog.store_id, _line(), _line(product_id="102", name="Mug", option="", option_id="102-D", sku="MUG"))

    page = get(client_of(catalog.owner), "/m/816/orders/FERN-1")

    link = one(page, "#state li a")
    assert (link["href"], text(link)) == (f"{URL}/{catalog.store_id}/101", "Fix SKU")


def test_options_of_another_merchant_are_not_shown(app: Flask, catalog: World, client_of: ClientOf) -> None:
    add(app, catalog.other_store_id, ("101", "Shirt", "SKU:S-", ("SMALL",)))
    _put(app, catalog.other_store_id, _line(), merchant=900)
    assert BADGE not in text(get(client_of(catalog.owner), f"{URL}/{catalog.store_id}/101"))
