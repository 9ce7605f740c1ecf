"""The watch, which notices when the engine itself stops. Run it with ``python -m jobs.watch``.

It needs neither Redis nor a worker: it looks at both, and at the database, every 15 seconds. It also looks for
incidents and sends messages whenever no worker does. Any number of watches may run.
"""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from rq.timeouts import UnixSignalDeathPenalty
from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from config import SettingsError, load_settings
from jobs.database_outage import DatabaseOutage
from jobs.engine_health import MAX_ERROR, read_health
from jobs.tables import exit_if_outdated
from portal.clock import utc_now
from portal.database import engine_options
from portal.fulfillment.chores import ChoreName, claim, finish
from portal.incidents.detect.engine import inspect, send_heartbeat
from portal.incidents.record import record
from portal.incidents.run import look
from portal.logs import sentry
from portal.logs.setup import configure_logging
from portal.logs.work import working_on
from portal.messages.outbox import send_due
from portal.models import Chore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from config import Settings
    from portal.incidents.detect.engine import EngineHealth

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two looks."""
DATABASE_SECONDS = 40
"""Seconds for the few statements of one look. A database that hangs counts as away: its server may be suspended."""
CHORE_SECONDS = 300
"""Seconds for a chore that no worker does."""
WORKERS_FIRST_SECONDS = 30.0
"""How late a chore must be until the watch does it although workers are running."""
CHORES: Mapping[ChoreName, Callable[[Session, Settings, Callable[[], datetime]], object]] = {
    ChoreName.INCIDENTS: look,
    ChoreName.MESSAGES: send_due,
}


class DatabaseHangsError(Exception):
    """The database, or what else a chore waits for, didn't answer in time."""


class Watch:
    """One watch: what it needs for its looks, and what it remembers between them."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings, self._clock = settings, clock
        # A connection for each look: one that a database's restart has broken is never used again.
        self._engine = create_engine(settings.database_url, **engine_options(settings.database_url), poolclass=NullPool)
        self._outage = DatabaseOutage(settings, clock)
        self._working_since: datetime | None = None
        self._wrong: list[str] = []

    def look_around(self) -> None:
        """Record what is wrong with the engine, and do what no worker does. Never raises."""
        try:
            self._look_around()
        except Exception as error:  # whatever it is, the next look may succeed
            log.exception("watch.failed")
            sentry.report(error)

    def _look_around(self) -> None:
        health = read_health(self._settings.redis_url, working_since=self._working_since, now=self._clock())
        try:
            with self._session(DATABASE_SECONDS) as session:
                self._record(session, health)
        except SQLAlchemyError as error:
            self._outage.is_away(_reason(error))
        except DatabaseHangsError:
            self._outage.is_away(f"It didn't answer within {DATABASE_SECONDS} seconds.")
        else:
            self._outage.is_over()
            workers_may_do_it = not health.redis_problem and health.workers > 0 and health.schedules > 0
            for name in CHORES:
                self._do_if_late(name, seconds=WORKERS_FIRST_SECONDS if workers_may_do_it else 0.0)

    @contextmanager
    def _session(self, seconds: int) -> Iterator[Session]:
        """Open a session for the block, and raise DatabaseHangsError in the block after so many seconds."""
        session = Session(self._engine, expire_on_commit=False)
        try:
            with UnixSignalDeathPenalty(seconds, DatabaseHangsError):  # type: ignore[no-untyped-call]  # RQ leaves it untyped
                yield session
        except BaseException:
            session.invalidate()  # a rollback would wait for a database that hangs
            raise
        session.close()

    def _record(self, session: Session, health: EngineHealth) -> None:
        now = self._clock()
        report = inspect(session, self._settings, health, now)
        record(session, report.findings, kinds=report.judged, now=now)
        send_heartbeat(session, now)
        self._working_since = (self._working_since or now) if report.can_poll else None
        wrong = [finding.title for finding in report.findings]
        if wrong != self._wrong:
            self._wrong = wrong
            log.warning("watch.found", extra={"wrong": "; ".join(wrong) or "nothing any more"})

    def _do_if_late(self, name: ChoreName, *, seconds: float) -> None:
        """Do the chore if it is late by so many seconds. A failure doesn't keep the other chores from being done."""
        try:
            with working_on(job_name=name.value), self._session(CHORE_SECONDS) as session:
                due_at = session.scalar(select(Chore.due_at).where(Chore.name == name))
                session.commit()
                is_late = due_at is None or due_at + timedelta(seconds=seconds) <= self._clock()
                if is_late and claim(session, name, self._clock()):
                    log.info("watch.took_over", extra={"chore": name.value})
                    CHORES[name](session, self._settings, self._clock)
                    finish(session, name, self._clock())
        except Exception as error:  # as above
            log.exception("watch.failed", extra={"chore": name.value})
            sentry.report(error)


def _reason(error: SQLAlchemyError) -> str:
    """Return why the database can't be used, in its own words and without the statement."""
    text = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0][:MAX_ERROR]


def main() -> None:
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"The watch can't start. {error}")
    configure_logging(settings)
    sentry.start(settings)
    exit_if_outdated("The watch", settings.database_url)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch = Watch(settings)
    # The first look comes after one interval: workers that start together with the watch register before it.
    while not stop.wait(EVERY):
        watch.look_around()


if __name__ == "__main__":
    main()
