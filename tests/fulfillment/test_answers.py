"""Warehouse answers whose HTTP status alone is misleading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.models import Attempt, AttemptKind, AttemptOutcome, Order, OrderState, Trigger
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.mark.parametrize("has_status_call", [True, False])
def test_rejection_with_a_server_error_status_is_a_rejection(world: World, *, has_status_call: bool) -> None:
    if not has_status_call:
        world.sandbox.fault("status", "status", status=404, times=None)
    bad = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse", words="Invalid SKU: MUG-01", status=500, order=bad, times=None)
    good = world.sandbox.place_order()

    world.run_until_settled()

    assert world.states() == {bad: "rejected", good: "submitted"}
    assert world.order(bad).state_reason == "Invalid SKU: MUG-01"


def test_unconfirmed_order_does_not_delay_other_orders(world: World) -> None:
    unconfirmed = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "cut_after", order=unconfirmed)
    world.sandbox.fault("status", "html", times=None)
    world.submit()
    assert world.order(unconfirmed).state is OrderState.UNCONFIRMED

    world.clock.forward(minutes=2)
    others = world.sandbox.place_orders(count=5, template={"created_at": f"{world.clock():%Y-%m-%dT%H:%M:%SZ}"})
    world.poll()
    world.submit()

    assert world.states() == {unconfirmed: "unconfirmed", **dict.fromkeys(others, "submitted")}
    world.sandbox.clear_faults()
    world.clock.forward(hours=2)
    world.submit()
    assert world.order(unconfirmed).state is OrderState.SUBMITTED
    assert world.sandbox.accepted() == dict.fromkeys([unconfirmed, *others], 1)


def test_duplicate_number_that_the_warehouse_does_not_know_is_rejected(world: World) -> None:
    number = world.sandbox.place_order()
    words = "OrderNumber has already been used"
    world.sandbox.fault("submit", "refuse", words=words, times=None)
    world.run_until_settled(turns=12)

    order = world.order(number)
    assert (order.state, order.state_reason) == (OrderState.REJECTED, words)
    assert len(world.attempts(number, AttemptKind.SUBMIT)) <= 5


def test_duplicate_error_that_names_the_merchant_is_not_a_credentials_error(world: World) -> None:
    number = world.sandbox.place_order()
    others = world.sandbox.place_orders(count=3)
    words = f"Duplicate OrderNumber {number} for MerchantId {MERCHANT}"
    world.sandbox.fault("submit", "refuse", words=words, order=number, times=1)
    world.poll()
    world.submit()

    assert world.merchant().credentials_refused_at is None
    assert {world.states()[one] for one in others} == {"submitted"}
    world.run_until_settled()
    assert world.sandbox.accepted() == dict.fromkeys([number, *others], 1)


def test_order_of_a_dead_worker_is_sent_if_the_warehouse_does_not_have_it(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    sent_at = world.clock()
    with world.session() as session:
        order = session.scalars(select(Order)).one()
        order.state, order.claim, order.next_attempt_at = OrderState.SUBMITTING, "a dead worker's lease", None
        attempt = Attempt(merchant_id=MERCHANT, order_id=order.id, kind=AttemptKind.SUBMIT, trigger=Trigger.SCHEDULE)
        attempt.started_at, attempt.outcome = sent_at, AttemptOutcome.OPEN
        session.add(attempt)
        session.commit()

    world.clock.forward(seconds=31)
    world.submit()
    assert world.sandbox.posted() == {}, "nobody knows when the dead worker's request left: it may have just arrived"
    world.clock.forward(seconds=31)
    world.submit()

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.posted() == {number: 1}


@pytest.mark.parametrize("kind", ["order_adjustment/shipping", "order_adjustments/base", "order_adjustments/delivery"])
def test_pickup_order_is_recognized_whatever_its_label_type(world: World, kind: str) -> None:
    number = world.sandbox.place_order(labels=["Collect from our studio"], label_type=kind)
    world.run()

    assert world.reasons(number) == {"local_pickup"}


def test_status_check_records_only_its_own_part_of_the_answer(world: World) -> None:
    numbers = world.sandbox.place_orders(count=3)
    world.run()
    world.sandbox.ship_all()
    world.clock.forward(minutes=10)
    world.track()

    for number in numbers:
        (check,) = [one for one in world.attempts(number, AttemptKind.STATUS) if "shipped the order" in one.explanation]
        assert number in check.request
        assert "Completed" in check.answer
        assert not any(other in check.answer for other in numbers if other != number)


def test_rejection_that_only_sounds_like_a_duplicate_is_a_rejection(world: World) -> None:
    """Without a status call, nothing can confirm a duplicate, so the order shows as rejected."""
    number = world.sandbox.place_order()
    world.sandbox.fault("status", "status", status=404, times=None)
    words = "Order not accepted: the requested ship date has already passed."
    world.sandbox.fault("submit", "refuse", words=words, times=None)
    world.run_until_settled()

    order = world.order(number)
    assert (order.state, order.state_reason) == (OrderState.REJECTED, words)


@pytest.mark.parametrize("has_status_call", [True, False])
@pytest.mark.parametrize("words", ["Failed to send confirmation e-mail", "Timeout while reserving items"])
def test_server_error_after_the_order_was_accepted_is_not_a_rejection(
    world: World, words: str, *, has_status_call: bool
) -> None:
    if not has_status_call:
        world.sandbox.fault("status", "status", status=404, times=None)
        world.sandbox.fault("submit", "refuse", words=words, status=500, times=1)
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse", words=words, status=500, takes_effect=True, times=1)
    world.run_until_settled()

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.accepted() == {number: 1}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"shipping_status": "shipped"}, OrderState.CLOSED),
        ({"payment_status": "refunded"}, OrderState.HELD),
        ({"shipping_address_1": "9 New Street"}, OrderState.SUBMITTED),
    ],
    ids=["marked as shipped", "refunded", "new address"],
)
def test_changes_made_while_awaiting_confirmation_are_applied(
    world: World, change: dict[str, Any], state: OrderState
) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=1)
    world.sandbox.fault("status", "html", times=None)
    world.submit()
    assert world.order(number).state is OrderState.UNCONFIRMED

    world.sandbox.edit_order(number, **change)
    world.clock.forward(minutes=2)
    world.poll()
    world.sandbox.clear_faults()
    for _ in range(3):
        world.clock.forward(hours=1)
        world.submit()

    assert world.order(number).state is state
    address = world.sandbox.received().get(number, {}).get("address", {})
    assert address.get("Address1") in {None, "9 New Street"}


@pytest.mark.parametrize("status", [403, 405, 410, 501])
def test_other_statuses_also_mean_there_is_no_status_call(world: World, status: int) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "cut_after", times=1)
    world.sandbox.fault("status", "status", status=status, times=None)
    world.submit()
    world.clock.forward(minutes=2)
    world.submit()

    assert world.merchant().credentials_refused_at is None
    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.accepted() == {number: 1}


@pytest.mark.parametrize("words", ["System under maintenance, please try again later", "login service unavailable"])
def test_passing_failure_rejects_neither_the_order_nor_the_credentials(world: World, words: str) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse", words=words, times=1)
    world.poll()
    world.submit()

    (attempt,) = world.attempts(number, AttemptKind.SUBMIT)
    assert (attempt.outcome, attempt.words) == (AttemptOutcome.UNKNOWN, words)
    assert "busy or unavailable" in attempt.explanation
    assert world.merchant().credentials_refused_at is None
    world.run_until_settled()
    assert world.states() == {number: "submitted"}
    assert world.sandbox.accepted() == {number: 1}
