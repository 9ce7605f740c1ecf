"""People and workers at the same thing at the same time, and what only a person can mend afterwards."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.actions import orders
from portal.actions.merchants import save_merchant
from portal.actions.orders import Action
from portal.actions.stores import connect_store, disconnect_store
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.engine.leases import HeldLease
from portal.fulfillment.due import due
from portal.fulfillment.reread import reread_orders
from portal.fulfillment.run_context import RunContext
from portal.models import Attempt, AttemptKind, AttemptOutcome, Merchant, Order, OrderState, SkuOverride, Store
from portal.reports.attention import troubles
from tests.fulfillment.world import ACCOUNT, BIGCARTEL_TOKEN, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.fulfillment.world import World


@pytest.fixture
def at_submission(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], list[str]]:
    """Have something happen while the n-th submission is out; gives the numbers that were submitted."""

    def arrange(which: int, happen: Callable[[], None]) -> list[str]:
        real, sent = Fcp.submit, []

        def submit(self: Fcp, order: Any, *, test: bool = False) -> Any:
            sent.append(order.order_number)
            if len(sent) == which:
                happen()
            return real(self, order, test=test)

        monkeypatch.setattr(Fcp, "submit", submit)
        return sent

    return arrange


def _enter_token(world: World, session: Session) -> None:
    save_merchant(
        session,
        MERCHANT,
        name="Example Shop",
        token="new",
        settings=world.settings,
        now=world.clock(),
        actor="owner",
    )


def _new_token(world: World) -> None:
    """The merchant has got a new token at the warehouse, and enters it."""
    world.sandbox.put_merchant(str(MERCHANT), name="Example Shop", token="new")
    with world.session() as session:
        _enter_token(world, session)


def _connect(world: World, token: str) -> None:
    world.sandbox.put_account(ACCOUNT, tokens=[token])
    with world.session() as session:
        connect_store(
            session,
            MERCHANT,
            account_id=ACCOUNT,
            token=token,
            settings=world.settings,
            now=world.clock(),
            actor="owner",
        )


def _disconnect(world: World) -> None:
    with world.session() as session:
        store = session.scalars(select(Store)).one()
        disconnect_store(session, store, settings=world.settings, now=world.clock(), actor="owner")


def test_a_pause_stops_at_once_but_for_what_is_out(world: World, at_submission: Any) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    world.sandbox.place_orders(count=30)
    world.poll()
    sent = at_submission(3, lambda: world.change_merchant(paused=True))

    world.submit()

    assert len(sent) <= 4
    assert sorted(world.states().values()) == ["held"] * (30 - len(sent)) + ["submitted"] * len(sent)


def test_a_slip_that_is_mended_during_a_run_holds_nothing_for_good(world: World, at_submission: Any) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    world.sandbox.place_orders(count=6)
    abroad = world.sandbox.place_order(country="DE")
    world.poll()
    world.change_merchant(international_service="")
    at_submission(2, lambda: world.change_merchant(international_service="EPGEPACKT"))

    world.submit()
    world.clock.forward(minutes=1)
    world.run()

    assert world.order(abroad).state is OrderState.SUBMITTED


def test_new_credentials_are_not_stopped_by_a_worker_that_holds_the_old_ones(world: World, at_submission: Any) -> None:
    numbers = world.sandbox.place_orders(count=3)
    world.poll()
    at_submission(1, lambda: _new_token(world))

    world.submit()
    assert world.merchant().credentials_refused_at is None
    world.submit()

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_new_credentials_end_a_stop_that_came_while_they_were_checked(world: World) -> None:
    with world.session() as session:
        session.get_one(Merchant, MERCHANT)
        session.commit()
        world.change_merchant(credentials_refused_at=world.clock())
        _enter_token(world, session)

    assert world.merchant().credentials_refused_at is None


def test_a_retry_on_the_page_sends_what_the_description_says_now(world: World) -> None:
    """Refused for one reason; the merchant mends the SKU, too, and the goods that go are those."""
    world.sandbox.fault("submit", "refuse", words="Invalid ShippingMethod", times=1)
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.patch_product("1", description="A plain mug.\n\nSKU:MUG-NEW")
    world.clock.forward(minutes=6)
    world.poll()
    with world.session() as session:
        order = session.scalars(select(Order)).one()
        fresh = reread_orders(session, [order], world.settings, RunContext(clock=world.clock))
        done = orders.act(
            session,
            order,
            Action.RETRY,
            is_fresh=order.id in fresh,
            actor="owner",
            reason="",
            now=world.clock(),
        )
    assert done.done, done.sentence
    world.submit()

    assert world.sandbox.received()[number]["items"] == [{"sku": "MUG-NEW", "quantity": 1}]


@pytest.mark.parametrize("is_reconnected", [True, False])
def test_what_a_person_did_with_the_store_during_a_poll_stands(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_reconnected: bool
) -> None:
    real = BigCartel.order_pages

    def order_pages(self: BigCartel, **how: Any) -> Any:
        if is_reconnected:
            _connect(world, "fresh-token")
        for page in real(self, **how):
            if not is_reconnected:
                _disconnect(world)
            yield page

    monkeypatch.setattr(BigCartel, "order_pages", order_pages)
    world.sandbox.place_order()
    world.poll()
    monkeypatch.undo()
    world.clock.forward(minutes=5)

    store = world.store()
    assert store.reconnect_needed_at is None
    with world.session() as session:
        assert (store.id in due(session, track_seconds=60, now=world.clock()).polls) == is_reconnected
    assert (world.poll().problem == "") == is_reconnected
    assert (world.store().next_poll_at is not None) == is_reconnected


def test_a_poll_that_is_asked_for_during_a_poll_comes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merchant who saves something while a poll is under way does not wait for a whole turn."""
    real = BigCartel.order_pages

    def order_pages(self: BigCartel, **how: Any) -> Any:
        world.change_store(next_poll_at=world.clock())
        return real(self, **how)

    monkeypatch.setattr(BigCartel, "order_pages", order_pages)
    world.poll()
    monkeypatch.undo()

    store_id = world.store().id
    with world.session() as session:
        assert due(session, track_seconds=60, now=world.clock()).polls == [store_id]


@pytest.mark.parametrize("status", [500, 410, 403])
def test_one_order_that_cannot_be_looked_up_holds_up_no_other(world: World, status: int) -> None:
    world.sandbox.put_product("9", name="Bare", description="no marker")
    odd = world.sandbox.place_order(items=[{"product": "9"}])
    world.poll()
    world.sandbox.cancel_order(odd)
    world.sandbox.fault("order", "status", status=status, order=odd, times=None)
    new = world.sandbox.place_order()

    swept = world.sweep()
    world.submit()

    assert swept.problem == ""
    assert world.states() == {odd: "held", new: "submitted"}
    assert world.store().reconnect_needed_at is None


def _given_up(world: World) -> str:
    """An order that the warehouse has shipped, of which Big Cartel could not be told for 72 hours."""
    number: str = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.sandbox.fault("patch", "status", status=402, times=None)
    while (order := world.order(number)).state is not OrderState.SHIPPED or order.next_attempt_at is not None:
        world.clock.forward(minutes=61)
        world.track()
    world.sandbox.clear_faults()
    return number


def test_an_order_that_a_person_set_to_shipped_is_done(world: World) -> None:
    number = _given_up(world)
    world.sandbox.ship_at_bigcartel(number)
    world.poll()

    assert world.order(number).state is OrderState.COMPLETED


def test_big_cartel_is_told_once_more_when_a_person_asks(world: World) -> None:
    number = _given_up(world)

    assert world.cli("orders", "retry", number).exit_code == 0
    world.track()

    assert world.order(number).state is OrderState.COMPLETED
    assert world.sandbox.shipping_statuses(ACCOUNT)[number] == "shipped"


def test_an_order_that_the_warehouse_lost_is_sent_again_when_a_person_asks(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.forget(number)
    world.clock.forward(minutes=10)
    world.track()
    assert "does not know it any more" in world.cli("orders", "show", number).output

    assert world.cli("orders", "retry", number).exit_code == 0
    assert world.order(number).state is OrderState.UNCONFIRMED
    world.submit()
    world.clock.forward(minutes=2)
    world.submit()

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.accepted() == {number: 2}, "once before it was lost, once after"


def test_an_order_that_only_seemed_lost_is_not_sent_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    with world.session() as session:
        session.scalars(select(Order)).one().fcp_missing_since = world.clock()
        session.commit()

    assert world.cli("orders", "retry", number).exit_code == 0
    world.submit()

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.posted() == {number: 1}


def test_an_order_that_the_warehouse_lost_can_be_closed(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.forget(number)
    world.track()

    assert world.cli("orders", "close", number, "--reason", "sent by hand").exit_code == 0
    assert world.order(number).state is OrderState.CLOSED


def test_a_warehouse_that_says_nothing_of_shipments_is_a_trouble_that_shows(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.submit()
    world.sandbox.fault("status", "status", status=404, times=None)
    world.track()

    shown = troubles(world.merchant(), [world.store()], world.clock())
    assert ["nothing is set to shipped" in trouble.sentence for trouble in shown] == [True]

    world.sandbox.clear_faults()
    world.sandbox.ship_all()
    world.clock.forward(minutes=10)
    world.track()
    assert troubles(world.merchant(), [world.store()], world.clock()) == []
    assert world.order(number).state is OrderState.COMPLETED


def test_days_in_which_nothing_was_tried_do_not_count(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "throttle", times=1)
    world.submit()
    world.clock.forward(days=4)
    _new_token(world)
    world.sandbox.fault("submit", "throttle", times=1)
    world.submit()

    order = world.order(number)
    assert (order.state, order.failures) == (OrderState.READY, 1)
    assert order.next_attempt_at is not None


def test_a_warehouse_that_asks_to_wait_time_and_again_is_left_alone_for_longer(world: World) -> None:
    world.sandbox.place_orders(count=8)
    world.poll()
    world.sandbox.fault("submit", "throttle", retry_after="0", times=None)
    for _ in range(60):
        world.clock.forward(seconds=5)
        world.submit()

    assert sum(world.sandbox.posted().values()) <= 6


def test_a_worker_that_dies_while_it_settles_by_number_leaves_no_attempt_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "cut_after", times=1)
    world.sandbox.fault("status", "status", status=500, times=1)
    world.submit()
    real = Fcp.submit
    monkeypatch.setattr(Fcp, "submit", _dies)
    world.clock.forward(minutes=2)
    world.sandbox.fault("status", "status", status=404, times=1)
    with pytest.raises(_DiedError):
        world.submit()
    monkeypatch.setattr(Fcp, "submit", real)
    world.clock.forward(hours=2)
    world.submit()

    assert world.order(number).state is OrderState.SUBMITTED
    with world.session() as session:
        still_open = session.scalars(select(Attempt.kind).where(Attempt.outcome == AttemptOutcome.OPEN)).all()
    assert still_open == []
    assert AttemptOutcome.INTERRUPTED in {one.outcome for one in world.attempts(number, AttemptKind.SUBMIT)}


class _DiedError(BaseException):
    """The process is gone."""


def _dies(*_: Any, **__: Any) -> None:
    raise _DiedError


def test_connecting_a_live_store_again_goes_on_where_it_stopped(world: World) -> None:
    world.change_store(starts_at=world.clock())
    world.clock.forward(hours=5)
    number = world.sandbox.place_order(completed_at=world.clock().isoformat())
    world.clock.forward(hours=1)
    again = ("stores", "connect", "--merchant-id", str(MERCHANT), "--account-id", ACCOUNT, "--token-stdin")

    for start in ((), ("--start", "new")):
        result = world.cli(*again, *start, stdin=f"{BIGCARTEL_TOKEN}-{ACCOUNT}\n")
        assert result.exit_code == 0, result.output
    world.run()

    assert world.states() == {number: "submitted"}


def test_a_store_that_is_new_does_not_go_live_without_a_choice(world: World) -> None:
    result = world.cli(
        *("stores", "connect", "--merchant-id", str(MERCHANT), "--account-id", "1000009", "--token-stdin"), stdin="t\n"
    )

    assert result.exit_code == 1
    assert "Say which orders are to be sent" in result.output


def test_an_order_of_which_nobody_was_told_is_not_done(world: World) -> None:
    number = _given_up(world)
    world.sandbox.cancel_order(number)
    world.sweep()

    assert world.order(number).state is OrderState.SHIPPED


def test_new_credentials_stand_although_a_run_settles_with_the_old_ones(world: World, at_submission: Any) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=4)
    world.poll()
    world.sandbox.fault("submit", "cut_after", order=numbers[0])
    at_submission(2, lambda: _new_token(world))

    world.submit()

    assert world.merchant().credentials_refused_at is None
    world.run_until_settled()
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


@pytest.mark.parametrize("is_lost", [True, False])
def test_what_big_cartel_shows_as_shipped_is_not_sent_again(world: World, *, is_lost: bool) -> None:
    number = world.sandbox.place_order()
    if is_lost:
        world.run()
        world.sandbox.forget(number)
        world.clock.forward(minutes=10)
        world.track()
    else:
        world.poll()
        world.cli("orders", "close", number, "--reason", "sent by hand")
    world.sandbox.ship_at_bigcartel(number)

    result = world.cli("orders", "retry", number)

    assert result.exit_code == 1
    assert "Big Cartel shows it as shipped" in result.output
    world.run_until_settled()
    assert world.sandbox.posted() == ({number: 1} if is_lost else {})


def test_a_sku_set_by_hand_needs_no_description(world: World) -> None:
    world.sandbox.fault("submit", "refuse", words="Invalid SKU", times=1)
    number = world.sandbox.place_order()
    world.run()
    with world.session() as session:
        store = session.scalars(select(Store)).one()
        session.add(
            SkuOverride(
                store_id=store.id, product_id="1", option_id="", sku="BY-HAND", set_by="owner", set_at=world.clock()
            )
        )
        store.products_changed_at = world.clock()
        session.commit()
    world.sandbox.fault("product", "status", status=403, times=None)
    world.sandbox.fault("products", "status", status=403, times=None)

    retried = world.cli("orders", "retry", number)
    world.submit()

    assert retried.exit_code == 0, retried.output
    assert world.sandbox.received()[number]["items"] == [{"sku": "BY-HAND", "quantity": 1}]


def test_a_run_that_slept_past_its_turn_sends_nothing_more(world: World, at_submission: Any) -> None:
    """As when a machine is suspended: another worker has taken over, and people have decided since."""
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=6)
    world.poll()

    def sleep() -> None:
        for one in gc.get_objects():
            if isinstance(one, HeldLease):
                one.until = datetime.now(UTC)

    sent = at_submission(2, sleep)
    world.submit()

    assert len(sent) == 2
    world.run_until_settled()
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_a_retry_of_many_does_not_keep_a_person_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read in time is left as it was, and said so."""
    world.sandbox.fault("submit", "refuse", words="Invalid SKU", times=5)
    numbers = world.sandbox.place_orders(count=5)
    world.run()
    real = BigCartel.order

    def order(self: BigCartel, number: str) -> Any:
        world.clock.forward(seconds=8)
        return real(self, number)

    monkeypatch.setattr(BigCartel, "order", order)
    with world.session() as session:
        refused = session.scalars(select(Order).where(Order.number.in_(numbers))).all()
        assert len(reread_orders(session, refused, world.settings, RunContext(clock=world.clock))) == 3
