"""Combine the entries that one status answer has for the same order number.

Whether the FCP lists a split shipment this way isn't published (ASSUMED). The result doesn't depend on the order of the
entries, except that tracking numbers keep theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.fcp_statuses import words_of
from portal.clients.fcp_types import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEAST_ADVANCED_FIRST = ("onhold", "backorder", "pending", "inprocess", "processing")
"""How the words of a status begin, without spaces."""


def combined(parts: Sequence[OrderStatus]) -> OrderStatus:
    """Return one status for an order's parts; there is at least one.

    The order is shipped when every part that isn't cancelled is, and cancelled when every part is. Otherwise it has the
    status of its least advanced open part: On Hold, Back Order, Pending, In Process, any other word, none. Its order
    ids, and its carriers if they differ, are joined by ", "; the ship date is the latest one. Tracking numbers of
    cancelled parts are kept, too.
    """
    if len(parts) == 1:
        return parts[0]
    remaining = [part for part in parts if not part.is_cancelled] or list(parts)
    to_ship = [part for part in remaining if not part.is_shipped] or remaining
    return OrderStatus(
        order_number=parts[0].order_number,
        order_id=_joined(part.order_id for part in parts),
        status=min((part.status for part in to_ship), key=_progress),
        ship_date=max((part.ship_date for part in parts if part.ship_date), default=None),
        carrier=_joined(part.carrier for part in parts),
        tracking_numbers=tuple(dict.fromkeys(number for part in parts for number in part.tracking_numbers)),
        raw="\n".join(part.raw for part in parts),
    )


def _progress(status: str) -> tuple[int, str, str]:
    """Return a sort key: the least advanced status first, an empty one last."""
    words = words_of(status).replace(" ", "")
    ranks = (rank for rank, beginning in enumerate(_LEAST_ADVANCED_FIRST) if words.startswith(beginning))
    return next(ranks, len(_LEAST_ADVANCED_FIRST) + (not words)), status.casefold(), status


def _joined(texts: Iterable[str]) -> str:
    """Return the distinct texts in alphabetical order, joined; texts that differ only in case count as one."""
    distinct = {text.casefold(): text for text in sorted(filter(None, texts), reverse=True)}
    return ", ".join(distinct[key] for key in sorted(distinct))
