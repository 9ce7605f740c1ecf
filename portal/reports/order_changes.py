"""What changed about an order after it was sent, and what can still be done about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clients.cancellation import speaks_of_cancellation
from portal.clients.fcp_statuses import words_of
from portal.fulfillment.changes import differences
from portal.models import ChangeAfterSending
from portal.rules.difference import CANCELLATION, DELETED, NOT_LISTED, SHIPPED, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Order
    from portal.rules.difference import Difference

_EDITABLE = re.compile(r"(?:order )?(?:pending|new|open|(?:on )?hold|held)\b")


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """The open changes of one order as one difference. ``last_id`` is the latest change that it shows."""

    seen_at: datetime
    last_id: int
    fields: Sequence[Difference]
    advice: str


def notice(order: Order, changes: Iterable[ChangeAfterSending]) -> ChangeNotice | None:
    """Return those of the order's changes that nobody has seen to yet, None if there are none."""
    unseen = [change for change in changes if change.acknowledged_at is None]
    if not unseen:
        return None
    fields = merged(differences(unseen))
    return ChangeNotice(unseen[0].at, unseen[-1].id, fields, _advice(order, fields))


def all_changes(session: Session, order: Order) -> Sequence[ChangeAfterSending]:
    """Return every change to the order after it was sent, oldest first."""
    mine = select(ChangeAfterSending).where(ChangeAfterSending.order_id == order.id)
    return session.scalars(mine.order_by(ChangeAfterSending.id)).all()


def _advice(order: Order, fields: Sequence[Difference]) -> str:
    if any(one.field == CANCELLATION or speaks_of_cancellation(one.after) or one.after == DELETED for one in fields):
        return (
            "The warehouse still has this order. If it must not be shipped, cancel it at the warehouse; we'll close it "
            "here automatically."
        )
    if any(one.after == SHIPPED for one in fields):
        return (
            "Big Cartel shows this order as shipped, but the warehouse still has it. If you shipped it yourself, "
            "cancel it at the warehouse."
        )
    if any(one.after == NOT_LISTED for one in fields):
        return (
            "Check the order in Big Cartel. If it was canceled, cancel it at the warehouse, too; we'll close it here "
            "automatically."
        )
    allowed = "The warehouse lets you edit an order in the FCP while it is Pending or On Hold."
    if not order.fcp_status:
        return f"{allowed} We don't know its status there yet. Make the same change there, or contact the warehouse."
    if _EDITABLE.match(words_of(order.fcp_status)):
        return f"{allowed} It is now “{order.fcp_status}”, so make the same change there."
    return (
        f"{allowed} It is now “{order.fcp_status}”, so it may be too late to edit it. Contact the warehouse right away."
    )
