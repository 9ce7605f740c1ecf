"""Orders that the warehouse rejected, grouped by the cause that its words name."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.clients.bigcartel import read_stored
from portal.fulfillment.order_edits import read_edits
from portal.incidents.finding import Finding
from portal.models import IncidentKind, Order, OrderState, Store
from portal.rules.rejection_causes import Cause, cause_of, personal_values
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene
    from portal.models import StoredLine

MAX_READ = 200
"""Orders whose buyer's data is read in one look, to keep it out of titles: one for each message that differs."""
_UNREAD = Cause("other", "")
"""Where there are more messages than that, the rest are one group, without the words."""


class _Rejected(NamedTuple):
    id: int
    merchant_id: int
    number: str
    words: str
    at: datetime
    lines: list[StoredLine]

    def cause(self, personal: Collection[str] = ()) -> Cause:
        skus = [line["sku"] for line in self.lines if line["sku"]]
        return cause_of(self.words, number=self.number, skus=skus, personal=personal)


def find(session: Session, _scene: Scene) -> Iterator[Finding]:
    query = (
        select(Order.id, Order.merchant_id, Order.number, Order.state_reason, Order.state_changed_at, Order.lines)
        .join(Store, Store.id == Order.store_id)
        .where(Order.state == OrderState.REJECTED, Store.live)
        .order_by(Order.id)
    )
    rejected = [_Rejected._make(row) for row in session.execute(query)]
    if not rejected:
        return
    by_message: dict[Cause, list[_Rejected]] = defaultdict(list)
    for order in rejected:
        by_message[order.cause()].append(order)
    causes = _causes(session, by_message)
    groups: dict[tuple[int, str], list[_Rejected]] = defaultdict(list)
    shown: dict[str, Cause] = {}
    for message, orders in by_message.items():
        cause = causes[message]
        shown.setdefault(cause.key, cause)
        for order in orders:
            groups[order.merchant_id, cause.key].append(order)
    for (merchant_id, key), orders in groups.items():
        orders.sort(key=lambda order: order.id)
        title, explanation = wording.orders_rejected(len(orders), shown[key])
        yield Finding(
            kind=IncidentKind.ORDERS_REJECTED,
            merchant_id=merchant_id,
            cause=key,
            title=title,
            explanation=explanation,
            since=min(order.at for order in orders),
            orders=len(orders),
            order_numbers=[order.number for order in orders],
        )


def _causes(session: Session, by_message: Mapping[Cause, list[_Rejected]]) -> Mapping[Cause, Cause]:
    """Return each message's cause without the buyer's data that it repeats, so that such messages are one cause.

    One order's data says what a message repeats: every order of the same message has the same words.
    """
    readable = {message: orders[0] for message, orders in list(by_message.items())[:MAX_READ]}
    query = select(Order.id, Order.document, Order.edits).where(Order.id.in_([order.id for order in readable.values()]))
    rows = {row.id: row for row in session.execute(query)}
    found = dict.fromkeys(by_message, _UNREAD)
    for message, order in readable.items():
        row = rows.get(order.id)
        if row is None or not row.document:
            continue
        values = personal_values(read_stored(row.document).address)
        if edit := read_edits(row.edits).address:
            values += personal_values(edit.address)
        found[message] = order.cause(values)
    return found
