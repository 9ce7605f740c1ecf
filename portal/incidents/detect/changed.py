"""Orders that changed in Big Cartel after they were sent, until a person has seen to it or they are shipped."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.incidents.finding import Finding
from portal.models import ChangeAfterSending, Incident, IncidentKind, Order, OrderState, Store
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene
    from portal.models import StoredDifference

TOGETHER = "many"
"""The cause of the incident about many orders."""
MANY = 5
"""Orders that change at the same time are incidents of their own up to this number."""


class _Changed(NamedTuple):
    number: str
    merchant_id: int
    status: str
    at: datetime
    fields: list[StoredDifference]


def find(session: Session, _scene: Scene) -> Iterator[Finding]:
    """Yield one finding for each order, or one for all if many change at the same time.

    What was told as an incident of its own stays one, and the others stay together until the last of them is seen to:
    otherwise, incidents would close and open whenever the number passes MANY.
    """
    changed = _changed(session)
    if not changed:
        return
    known = _open_causes(session)
    for merchant_id, orders in changed.items():
        alone = {number for number in orders if f"{merchant_id}:{number}" in known}
        rest = {number: changes for number, changes in orders.items() if number not in alone}
        are_together = f"{merchant_id}:{TOGETHER}" in known or len(rest) > MANY
        for number, changes in orders.items():
            if number in alone or not are_together:
                yield _of_one(number, changes)
        if rest and are_together:
            yield _of_many(rest)


def _of_one(number: str, changes: list[_Changed]) -> Finding:
    fields = list(dict.fromkeys(one["field"] for change in changes for one in change.fields))
    title, explanation = wording.order_changed(number, fields, changes[0].status)
    return Finding(
        kind=IncidentKind.CHANGED_AFTER_SENDING,
        merchant_id=changes[0].merchant_id,
        cause=number,
        title=title,
        explanation=explanation,
        since=changes[0].at,
        subject=number,
        orders=1,
        order_numbers=[number],
    )


def _of_many(orders: Mapping[str, list[_Changed]]) -> Finding:
    title, explanation = wording.orders_changed(len(orders))
    first = next(iter(orders.values()))
    return Finding(
        kind=IncidentKind.CHANGED_AFTER_SENDING,
        merchant_id=first[0].merchant_id,
        cause=TOGETHER,
        title=title,
        explanation=explanation,
        since=min(changes[0].at for changes in orders.values()),
        orders=len(orders),
        order_numbers=list(orders),
    )


def _changed(session: Session) -> Mapping[int, dict[str, list[_Changed]]]:
    """Return the changes to orders that are still at the warehouse, by merchant and order number, oldest first."""
    query = (
        select(Order.number, Order.merchant_id, Order.fcp_status, ChangeAfterSending.at, ChangeAfterSending.fields)
        .join(Order, Order.id == ChangeAfterSending.order_id)
        .join(Store, Store.id == Order.store_id)
        .where(ChangeAfterSending.acknowledged_at.is_(None), Order.state == OrderState.SUBMITTED, Store.live)
        .order_by(ChangeAfterSending.id)
    )
    found: dict[int, dict[str, list[_Changed]]] = defaultdict(lambda: defaultdict(list))
    for change in map(_Changed._make, session.execute(query)):
        found[change.merchant_id][change.number].append(change)
    return found


def _open_causes(session: Session) -> set[str]:
    """Return "merchant:cause" of the open incidents."""
    kind = IncidentKind.CHANGED_AFTER_SENDING
    query = select(Incident.key).where(Incident.closed_at.is_(None), Incident.kind == kind)
    return {key.removeprefix(f"{kind}:") for key in session.scalars(query)}
