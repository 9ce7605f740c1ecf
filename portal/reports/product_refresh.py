"""Progress of a product refresh that a person requested."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.engine.leases import LeaseKind, is_taken
from portal.fulfillment.products import REFRESH_EVERY
from portal.models import Product

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import Store


class Phase(StrEnum):
    NONE = "none"
    """No refresh was requested."""
    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    STOPPED = "stopped"
    """The refresh failed before reading all products."""
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress: ``read`` of about ``known`` products so far; ``known`` is 0 if we don't know how many there are.

    Both are 0 if no products are read.
    """

    phase: Phase
    read: int
    known: int

    @property
    def is_under_way(self) -> bool:
        return self.phase in {Phase.WAITING, Phase.READING}


def progress(session: Session, store: Store, *, since: datetime | None, now: datetime) -> Progress:
    """Return the progress of the refresh requested at ``since`` (None: unknown, or none was requested)."""
    if not store.is_connected:
        return Progress(Phase.RECONNECT if since else Phase.NONE, 0, 0)
    finished_at = store.products_refreshed_at
    if finished_at is None:
        known, read = _counts(session, store, since or datetime.min.replace(tzinfo=UTC))
        # The lease alone is not enough: the store's orders are read under the same one.
        is_reading = read > 0 and is_taken(session, LeaseKind.READ.of(store.id), now)
        # Without the time of the request we can't tell which products were read since.
        return Progress(Phase.READING if is_reading else Phase.WAITING, read, known if since and known > read else 0)
    if since is None:
        return Progress(Phase.NONE, 0, 0)
    known, _ = _counts(session, store, since)
    # A failed refresh moves this time back so the next one is due soon.
    failed = finished_at < since - REFRESH_EVERY / 2
    return Progress(Phase.STOPPED if failed else Phase.DONE, known, known)


def _counts(session: Session, store: Store, since: datetime) -> tuple[int, int]:
    """Return how many products the store has, and how many were read since then."""
    counts = func.count().filter(Product.gone.is_(False)), func.count().filter(Product.fetched_at >= since)
    known, read = session.execute(select(*counts).where(Product.store_id == store.id)).one()
    return known, read
