"""An order that changes in Big Cartel after it was sent: noted once, with its fields, until somebody sees to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.fulfillment.changes import differences
from portal.models import ChangeAfterSending, Order, OrderState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fulfillment.world import World


def _changes(world: World, number: str) -> Sequence[ChangeAfterSending]:
    with world.session() as session:
        query = select(ChangeAfterSending).join(Order, Order.id == ChangeAfterSending.order_id)
        return session.scalars(query.where(Order.number == number).order_by(ChangeAfterSending.id)).all()


def _fields(world: World, number: str) -> list[tuple[str, str, str]]:
    return [(one.field, one.before, one.after) for one in differences(_changes(world, number))]


def _is_open(world: World, number: str) -> bool:
    return any(change.acknowledged_at is None for change in _changes(world, number))


def _sent(world: World) -> str:
    number = world.sandbox.place_order(address_1="1 High St")
    world.run()
    assert world.order(number).state is OrderState.SUBMITTED
    return number


def test_address_changed_after_sending_is_noted_once(world: World) -> None:
    number, other = _sent(world), _sent(world)
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")

    world.poll()
    world.poll()
    world.sweep()

    assert _fields(world, number) == [("Street", "1 High St", "2 Low Rd")]
    assert _is_open(world, number)
    assert not _changes(world, other)


def test_change_before_sending_is_no_change_after_it(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")
    world.poll()
    world.submit()
    world.poll()

    assert not _changes(world, number)


def test_what_does_not_matter_to_the_parcel_is_not_noted(world: World) -> None:
    number = _sent(world)
    world.sandbox.edit_order(number, shipping_address_1=" 1  High St\u200b", customer_note="Thanks!")

    world.poll()

    assert not _changes(world, number)
    assert "Thanks!" in world.order(number).document


def test_marking_it_ourselves_is_no_change(world: World) -> None:
    number = _sent(world)
    world.sandbox.ship_all()
    world.track()
    world.poll()
    world.sweep()

    assert world.order(number).state is OrderState.COMPLETED
    assert not _changes(world, number)


def test_change_that_is_taken_back_closes_itself(world: World) -> None:
    number = _sent(world)
    for street in ("2 Low Rd", "1 High St"):
        world.sandbox.edit_order(number, shipping_address_1=street)
        world.clock.forward(minutes=1)
        world.poll()

    assert len(_changes(world, number)) == 2
    assert not _is_open(world, number)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"payment_status": "refunded"}, ("Payment", "completed", "refunded")),
        ({"shipping_status": "shipped"}, ("Order status", "unshipped", "shipped")),
    ],
)  # fmt: skip
def test_status_changed_by_a_person_is_noted(
    sqlite_world: World, attributes: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    number = _sent(sqlite_world)
    sqlite_world.sandbox.edit_order(number, **attributes)

    sqlite_world.poll()

    assert expected in _fields(sqlite_world, number)
    assert sqlite_world.order(number).state is OrderState.SUBMITTED


def test_canceled_order_is_noted(sqlite_world: World) -> None:
    number = _sent(sqlite_world)
    sqlite_world.sandbox.cancel_order(number)

    sqlite_world.poll()

    assert ("Order status", "unshipped", "cancelled") in _fields(sqlite_world, number)


def test_deleted_order_is_noted_once(world: World) -> None:
    number = _sent(world)
    world.sandbox.cancel_order(number, gone=True)

    world.sweep()
    world.sweep()

    assert _fields(world, number) == [("Order status", "unshipped", "deleted")]
    assert _is_open(world, number)
    assert world.order(number).state is OrderState.SUBMITTED


def test_order_that_leaves_the_list_is_noted_once_and_again_when_it_is_back(world: World) -> None:
    number = _sent(world)
    world.sandbox.cancel_order(number, unlisted=True)
    world.sweep()
    world.sweep()

    assert _fields(world, number) == [("Order status", "unshipped", "no longer listed as unshipped")]
    assert _is_open(world, number)

    world.sandbox.relist_order(number)
    world.sweep()

    assert not _is_open(world, number)


def test_change_is_no_longer_open_once_the_order_has_shipped(world: World) -> None:
    number = _sent(world)
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")
    world.poll()
    world.sandbox.ship_all()

    world.track()

    assert world.order(number).state is OrderState.COMPLETED
    assert _fields(world, number) == [("Street", "1 High St", "2 Low Rd")]
    assert not _is_open(world, number)


def test_order_sent_again_is_packed_from_its_new_document(world: World) -> None:
    number = world.sandbox.place_order(address_1="1 High St")
    world.sandbox.fault("submit", "reset_before")
    world.poll()
    world.submit()
    assert world.order(number).state in {OrderState.UNCONFIRMED, OrderState.SUBMITTED}
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")
    world.poll()
    world.run_until_settled(3)

    received = world.sandbox.received()[number]
    assert received["accepted"] == 1
    assert received["address"]["Address1"] == "2 Low Rd"
    assert not _is_open(world, number)
