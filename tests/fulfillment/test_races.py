"""People and workers changing the same things at the same time."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.actions.stores import connect_store, disconnect_store
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.engine.leases import HeldLease
from portal.fulfillment.due import due
from portal.models import Attempt, AttemptKind, AttemptOutcome, Merchant, OrderState, Store
from tests.fulfillment.people import enter_token, replace_token
from tests.fulfillment.world import ACCOUNT, MERCHANT

if TYPE_CHECKING:
    from tests.fulfillment.world import World


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


def test_pause_stops_everything_but_calls_in_flight(world: World, during_submission: Any) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    world.sandbox.place_orders(count=30)
    world.poll()
    sent = during_submission(3, lambda: world.change_merchant(paused=True))

    world.submit()

    assert len(sent) <= 4
    assert sorted(world.states().values()) == ["held"] * (30 - len(sent)) + ["submitted"] * len(sent)


def test_setting_corrected_during_a_run_leaves_no_order_on_hold(world: World, during_submission: Any) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    world.sandbox.place_orders(count=6)
    abroad = world.sandbox.place_order(country="DE")
    world.poll()
    world.change_merchant(international_service="")
    during_submission(2, lambda: world.change_merchant(international_service="EPGEPACKT"))

    world.submit()
    world.clock.forward(minutes=1)
    world.run()

    assert world.order(abroad).state is OrderState.SUBMITTED


def test_worker_with_old_credentials_does_not_stop_new_ones(world: World, during_submission: Any) -> None:
    numbers = world.sandbox.place_orders(count=3)
    world.poll()
    during_submission(1, lambda: replace_token(world))

    world.submit()
    assert world.merchant().credentials_refused_at is None
    world.submit()

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_new_credentials_end_a_stop_set_while_they_were_checked(world: World) -> None:
    with world.session() as session:
        session.get_one(Merchant, MERCHANT)
        session.commit()
        world.change_merchant(credentials_refused_at=world.clock())
        enter_token(world, session)

    assert world.merchant().credentials_refused_at is None


@pytest.mark.parametrize("is_reconnected", [True, False])
def test_poll_does_not_undo_what_a_person_did_meanwhile(
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


def test_poll_requested_during_a_poll_is_due_right_after(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merchant who saves something during a poll does not wait for a whole poll interval."""
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
def test_failed_lookup_of_one_order_does_not_delay_others(world: World, status: int) -> None:
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


def test_worker_that_dies_while_settling_by_number_leaves_no_attempt_open(
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
    """The worker process died."""


def _dies(*_: Any, **__: Any) -> None:
    raise _DiedError


def test_settling_with_old_credentials_does_not_stop_new_ones(world: World, during_submission: Any) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=4)
    world.poll()
    world.sandbox.fault("submit", "cut_after", order=numbers[0])
    during_submission(2, lambda: replace_token(world))

    world.submit()

    assert world.merchant().credentials_refused_at is None
    world.run_until_settled()
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_run_that_sleeps_past_its_lease_sends_nothing_more(world: World, during_submission: Any) -> None:
    """This happens when a machine is suspended: another worker has taken over, and settings may have changed."""
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=6)
    world.poll()

    def expire_lease() -> None:
        for one in gc.get_objects():
            if isinstance(one, HeldLease):
                one.until = datetime.now(UTC)

    sent = during_submission(2, expire_lease)
    world.submit()

    assert len(sent) == 2
    world.run_until_settled()
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
