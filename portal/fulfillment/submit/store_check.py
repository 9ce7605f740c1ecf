"""Look at orders in their stores before sending them again: each may have been deleted or shipped in the meantime."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clients.bigcartel import as_stored, read_order
from portal.clients.errors import NotFound, NotSent, ServiceError, Unauthorized
from portal.fulfillment import hosts
from portal.fulfillment.big_cartel import is_big_cartel_failing
from portal.fulfillment.clients import BlockedError, bigcartel_for
from portal.models import ClosedBecause, HostName, Store
from portal.wording.states import GONE_FROM_BIG_CARTEL, MARKED_IN_BIG_CARTEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.clients.bigcartel import BigCartel
    from portal.fulfillment.submit.context import Submission
    from portal.fulfillment.submit.stored_order import StoredOrder

log = logging.getLogger(__name__)

MAX_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What the store says about an order: its current document, why it must be closed, or neither if we don't know."""

    document: str = ""
    closes: tuple[str, ClosedBecause] | None = None

    @property
    def is_unknown(self) -> bool:
        return not self.document and self.closes is None


def check_stores(submission: Submission, orders: Sequence[StoredOrder]) -> dict[int, Finding]:
    """Read each order from Big Cartel, one call each; return what was found by order id. A failed call never raises.

    Makes no call while Big Cartel fails for everyone, unless a person started the run. Commits before the calls, so no
    transaction stays open during them.
    """
    session, settings = submission.session, submission.settings
    found: dict[int, Finding] = {order.id: Finding() for order in orders}
    if not submission.context.by_person and hosts.failing(session, HostName.BIG_CARTEL) is not None:
        session.commit()
        return found
    by_store: dict[int, list[StoredOrder]] = defaultdict(list)
    for order in orders:
        by_store[order.store_id].append(order)
    for store_id, some in by_store.items():
        store = session.get_one(Store, store_id, populate_existing=True)
        session.commit()
        try:
            # One that gives up within seconds: other orders wait for this.
            bigcartel = bigcartel_for(store, settings, interactive=True)
        except BlockedError as error:
            log.warning("submit.store_not_checked", extra={"store": store_id, "error": str(error)})
            continue
        failure = _check_store(bigcartel, some, found)
        if failure is not None:
            is_big_cartel_failing(session, store, settings, failure, submission.context.clock)
    return found


def _check_store(bigcartel: BigCartel, orders: Iterable[StoredOrder], found: dict[int, Finding]) -> ServiceError | None:
    """Read one store's orders into ``found``. Return what ended it early: no connection, or several failures."""
    failures = 0
    for order in orders:
        try:
            found[order.id] = _check(bigcartel, order.number)
            failures = 0
        except ServiceError as error:
            failures += 1
            log.warning("submit.store_not_checked", extra={"store": order.store_id, "error": str(error)})
            if failures >= MAX_FAILURES or isinstance(error, NotSent | Unauthorized):
                return error
    return None


def _check(bigcartel: BigCartel, number: str) -> Finding:
    try:
        document = bigcartel.order(number)
    except NotFound:
        return Finding(closes=(GONE_FROM_BIG_CARTEL, ClosedBecause.GONE))
    if read_order(document).shipping_status == "shipped":
        return Finding(closes=(MARKED_IN_BIG_CARTEL, ClosedBecause.MARKED))
    return Finding(as_stored(document))
