"""The scheduler of the tick. Run it with ``python -m jobs.schedule``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rq.cron import CronJob, CronScheduler
from rq.utils import now

from config import SettingsError, load_settings
from portal.logs import sentry
from portal.logs.setup import configure_logging
from portal.queue import QUEUE, Call, JobName, connect, wake_if_possible

if TYPE_CHECKING:
    from redis import Redis

EVERY = {JobName.TICK: 5}
"""Seconds between two runs of each job. The tick wakes everything else, including what is due once a day."""


class Schedule(CronScheduler):
    """RQ's scheduler, enqueueing through our queue, because RQ pickles its jobs and our workers only read JSON.

    Running two schedulers is harmless: a tick that is already waiting isn't enqueued again, and the database says what
    is due.
    """

    def __init__(self, connection: Redis) -> None:
        """Know the jobs by their names only: registering a function would import what it works with."""
        super().__init__(connection)
        self._cron_jobs = [CronJob(QUEUE, func_name=name, interval=seconds) for name, seconds in EVERY.items()]

    def enqueue_jobs(self) -> list[CronJob]:
        due = [job for job in self.get_jobs() if job.should_run()]
        wake_if_possible(self.connection, [Call(JobName(job.func_name)) for job in due])
        for job in due:
            job.set_enqueue_time(now())
        return due


def main() -> None:
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"The schedule can't start. {error}")
    configure_logging(settings)
    sentry.start(settings)
    try:
        Schedule(connect(settings.redis_url)).start()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
    except RedisError as error:
        sys.exit(f"The schedule couldn't reach Redis and stopped. Start it again when Redis is running. {error}")


if __name__ == "__main__":
    main()
