"""The RQ worker, which builds the app once, before it forks. Run any number of them with ``python -m jobs.worker``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker_registration import REDIS_WORKER_KEYS

import jobs.credentials
import jobs.dry_run
import jobs.poll
import jobs.probe
import jobs.products
import jobs.purge
import jobs.settle
import jobs.submit
import jobs.tick
import jobs.track  # noqa: F401 - imported before the fork to keep every work horse from importing them
from config import SettingsError, load_settings
from portal import create_app
from portal.logs import configure_logging
from portal.queue import connect, open_queue

if TYPE_CHECKING:
    from types import FrameType

    from flask import Flask
    from redis.client import Pipeline
    from rq import Queue
    from rq.executions import Execution
    from rq.job import Job

WORKER_TTL = 45
"""Seconds. With these three values RQ gives up on a dead worker's jobs after a minute and a half; its defaults take 13
minutes. Orders don't depend on it: their leases expire after 30 seconds, and the next tick wakes another worker."""
MAINTENANCE_INTERVAL = 30
MONITORING_INTERVAL = 10


class PortalWorker(Worker):
    """A worker that runs each job in a fork of its process, inside the app context."""

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

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        with self.app.app_context():
            done: bool = super().perform_job(job, queue, execution)
            return done


def build(app: Flask, redis_url: str, **options: Any) -> PortalWorker:
    connection = connect(redis_url)
    worker = PortalWorker(
        [open_queue(connection)],
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


def main() -> None:
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"The worker can't start. {error}")
    configure_logging(settings)
    try:
        worker = build(create_app(settings), settings.redis_url)
        worker.work(logging_level="WARNING")
    except RedisError as error:
        sys.exit(f"The worker couldn't reach Redis and stopped. Start it again when Redis is running. {error}")
    if not worker.stop_was_requested:
        sys.exit("The worker lost Redis and stopped. Start it again; unfinished work resumes automatically.")


if __name__ == "__main__":
    main()
