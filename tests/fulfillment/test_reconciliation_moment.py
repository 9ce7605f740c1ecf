"""The time of a sweep: an order marked in Big Cartel before it should not be listed; one marked later may be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from portal.clients.bigcartel import BigCartel
from portal.fulfillment.clients import fcp_for
from portal.fulfillment.poll.reconciliation import reconcile
from portal.models import Merchant, Order, OrderState, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fulfillment.world import World

MOMENT = timedelta(microseconds=1)


def _shipped(world: World) -> str:
    """Return the number of an order that the warehouse has shipped."""
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    return number


@pytest.mark.parametrize("is_asked", [True, False], ids=["live statuses", "last known statuses"])
@pytest.mark.parametrize(
    ("marked_after", "is_unaccounted_for"),
    [
        (-timedelta(hours=1), True),
        (-MOMENT, True),
        (timedelta(), False),
        (MOMENT, False),
        (timedelta(hours=1), False),
    ],
)
def test_order_marked_before_the_sweep_but_still_listed_is_unaccounted_for(
    world: World, marked_after: timedelta, *, is_unaccounted_for: bool, is_asked: bool
) -> None:
    number, swept_at = _shipped(world), world.clock()
    world.run()
    store_id = world.store().id
    with world.session() as session:
        session.execute(update(Order).values(completed_at=swept_at + marked_after))
        session.commit()
        store = session.get_one(Store, store_id)
        fcp = (
            fcp_for(session, session.get_one(Merchant, store.merchant_id), world.settings, now=world.clock())
            if is_asked
            else None
        )
        found = reconcile(session, store, [number], fcp, swept_at=swept_at, now=world.clock())

    assert world.order(number).state is OrderState.COMPLETED
    assert found.not_told == ([number] if is_unaccounted_for else [])
    assert found.being_told == (0 if is_unaccounted_for else 1)
    assert found.matches is not is_unaccounted_for
    assert found.warehouse_asked is is_asked
    assert world.store().reconciliation == {**(world.store().reconciliation or {}), "at": swept_at.isoformat()}


def test_order_marked_while_the_list_is_read_is_accounted_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = _shipped(world)
    world.clock.forward(minutes=61)
    real = BigCartel.order_pages

    def slowly(self: BigCartel, **options: Any) -> Iterator[Any]:
        yield from list(real(self, **options))
        world.track()

    monkeypatch.setattr(BigCartel, "order_pages", slowly)
    swept = world.poll()

    assert swept.swept
    assert world.order(number).state is OrderState.COMPLETED
    found = world.store().reconciliation
    assert found is not None
    assert (found["not_told"], found["being_told"]) == ([], 1)
