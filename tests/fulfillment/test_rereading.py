"""Re-reading orders before a retry keeps no transaction open, whatever state another store is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.clients.bigcartel import BigCartel
from portal.fulfillment.reread import reread_orders
from portal.fulfillment.run_context import RunContext
from portal.models import Order

if TYPE_CHECKING:
    from tests.fulfillment.world import World

OTHER_ACCOUNT = "1000007"


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("is_connected", [False, True], ids=["disconnected", "undecryptable token"])
def test_no_transaction_is_open_while_orders_are_reread(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_connected: bool
) -> None:
    numbers = world.sandbox.place_orders(count=3)
    for number in numbers:
        world.sandbox.fault("submit", "refuse", order=number)
    world.run()
    other = world.add_store(OTHER_ACCOUNT, sealed_token="not decryptable" if is_connected else "")
    was_open = []
    real = BigCartel.order

    def order(self: BigCartel, number: str) -> Any:
        was_open.append(session.in_transaction())
        return real(self, number)

    monkeypatch.setattr(BigCartel, "order", order)
    with world.session() as session:
        first = session.scalars(select(Order).where(Order.number == numbers[0])).one()
        first.store_id = other
        session.commit()
        orders = session.scalars(select(Order).order_by(Order.id)).all()
        fresh = reread_orders(session, orders, world.settings, RunContext(clock=world.clock))
        assert fresh == {one.id for one in orders if one.store_id != other}
    assert was_open == [False, False]
