"""The search: what merchants and support find, by the page and while typing, and what the audit trail keeps of it."""
# ruff: noqa: RUF001 - a typographic dash is one of the spellings

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.extensions import db
from portal.fulfillment import search_rows
from portal.fulfillment.purge import empty
from portal.models import AuditEntry, Order
from portal.reports import search_orders
from tests.views.conftest import get
from tests.views.counting import statements
from tests.views.orders_world import put_many
from tests.views.page import text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World
    from tests.views.orders_world import Orders

HERE, EVERYWHERE = "/m/816/search", "/support/search"
TYPING = {"HX-Request": "true", "HX-Target": "search-results"}


@pytest.fixture
def searchable(app: Flask, orders: Orders) -> Orders:
    """Merchant 816's orders and one of merchant 900's, with the numbers of a sent one."""
    with app.app_context():
        numbered = {"tracking_numbers": ["9400111899000000001234"], "fcp_order_id": "7700123"}
        db.session.execute(update(Order).where(Order.number == orders.completed).values(numbered))
        db.session.commit()
        assert sum(search_rows.fill(db.session())) > 0
    return orders


@pytest.fixture
def support(world: World, client_of: Callable[[str | None], FlaskClient]) -> FlaskClient:
    return client_of(world.support)


def found(client: FlaskClient, typed: str, address: str = HERE) -> list[str]:
    """Return the numbers of the orders that are suggested."""
    answer = client.get(address, query_string={"q": typed}, headers=TYPING)
    assert answer.status_code == 200
    return [
        str(link["href"]).rsplit("/", 1)[1]
        for link in BeautifulSoup(answer.text, "html.parser").select("a[id^=search-orders-]")
    ]


def entries(app: Flask) -> list[AuditEntry]:
    with app.app_context():
        query = select(AuditEntry).where(AuditEntry.action == "buyer searched").order_by(AuditEntry.id)
        return list(db.session.scalars(query))


@pytest.mark.parametrize(
    "typed",
    ["#fern-100012", "FERN–100012", "fern100012", "100012", "9400 1118 9900 0000 0012 34", "7700123", "#7700123"],
)
def test_a_whole_number_opens_the_order(searchable: Orders, owner: FlaskClient, typed: str) -> None:
    answer = owner.get(HERE, query_string={"q": typed})
    assert answer.status_code == 303
    assert answer.location == f"/m/816/orders/{searchable.completed}"
    assert found(owner, typed)[0] == searchable.completed


def test_a_number_is_found_before_its_words_are_filled_in(orders: Orders, owner: FlaskClient) -> None:
    assert owner.get(HERE, query_string={"q": "#fern-100012"}).location == f"/m/816/orders/{orders.completed}"


def test_a_buyer_is_found_by_name(searchable: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{HERE}?q=lovelace")
    shown = text_in(page, "main")
    assert searchable.rejected in shown
    assert "Ada Lovelace" in shown
    assert searchable.other not in shown
    assert found(owner, "LOVE")


@pytest.mark.parametrize(
    "typed", ["'", "\\", "' | 'a", "%", "_", "a:*", "((", "& |", "\x00", "!", "lovelace' & '", "x" * 500]
)
def test_operators_and_quotes_are_only_text(searchable: Orders, owner: FlaskClient, typed: str) -> None:
    assert owner.get(HERE, query_string={"q": typed}).status_code == 200


def test_the_index_finds_what_reading_finds(
    searchable: Orders, owner: FlaskClient, support: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = (
        "lovelace",
        "lov",
        "ada lovelace",
        "lovelace'",
        "fern-1000",
        "mug-01",
        "9400 1118 9900",
        "lovelace 12",
        "zz",
    )
    both = ((owner, HERE), (support, EVERYWHERE))
    read = [found(client, words, address) for words in typed for client, address in both]
    assert sum(map(bool, read)) >= 10
    monkeypatch.setattr(search_orders, "RECENT", 0)
    assert [found(client, words, address) for words in typed for client, address in both] == read


def test_products_and_stores_are_found(searchable: Orders, owner: FlaskClient) -> None:
    assert get(owner, "/m/816/products")
    assert "Plain Mug" in text_in(get(owner, f"{HERE}?q=mug-01"), "main")
    assert "Account 1000001" in text_in(get(owner, f"{HERE}?q=1000001"), "main")


def test_support_searches_all_merchants(searchable: Orders, support: FlaskClient, owner: FlaskClient) -> None:
    assert searchable.other in found(support, "lovelace", EVERYWHERE)
    assert searchable.other not in found(support, "lovelace", HERE)
    assert searchable.other not in found(owner, "lovelace")
    assert "Merchant 900" in text_in(get(support, f"{EVERYWHERE}?q=other goods"), "main")
    assert "Merchant 900" in text_in(get(support, f"{EVERYWHERE}?q=900"), "main")
    assert owner.get(EVERYWHERE).status_code == 404


def test_what_support_finds_by_a_buyers_data_is_recorded(searchable: Orders, app: Flask, support: FlaskClient) -> None:
    found(support, "7700123", HERE)
    found(support, searchable.completed, EVERYWHERE)
    found(support, "nobody", HERE)
    assert entries(app) == []
    shown = found(support, "lovelace", HERE)
    (entry,) = entries(app)
    assert (entry.merchant_id, entry.reason, entry.actor) == (816, "By name", "support@warehouse.example")
    assert entry.subject == ", ".join(shown)
    assert "ovelace" not in f"{entry.subject}{entry.reason}"


def test_a_search_that_is_typed_on_is_one_entry(searchable: Orders, app: Flask, support: FlaskClient) -> None:
    for typed in ("lov", "love", "lovel", "lovelace", "lovelace ada"):
        assert found(support, typed, EVERYWHERE)
    support.get(EVERYWHERE, query_string={"q": "lovelace ada"})
    assert len(entries(app)) == 1
    found(support, "ada", EVERYWHERE)
    assert len(entries(app)) == 2
    found(support, "ada", HERE)
    assert len(entries(app)) == 3


def test_a_merchants_own_search_is_not_recorded(searchable: Orders, app: Flask, owner: FlaskClient) -> None:
    assert found(owner, "lovelace")
    assert entries(app) == []


def test_a_purged_buyer_is_not_found(searchable: Orders, app: Flask, owner: FlaskClient) -> None:
    with app.app_context():
        ids = db.session.scalars(select(Order.id).where(Order.number == searchable.completed)).all()
        assert empty(db.session(), ids, utc_now()) == 1
        db.session.commit()
    assert searchable.completed not in found(owner, "lovelace")
    assert searchable.completed in found(owner, "9400111899000000001234")


def test_the_newest_come_first_and_few_statements_find_them(
    searchable: Orders, app: Flask, world: World, owner: FlaskClient, support: FlaskClient
) -> None:
    put_many(app, world, 60)
    with app.app_context():
        sum(search_rows.fill(db.session()))
    page = get(owner, f"{HERE}?q=lovelace")
    assert "These are the newest 50." in text_in(page, "main")
    for client, address in ((owner, HERE), (support, EVERYWHERE), (support, HERE)):
        with statements(app) as ran:
            assert len(found(client, "lovelace", address)) == 8
        assert len(ran) < 12
