"""The columns of an order that sending it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.models import Order

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from portal.models import StoredEdits, StoredHold


class StoredOrder(NamedTuple):
    """The columns needed to assess and pack an order."""

    id: int
    store_id: int
    number: str
    document: str
    released_holds: list[StoredHold] | None
    edits: StoredEdits | None
    unlisted_since: datetime | None
    first_seen_at: datetime
    assessed_at: datetime | None
    failures: int
    first_failed_at: datetime | None


def select_stored() -> Select[
    int,
    int,
    str,
    str,
    list[StoredHold] | None,
    StoredEdits | None,
    datetime | None,
    datetime,
    datetime | None,
    int,
    datetime | None,
]:
    """Select the columns of StoredOrder, in its order."""
    return select(
        Order.id,
        Order.store_id,
        Order.number,
        Order.document,
        Order.released_holds,
        Order.edits,
        Order.unlisted_since,
        Order.first_seen_at,
        Order.assessed_at,
        Order.failures,
        Order.first_failed_at,
    )
