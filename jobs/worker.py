"""The RQ worker, which builds the app once, before it forks. Run any number of them with ``python -m jobs.worker``."""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError, ResponseError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker_registration import REDIS_WORKER_KEYS
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from config import SettingsError, load_settings
from jobs import first_queries
from jobs.stored import StoredJob
from jobs.tables import exit_if_outdated
from portal.core import create_core
from portal.extensions import db
from portal.logs import sentry
from portal.logs.setup import configure_logging
from portal.queue import connect, open_queue

if TYPE_CHECKING:
    from types import FrameType

    from flask import Flask
    from redis.client import Pipeline
    from rq.executions import Execution
    from rq.job import Job

log = logging.getLogger(__name__)

WORKER_TTL = 45
"""Seconds. With these three values RQ gives up on a dead worker's jobs after a minute and a half; its defaults take 13
minutes. Orders don't depend on it: their leases expire after 30 seconds, and the next tick wakes another worker."""
MAINTENANCE_INTERVAL = 30
MONITORING_INTERVAL = 10


class PortalWorker(Worker):
    """A worker that runs each job in a fork of its process, inside the app context.

    It takes only StoredJobs from Redis, and neither commands nor groups of jobs, which the portal doesn't use.
    """

    job_class = StoredJob
    app: Flask
    stop_was_requested = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop_was_requested = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Register the worker again if Redis has lost its data."""
        if pipeline is None and not self.connection.sismember(REDIS_WORKER_KEYS, self.key):
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        super().heartbeat(timeout, pipeline)

    def subscribe(self) -> None:
        """Listen to no commands: anybody who can write to Redis could stop the worker with them."""

    def check_for_suspension(self, burst: bool) -> None:
        """Work on: a suspended worker looks healthy, and anybody who can write to Redis could suspend all of them."""

    def clean_group_registries(self) -> None:
        """Leave groups of jobs alone: the portal has none."""

    def run_maintenance_tasks(self) -> None:
        """Clean up after dead workers. Garbage in RQ's own lists must not stop every worker at its start."""
        try:
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        except (ValueError, ResponseError) as error:
            self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ leaves it untyped
            log.warning("worker.maintenance_failed", extra={"error": ascii(error)[:200]})

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except UnicodeDecodeError:
                log.warning("worker.job_refused", extra={"job": "", "reason": "Its id is invalid."})

    def handle_exception(self, job: Job, *exc_info: object) -> None:
        """Do nothing: the job has logged its error itself, as one line with an event."""

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        with self.app.app_context():
            done: bool = super().perform_job(job, queue, execution)
            return done


def build(
    app: Flask, redis_url: str, *, worker_class: type[PortalWorker] = PortalWorker, **options: Any
) -> PortalWorker:
    connection = connect(redis_url)
    worker = worker_class(
        [open_queue(connection, StoredJob)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
        maintenance_interval=MAINTENANCE_INTERVAL,
        job_monitoring_interval=MONITORING_INTERVAL,
        **options,
    )
    worker.app = app
    worker.log_job_description = False
    return worker


def prepare(app: Flask) -> None:
    """Do once what every fork would do again: map the models, get to know the database, and build the first queries.

    Without a database, it leaves that to the forks. No connection stays open, because a fork must not use its parent's.
    """
    configure_mappers()
    with app.app_context(), suppress(SQLAlchemyError):
        try:
            first_queries.ask(db.session(), app.config["SETTINGS"])
        finally:
            db.session.remove()
            db.engine.dispose()
    # The forks' garbage collections leave alone what is here now, so its memory stays shared.
    gc.freeze()


def main() -> None:
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"The worker can't start. {error}")
    configure_logging(settings)
    sentry.start(settings)
    exit_if_outdated("The worker", settings.database_url)
    try:
        app = create_core(settings)
        prepare(app)
        worker = build(app, settings.redis_url)
        worker.work(logging_level="WARNING")
    except RedisError as error:
        sys.exit(f"The worker couldn't reach Redis and stopped. Start it again when Redis is running. {error}")
    if not worker.stop_was_requested:
        sys.exit("The worker lost Redis and stopped. Start it again; unfinished work resumes automatically.")


if __name__ == "__main__":
    main()
