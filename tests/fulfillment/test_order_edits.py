"""What people fix about one order is sent, on every path, once, and never changes what was sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.actions import buyers, order_fixes
from portal.actions import orders as actions
from portal.clients.bigcartel import read_stored
from portal.fulfillment.changes import differences
from portal.fulfillment.purge import empty
from portal.fulfillment.reread import reread_orders
from portal.models import AuditEntry, ChangeAfterSending, Order, OrderEvent, OrderState
from portal.wording import order_fixes as wording
from tests.fulfillment.world import MERCHANT, MERCHANT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from portal.actions.orders import Result
    from tests.fulfillment.world import World


def _act(world: World) -> Any:
    return {"actor": "owner@example.com", "reason": "", "now": world.clock()}


def _fix(world: World, number: str, fix: Callable[..., Result], *args: Any, **named: Any) -> Result:
    with world.session() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        return fix(session, order, *args, **_act(world), **named)


def _move_to(session: Session, order: Order, street: str, **act: Any) -> Result:
    shown = read_stored(order.document).address
    return order_fixes.correct_address(session, order, replace(shown, address_1=street), instead_of=shown, **act)


def _item_id(world: World, number: str) -> str:
    return world.order(number).lines[0]["item_id"]


def _sent(world: World, number: str) -> str:
    """Return the last request for the order."""
    return world.attempts(number)[-1].request


def _skus(world: World, number: str) -> list[str]:
    """Return the SKUs that the warehouse received."""
    return [item["sku"] for item in world.sandbox.received()[number]["items"]]


def _without_sku(world: World) -> str:
    world.sandbox.put_product("7", name="Tea Towel", description="Red.")
    number = world.sandbox.place_order(items=[{"product": "7"}])
    world.run()
    assert world.reasons(number) == {"no_sku"}
    return number


def test_sku_for_one_order_sends_it_and_no_other(world: World) -> None:
    number, other = _without_sku(world), _without_sku(world)

    assert _fix(world, number, order_fixes.set_sku, _item_id(world, number), "TOWEL-1").done
    assert world.order(number).state is OrderState.READY
    world.run()

    assert world.states()[number] == "submitted"
    assert _skus(world, number) == ["TOWEL-1"]
    assert world.states()[other] == "held"
    assert world.sandbox.accepted() == {number: 1}


def test_edits_survive_a_change_in_big_cartel_and_a_change_of_the_product(world: World) -> None:
    world.change_merchant(submit_unpaid=False)
    world.sandbox.put_product("7", name="Tea Towel", description="Red.")
    number = world.sandbox.place_order(items=[{"product": "7"}], payment_status="pending")
    world.run()
    _fix(world, number, order_fixes.set_sku, _item_id(world, number), "TOWEL-1")
    assert world.reasons(number) == {"payment_not_completed"}

    world.sandbox.put_product("7", name="Tea Towel", description="Red. SKU:OTHER")
    world.poll()
    world.sandbox.edit_order(number, payment_status="completed")
    world.run()

    assert _skus(world, number) == ["TOWEL-1"]


def test_fix_is_audited_and_in_the_history(world: World) -> None:
    number = _without_sku(world)
    _fix(world, number, order_fixes.set_sku, _item_id(world, number), "TOWEL-1")

    with world.session() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.subject == number)).one()
        event = session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc()).limit(1)).one()
    assert (entry.action, entry.actor, entry.reason) == (wording.SKU_SET, "owner@example.com", "Tea Towel: TOWEL-1")
    assert (event.to_state, event.reason, event.actor, event.at) == ("ready", entry.action, entry.actor, entry.at)


def test_item_left_out_is_not_sent(world: World) -> None:
    world.sandbox.put_product("7", name="Tea Towel", description="Red.")
    number = world.sandbox.place_order(items=[{"product": "1"}, {"product": "7"}])
    world.run()
    towel = next(line["item_id"] for line in world.order(number).lines if line["name"] == "Tea Towel")

    _fix(world, number, order_fixes.ship_item, towel, by_warehouse=False)
    world.run()

    assert world.states()[number] == "submitted"
    assert _skus(world, number) == ["MUG-01"]


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_item_that_changed_since_is_fixed_again_or_sent_as_big_cartel_shows_it(
    world: World, *, is_taken_back: bool
) -> None:
    number = world.sandbox.place_order()
    world.poll()
    item = _item_id(world, number)
    _fix(world, number, order_fixes.ship_item, item, by_warehouse=False)
    edits = world.order(number).edits
    assert edits is not None
    edits["items"][item]["product_id"] = "another"
    world.change_order(number, edits=edits)
    world.change_merchant(submit_unpaid=True)
    world.run()
    assert world.reasons(number) == {"edit_outdated"}

    if is_taken_back:
        _fix(world, number, order_fixes.use_big_cartels_item, item)
    else:
        _fix(world, number, order_fixes.set_sku, item, "MUG-1")
    world.run()
    assert _skus(world, number) == (["MUG-01"] if is_taken_back else ["MUG-1"])


def test_order_with_nothing_left_stays(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    _fix(world, number, order_fixes.ship_item, _item_id(world, number), by_warehouse=False)
    world.run()
    assert world.reasons(number) == {"nothing_to_ship"}
    assert not world.sandbox.accepted()


def test_own_hold_stops_an_order_until_it_ends(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    _fix(world, number, order_fixes.hold, "Ask Ana first")
    world.run()
    world.sweep()
    world.change_merchant(submit_unpaid=True)
    world.run()
    assert world.reasons(number) == {"held_by_hand"}
    order = world.order(number)
    assert order.edits is not None
    assert (order.edits["hold"]["note"], order.edits["hold"]["by"]) == ("Ask Ana first", "owner@example.com")
    assert not world.sandbox.accepted()

    _fix(world, number, order_fixes.end_hold)
    world.run()
    assert world.sandbox.accepted() == {number: 1}
    assert world.order(number).edits is None


def test_hold_while_a_run_sends_others_is_kept(world: World, during_submission: Any) -> None:
    """The run has packed the order already, but not claimed it."""
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=30)
    world.poll()
    last = max(numbers, key=lambda number: world.order(number).id)
    done: list[bool] = []
    during_submission(1, lambda: done.append(_fix(world, last, order_fixes.hold, "").done))

    world.submit()

    assert done == [True]
    assert world.reasons(last) == {"held_by_hand"}
    assert world.sandbox.accepted() == dict.fromkeys(set(numbers) - {last}, 1)


def test_address_corrected_while_a_run_sends_others_is_the_one_that_is_sent(
    world: World, during_submission: Any
) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=30)
    world.poll()
    last = max(numbers, key=lambda number: world.order(number).id)
    during_submission(1, lambda: _fix(world, last, _move_to, "77 Other St"))

    world.submit()
    world.submit()

    assert "77 Other St" in _sent(world, last)
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_order_that_is_being_sent_or_was_cannot_be_changed(world: World, during_submission: Any) -> None:
    number = world.sandbox.place_order()
    world.poll()
    results: list[Result] = []
    during_submission(1, lambda: results.append(_fix(world, number, _move_to, "77 Other St")))
    world.submit()
    results.append(_fix(world, number, order_fixes.hold, ""))

    assert [one.done for one in results] == [False, False]
    assert results[0].sentence == (
        f"{number} can't be changed. We're sending it to the warehouse right now. "
        "Wait a minute, then check how it went."
    )
    assert results[1].sentence == f"{number} can't be changed. The warehouse already has it. Change it there."
    assert world.order(number).edits is None
    assert world.sandbox.accepted() == {number: 1}


def test_corrected_address_is_sent_and_is_no_change_in_big_cartel(world: World) -> None:
    number = world.sandbox.place_order(address_1="1 High St")
    world.poll()
    _fix(world, number, _move_to, "77 Other St")
    world.run()
    world.sweep()
    assert "77 Other St" in _sent(world, number)
    assert _changes(world, number) == []

    world.sandbox.edit_order(number, shipping_address_1="3 Far St", shipping_city="Provo")
    world.poll()
    fields = {field: (before, after) for field, before, after in _changes(world, number)}
    assert fields["Street"] == ("77 Other St", "3 Far St")

    world.sandbox.edit_order(number, shipping_address_1="77 Other St")
    world.poll()
    assert ("Street", "3 Far St", "77 Other St") in _changes(world, number)


def _changes(world: World, number: str) -> list[tuple[str, str, str]]:
    with world.session() as session:
        query = select(ChangeAfterSending).join(Order, Order.id == ChangeAfterSending.order_id)
        found = session.scalars(query.where(Order.number == number).order_by(ChangeAfterSending.id)).all()
    return [(one.field, one.before, one.after) for one in differences(found)]


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_address_changed_by_the_buyer_after_our_correction_is_never_ignored(
    world: World, *, is_taken_back: bool
) -> None:
    number = world.sandbox.place_order(address_1="1 High St")
    world.poll()
    _fix(world, number, _move_to, "77 Other St")
    world.sandbox.edit_order(number, shipping_address_1="3 Far St")
    world.run()
    assert world.reasons(number) == {"edit_outdated"}
    assert not world.sandbox.accepted()

    if is_taken_back:
        _fix(world, number, order_fixes.use_big_cartels_address)
    else:
        _fix(world, number, _move_to, "78 Other St")
    world.run()
    assert ("3 Far St" if is_taken_back else "78 Other St") in _sent(world, number)


def test_service_for_one_order_is_sent(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    _fix(world, number, order_fixes.choose_service, "UPS_GROUND", name="UPS Ground")
    world.change_merchant(domestic_service="USPS_FIRSTCLASS")
    world.run()
    assert "<ShippingMethod>UPS_GROUND</ShippingMethod>" in _sent(world, number)


def test_rejected_order_stays_so_until_it_is_retried_with_its_edits(world: World) -> None:
    number = world.sandbox.place_order()
    world.sandbox.put_merchant(str(MERCHANT), token=f"{MERCHANT_TOKEN}-{MERCHANT}", skus=["MUG-1"])
    world.run()
    assert world.order(number).state is OrderState.REJECTED

    _fix(world, number, order_fixes.set_sku, _item_id(world, number), "MUG-1")
    world.run()
    assert world.order(number).state is OrderState.REJECTED

    with world.session() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        fresh = reread_orders(session, [order], world.settings)
        act = _act(world)
        assert actions.retry(session, order, is_fresh=order.id in fresh, **act).done
    world.run()
    assert _skus(world, number) == ["MUG-1"]
    assert world.sandbox.accepted() == {number: 1}


def test_edits_are_exported_erased_and_purged_with_the_order(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()

    def correct(session: Session, order: Order, **act: Any) -> Result:
        shown = read_stored(order.document).address
        corrected = replace(shown, address_1="77 Other St", email="new@buyer.example")
        return order_fixes.correct_address(session, order, corrected, instead_of=shown, **act)

    _fix(world, number, correct)
    with world.session() as session:
        act = _act(world)
        assert "77 Other St" in "".join(buyers.export(session, "NEW@buyer.example", **act))
        order = session.scalars(select(Order).where(Order.number == number)).one()
        assert actions.close(session, order, **act).done
        assert buyers.erase(session, "new@buyer.example", **act).erased == [number]
    assert world.order(number).edits is None


def test_purge_empties_the_edits(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    _fix(world, number, _move_to, "77 Other St")
    world.change_order(number, state=OrderState.CLOSED)
    with world.session() as session:
        assert empty(session, [world.order(number).id], world.clock()) == 1
        session.commit()
    assert world.order(number).edits is None
