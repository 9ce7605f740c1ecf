"""Different answers that arrive together are each recorded correctly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.clients.errors import NotSent, Unauthorized
from portal.engine.fan_out import Done
from portal.engine.leases import LeaseKind, leased
from portal.fulfillment.clients import fcp_for
from portal.fulfillment.run_context import RunContext
from portal.fulfillment.submit.context import Submission
from portal.fulfillment.submit.drain import Drain
from portal.fulfillment.warehouse import Warehouse
from portal.models import Merchant

if TYPE_CHECKING:
    from portal.clients.fcp import Accepted
    from portal.fulfillment.submit.claim import Sending
    from tests.fulfillment.world import World


@pytest.mark.parametrize("is_rejected_first", [True, False])
def test_rejected_credentials_and_a_failed_connection_are_recorded_separately(
    world: World, *, is_rejected_first: bool
) -> None:
    lost, rejected = world.sandbox.place_orders(count=2)
    world.poll()
    with world.session() as session, leased(session, LeaseKind.SUBMIT.of(816)) as lease:
        merchant = session.get_one(Merchant, 816)
        fcp = fcp_for(session, merchant, world.settings, now=world.clock())
        warehouse = Warehouse(session, merchant, fcp, world.settings, world.clock, host_fails=False)
        drain = Drain(Submission(session, warehouse, lease, RunContext(clock=world.clock), world.settings), None)
        sendings = {sending.parcel.order.number: sending for sending in drain.take(2)}
        session.commit()
        world.sandbox.put_merchant("816", name="Example Shop", token="another token")
        answers: list[Done[Sending, Accepted]] = [
            Done(sendings[lost], None, NotSent("Connection refused.", service="The warehouse")),
            Done(sendings[rejected], None, Unauthorized("Bad token.", service="The warehouse")),
        ]
        drain.record(answers[::-1] if is_rejected_first else answers)
        session.commit()
    assert world.states() == {lost: "ready", rejected: "ready"}
    assert (world.order(lost).failures, world.order(rejected).failures) == (0, 0)
    assert world.merchant().credentials_refused_at is not None
