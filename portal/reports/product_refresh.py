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
        known = _count(session, store, gone=False)
        read = _count(session, store, since=since or datetime.min.replace(tzinfo=UTC))
        # The lease alone is not enough: the store's orders are read under the same one.
        is_reading = read > 0 and is_taken(session, LeaseKind.READ.of(store.id), now)
        # Without the time of the request we can't tell which products were read since.
        return Progress(Phase.READING if is_reading else Phase.WAITING, read, known if since and known > read else 0)
    if since is None:
        return Progress(Phase.NONE, 0, 0)
    known = _count(session, store, gone=False)
    # A failed refresh moves this time back so the next one is due soon.
    failed = finished_at < since - REFRESH_EVERY / 2
    return Progress(Phase.STOPPED if failed else Phase.DONE, known, known)


def _count(session: Session, store: Store, *, since: datetime | None = None, gone: bool | None = None) -> int:
    query = select(func.count()).select_from(Product).where(Product.store_id == store.id)
    if since is not None:
        query = query.where(Product.fetched_at >= since)
    if gone is not None:
        query = query.where(Product.gone.is_(gone))
    return session.scalar(query) or 0
