"""An order that changes in Big Cartel after it was sent: noted once, with its fields, until somebody sees to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.actions.order_changes import see_to
from portal.fulfillment.changes import SeenChange, differences, note
from portal.models import ChangeAfterSending, Order, OrderState
from portal.rules.difference import Difference

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


def test_only_a_whole_list_says_that_an_order_is_no_longer_on_it(world: World) -> None:
    number = _sent(world)
    world.sandbox.cancel_order(number, unlisted=True)
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")

    assert not world.poll().swept
    assert _fields(world, number) == [("Street", "1 High St", "2 Low Rd")]

    world.sweep()
    assert ("Order status", "unshipped", "no longer listed as unshipped") in _fields(world, number)


@pytest.mark.parametrize("status", ["shipped", "cancelled"])
def test_order_that_a_sweep_does_not_find_is_noted_with_its_own_status(world: World, status: str) -> None:
    number = _sent(world)
    world.sandbox.cancel_order(number, unlisted=True)
    world.sandbox.edit_order(number, shipping_status=status)

    world.sweep()
    world.sweep()

    assert ("Order status", "unshipped", status) in _fields(world, number)
    assert [field for field, _, _ in _fields(world, number)].count("Order status") == 1


def test_order_that_left_the_list_is_not_noted_again_for_another_change(world: World) -> None:
    number = _sent(world)
    world.sandbox.cancel_order(number, unlisted=True)
    world.sweep()
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")
    world.sweep()
    world.poll()

    assert [field for field, _, _ in _fields(world, number)].count("Order status") == 1


def test_order_that_leaves_the_list_a_second_time_is_noted_again(world: World) -> None:
    number = _sent(world)
    for _ in range(2):
        world.sandbox.cancel_order(number, unlisted=True)
        world.sweep()
        assert _is_open(world, number)
        world.sandbox.relist_order(number)
        world.sweep()
        assert not _is_open(world, number)


def test_mark_that_took_effect_although_its_answer_was_lost_is_no_change(world: World) -> None:
    number = _sent(world)
    world.sandbox.fault("patch", "reset_after", times=1)
    world.sandbox.ship_all()
    world.track()
    assert world.order(number).state is OrderState.SHIPPED
    assert world.sandbox.shipping_statuses()[number] == "shipped"

    world.poll()

    assert not _changes(world, number)


def test_change_after_the_warehouse_shipped_asks_nobody_to_act(world: World) -> None:
    number = _sent(world)
    world.sandbox.fault("patch", "status", times=None)
    world.sandbox.ship_all()
    world.track()
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")

    world.poll()

    assert _fields(world, number) == [("Street", "1 High St", "2 Low Rd")]
    assert not _is_open(world, number)


def test_who_saw_to_a_change_stays_known_once_the_order_has_shipped(world: World) -> None:
    number = _sent(world)
    world.sandbox.edit_order(number, shipping_address_1="2 Low Rd")
    world.poll()
    with world.session() as session:
        up_to = _changes(world, number)[-1].id
        assert see_to(session, world.order(number), up_to=up_to, actor="ana", reason="", now=world.clock()) == 1
    world.sandbox.ship_all()
    world.track()

    assert [change.acknowledged_by for change in _changes(world, number)] == ["ana"]


def test_change_to_an_order_that_another_worker_moved_meanwhile_is_not_noted(world: World) -> None:
    number = _sent(world)
    order = world.order(number)
    street = Difference("Street", "1 High St", "2 Low Rd")
    seen = SeenChange(order.id, order.merchant_id, OrderState.UNCONFIRMED, {"document": "{}"}, (street,))
    with world.session() as session:
        assert note(session, [seen], world.clock()) == 0
        session.commit()

    assert not _changes(world, number)
    assert world.order(number).document == order.document
