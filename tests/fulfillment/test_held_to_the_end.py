"""What must not be sent is held from Big Cartel's answer to the warehouse, until a person fixes or releases it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from portal.actions.orders import Action, act
from portal.models import Order, OrderState
from tests.conftest import ROOT
from tests.fulfillment.closed_orders import later

if TYPE_CHECKING:
    from tests.fulfillment.world import World

RELEASABLE: list[tuple[str, dict[str, Any]]] = [
    ("canceled_or_refunded", {"attributes": {"flags": ["refunded"]}}),
    ("canceled_or_refunded", {"attributes": {"payment_statuses": {"stripe": "Not shipped, refunded"}}}),
    ("local_pickup", {"labels": ["Standard", "FreeLocalPickup"]}),
    ("local_pickup", {"labels": ["Ladenabholung"], "label_type": "order_adjustments/base"}),
    ("local_pickup", {"labels": ["[SELBSTABHOLER]"], "label_type": "order_adjustments/discount"}),
    ("carrier_cannot_deliver", {"address_1": "P.O. Drawer 12"}),
    ("address_doubtful", {"country": "DE", "state": "", "zip": "00000"}),
]


@pytest.mark.parametrize(("reason", "fields"), RELEASABLE, ids=str)
def test_order_is_held_until_a_person_releases_it(world: World, reason: str, fields: dict[str, Any]) -> None:
    world.change_merchant(domestic_service="UPS_GROUND")
    number = world.sandbox.place_order(**fields)
    for _ in range(2):
        world.run()
        later(world)
    assert (world.reasons(number), world.sandbox.posted()) == ({reason}, {})
    with world.session() as session:
        order = session.get_one(Order, world.order(number).id)
        assert act(session, order, Action.RELEASE, is_fresh=True, actor="tests", reason="", now=world.clock()).done
    world.run()
    assert world.sandbox.posted() == {number: 1}


def test_sku_that_only_looks_right_is_held_until_it_is_fixed(world: World) -> None:
    world.sandbox.put_product("7", name="Tee", description="SKU:TEE\u250001")
    number = world.sandbox.place_order(items=[{"product": "7"}])
    world.run()
    assert (world.reasons(number), world.sandbox.posted()) == ({"no_sku"}, {})
    world.sandbox.put_product("7", name="Tee", description="SKU:TEE-01")
    world.sweep()
    world.submit()
    assert world.sandbox.posted() == {number: 1}


def test_order_whose_refund_stands_beside_it_is_held(world: World) -> None:
    document = json.loads((ROOT / "tests/payloads/bigcartel_order_single.json").read_text("utf-8"))
    number = document["data"]["id"]
    order = {"order": {"data": {"type": "orders", "id": number}}}
    document["included"].append({"id": "99", "type": "refunds", "attributes": {}, "relationships": order})
    world.sandbox.place_order(document=document)
    world.run()
    assert "canceled_or_refunded" in world.reasons(number)
    assert (world.order(number).state, world.sandbox.posted()) == (OrderState.HELD, {})


def test_country_with_invisible_characters_is_sent_as_its_code(world: World) -> None:
    number = world.sandbox.place_order(attributes={"shipping_country_id": "\u200eus\ufeff"})
    world.run()
    assert world.sandbox.received()[number]["address"]["Country"] == "US"
