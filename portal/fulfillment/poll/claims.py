"""Claim the stores of a poll job: only those that are still due, each by one worker.

A job may have waited in the queue while other workers polled its stores, and a later store's turn comes after many
others. A claim is the time in ``next_poll_at``: nobody else polls the store before it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update

from portal.engine.leases import LEASE
from portal.fulfillment.due import poll_is_due
from portal.models import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Set
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)


class Claim(NamedTuple):
    """The stores that one job claimed together, and the time in ``next_poll_at`` that says so."""

    store_ids: frozenset[int]
    until: datetime


def finish_none(_claim: Claim) -> Set[int]:
    """Leave every claimed store to its turn."""
    return frozenset()


def claimed(
    session: Session,
    store_ids: Sequence[int],
    clock: Callable[[], datetime],
    finish_some: Callable[[Claim], Set[int]] = finish_none,
) -> Iterator[int]:
    """Claim those of the stores that are due, all at once, and yield each one that is still ours at its turn. Commits.

    ``finish_some`` may finish some of the claimed stores before the first turn, and returns them.

    A claim lasts as long as a lease. After that the store counts as due again: another worker may have claimed it, a
    person may have synced it, or it may have been disconnected. Then its turn is skipped here.
    """
    now = clock()
    until = now + LEASE
    ours = set_unlocked(session, Store.id.in_(store_ids), poll_is_due(now), next_poll_at=until)
    finished = finish_some(Claim(ours, until))
    for store_id in store_ids:
        if store_id in finished:
            continue
        mine = (Store.id == store_id, Store.next_poll_at == until)
        if store_id in ours and set_unlocked(session, *mine, next_poll_at=clock() + LEASE):
            yield store_id
        else:
            log.info("poll.not_due", extra={"store": store_id})


def set_unlocked(session: Session, *conditions: ColumnElement[bool], **times: datetime) -> frozenset[int]:
    """Set these times of the stores that meet the conditions and that nobody is changing; return their ids. Commits.

    On PostgreSQL, two jobs with some of the same stores could otherwise lock them in a different order.
    """
    free = select(Store.id).where(*conditions).order_by(Store.id).with_for_update(skip_locked=True)
    statement = update(Store).where(Store.id.in_(free)).values(**times).returning(Store.id)
    ids = session.scalars(statement, execution_options={"synchronize_session": False}).all()
    session.commit()
    return frozenset(ids)
