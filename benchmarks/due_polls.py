"""Count the polls of stores that are not due, while workers are just fast enough. There must be none.

Run it with ``python -m benchmarks.due_polls``. All stores are due at the start, so the workers have a backlog that they
can only just work off: a poll that isn't needed makes another one late. Ticks, database, queue, and claims are the real
ones. Time and the workers are simulated: each takes a job from the queue and polls its stores one after another, every
poll taking the same time. The goals: no store is polled that isn't due, and no backlog remains.
"""

from __future__ import annotations

import heapq
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rq import Queue
from sqlalchemy import insert, update

from benchmarks.fixtures import MERCHANT, MERCHANT_NAME, database, session_on
from benchmarks.results import Report, parser
from embedded import redis
from portal.engine.leases import LEASE
from portal.fulfillment.due import due
from portal.fulfillment.poll.claims import claimed
from portal.models import Merchant, Store
from portal.queue import Call, JobName, connect, open_queue, wake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis
    from sqlalchemy.orm import Session

STORES = 300
POLL_SECONDS, TICK_SECONDS, IDLE_SECONDS = 60.0, 5.0, 0.5
SPARE = 0.9
"""The share of their time that workers need if no poll is wasted."""
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(slots=True)
class Simulation:
    """Workers that share one queue. ``due_at`` is when each store's next poll is due, in seconds since the start."""

    session: Session
    connection: Redis
    seconds_per_poll: float
    now: float = 0.0
    polls: int = 0
    not_due: int = 0
    latest: float = 0.0
    """The longest time, in seconds, that a store was polled late in the last minute."""
    due_at: dict[int, float] = field(default_factory=dict)

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def run(self, workers: int, seconds: float) -> None:
        """Run ticks and workers in the order of their times."""
        turns: list[tuple[float, int, Iterator[float]]] = [(0.0, -1, self._ticks())]
        turns += [(0.0, number, self._worker(seconds)) for number in range(workers)]
        while turns:
            self.now, number, turn = heapq.heappop(turns)
            if self.now <= seconds:
                heapq.heappush(turns, (self.now + next(turn), number, turn))

    def _ticks(self) -> Iterator[float]:
        """Tick, and yield the seconds to the next one."""
        while True:
            stores = due(self.session, track_seconds=300, now=self.clock()).polls
            self.session.commit()
            wake(self.connection, [Call(JobName.POLL, (store,)) for store in stores])
            yield TICK_SECONDS

    def _worker(self, until: float) -> Iterator[float]:
        """Work, and yield the seconds that each poll takes, or until the next look at an empty queue."""
        queue = open_queue(self.connection)
        while True:
            taken = Queue.dequeue_any([queue], None, connection=self.connection, serializer=queue.serializer)
            if taken is None:
                yield IDLE_SECONDS
                continue
            (store_ids,) = taken[0].args
            for store_id in claimed(self.session, store_ids, self.clock):
                started = self.now
                self._count(store_id, until)
                yield self.seconds_per_poll
                self._finish(store_id, started)

    def _count(self, store_id: int, until: float) -> None:
        late = self.now - self.due_at[store_id]
        self.polls += 1
        self.not_due += late < 0
        if self.now > until - POLL_SECONDS:
            self.latest = max(self.latest, late)
        self.due_at[store_id] = self.now + POLL_SECONDS

    def _finish(self, store_id: int, started: float) -> None:
        """Set the next poll as the real poll does: only if the store is still this worker's."""
        at = START + timedelta(seconds=started)
        statement = update(Store).where(Store.id == store_id, Store.next_poll_at == at + LEASE)
        self.session.execute(statement.values(next_poll_at=at + timedelta(seconds=POLL_SECONDS)))
        self.session.commit()


def add_stores(session: Session) -> dict[int, float]:
    """Add one merchant with all stores, each due at the start. Return when each store is due."""
    session.add(
        Merchant(id=MERCHANT, name=MERCHANT_NAME, sealed_token="", rules_changed_at=START, created_at=START),
    )
    session.flush()
    values = {"merchant_id": MERCHANT, "connected_at": START, "next_poll_at": START}
    session.execute(insert(Store), [{**values, "id": n, "account_id": str(n)} for n in range(1, STORES + 1)])
    session.commit()
    return dict.fromkeys(range(1, STORES + 1), 0.0)


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--minutes", type=int, default=6, help="simulated minutes for each number of workers")
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 4, 12], help="numbers of workers to simulate")
    options = arguments.parse_args()
    report = Report("due_polls", options)
    with TemporaryDirectory(prefix="portal-benchmark-") as folder, redis.start(Path(folder)) as redis_url:
        for workers in options.workers:
            with database(None) as url, session_on(url) as session, connect(redis_url) as connection:
                connection.flushall()
                simulation = Simulation(session, connection, workers * POLL_SECONDS / STORES * SPARE)
                simulation.due_at = add_stores(session)
                simulation.run(workers, options.minutes * POLL_SECONDS)
            report.row(
                stores=STORES,
                workers=workers,
                seconds_per_poll=simulation.seconds_per_poll,
                polls=simulation.polls,
                not_due=simulation.not_due,
                latest_in_the_last_minute=simulation.latest,
            )
            report.goal(f"polls not due, {workers} workers", simulation.not_due, at_most=0)
            report.goal(f"seconds late in the last minute, {workers} workers", simulation.latest, at_most=POLL_SECONDS)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
