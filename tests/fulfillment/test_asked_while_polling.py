"""A poll or a sweep that is asked for while a store is being polled: neither lost, nor repeated for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.fulfillment.poll import recount, run
from portal.fulfillment.poll.late import LateOrders, look_for_late
from portal.fulfillment.store_events import is_due_again, poll_soon
from tests.fulfillment.world import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from portal.fulfillment.poll.context import Poll
    from portal.fulfillment.poll.read import Listed
    from tests.fulfillment.world import World


def _during_polls(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    def meanwhile(poll: Poll, changed: Sequence[Listed]) -> LateOrders:
        poll.session.commit()
        happens()
        return look_for_late(poll, changed)

    monkeypatch.setattr(run, "look_for_late", meanwhile)


def test_webhooks_during_every_sweep_cause_polls_but_no_more_sweeps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def webhook() -> None:
        with world.session() as session:
            poll_soon(session, ACCOUNT, world.clock())

    _during_polls(monkeypatch, webhook)
    world.sandbox.place_order()

    swept = []
    for _ in range(3):
        swept.append(world.poll().swept)
        with world.session() as session:
            assert is_due_again(session, world.store().id, world.clock())
        world.clock.forward(seconds=5)

    assert swept == [True, False, False]


def test_sweep_asked_for_during_a_sweep_follows_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store_id = world.store().id

    def ask() -> None:
        with world.session() as session:
            recount.ask(session, [store_id], world.clock())
            session.commit()

    world.sandbox.place_order()
    with monkeypatch.context() as patched:
        _during_polls(patched, ask)
        assert world.poll().swept

    world.clock.forward(seconds=5)
    assert world.poll().swept
    world.clock.forward(seconds=5)
    assert not world.poll().swept


def test_order_seen_late_shows_its_holds_if_the_warehouse_has_no_status_call(world: World) -> None:
    first = world.sandbox.place_order()
    world.run()
    world.sandbox.fault("status", "status", status=404, times=None)
    late = world.sandbox.place_order(
        payment_status="unpaid", created_at=f"{world.order(first).placed_at:%Y-%m-%dT%H:%M:%S}Z"
    )

    world.sweep()

    assert world.states()[late] == "held"
    assert world.reasons(late)
