"""What a worker reads from Redis: only the portal's own jobs, for lists of whole numbers. Everything else is refused.

Whoever can write to Redis chooses what is in it, and RQ would import and call any name that it finds there: of the job
and of its callbacks. It would also call the addresses of webhooks.
"""

from __future__ import annotations

import json
import logging
import re
import zlib
from typing import TYPE_CHECKING, cast

from redis.exceptions import ResponseError
from rq.exceptions import NoSuchJobError
from rq.job import UNEVALUATED, Job, JobStatus

from jobs.checks import checks
from jobs.credentials import credentials
from jobs.dry_run import dry_run
from jobs.incidents import incidents
from jobs.messages import messages
from jobs.morning import morning
from jobs.poll import poll
from jobs.probe import probe
from jobs.products import products
from jobs.purge import purge
from jobs.search import search
from jobs.settle import settle
from jobs.submit import submit
from jobs.tick import tick
from jobs.track import track
from portal.logs import sentry
from portal.logs.work import working_on
from portal.models.base import MAX_ID
from portal.queue import FAILURE_TTL, JOB_TIMEOUT, QUEUE, RESULT_TTL, Call, JobName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redis import Redis
    from rq.serializers import Serializer

log = logging.getLogger(__name__)

WITHOUT_IDS: Mapping[JobName, Callable[[], None]] = {
    JobName.TICK: tick,
    JobName.PURGE: purge,
    JobName.PROBE: probe,
    JobName.INCIDENTS: incidents,
    JobName.MORNING: morning,
    JobName.MESSAGES: messages,
    JobName.SEARCH: search,
    JobName.CHECKS: checks,
}
WITH_IDS: Mapping[JobName, Callable[[list[int]], None]] = {
    JobName.POLL: poll,
    JobName.SUBMIT: submit,
    JobName.SETTLE: settle,
    JobName.TRACK: track,
    JobName.PRODUCTS: products,
    JobName.DRY_RUN: dry_run,
    JobName.CREDENTIALS: credentials,
}
MAX_IDS = 100
"""Ids that one job may have. The portal enqueues fewer."""
MAX_BYTES = 16_384
"""Bytes of a whole job in Redis, and of its call once it is decompressed."""
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,2000}")
FIELDS = frozenset({
    "status", "data", "description", "origin", "worker_name", "timeout", "result_ttl", "failure_ttl",
    "created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat",
})  # fmt: skip
"""What RQ stores about the portal's jobs. Only ``data`` and ``status`` are read."""
EMPTY_FIELDS = frozenset(f"{name}_callback_name" for name in ("success", "failure", "stopped")) | {"group_id"}
"""Also stored by RQ, but always empty."""


class RefusedError(NoSuchJobError):
    """The job isn't one that the portal enqueues. The text says why, without the job's content.

    RQ skips a job that doesn't exist, wherever it meets one.
    """


def read_call(stored: Mapping[str, bytes]) -> Call:
    """Return what the fields of a job in Redis ask for. Raises RefusedError."""
    if any(stored[name] for name in stored.keys() - FIELDS):
        raise RefusedError("It has callbacks or other fields that the portal's jobs don't have.")
    if sum(map(len, stored.values())) > MAX_BYTES:
        raise RefusedError("It is too large.")
    try:
        text = _decompressed(stored["data"])
        name, instance, args, kwargs = json.loads(text)
    except (KeyError, ValueError, TypeError, RecursionError, zlib.error):
        raise RefusedError("Its data is not compressed JSON with four parts.") from None
    if instance is not None or kwargs != {}:
        raise RefusedError("It has an instance or keyword arguments.")
    if not isinstance(name, str) or name not in {known.value for known in JobName}:
        raise RefusedError("No job of the portal has its name.")
    return Call(JobName(name), _ids(JobName(name), args))


def _decompressed(data: bytes) -> str:
    reader = zlib.decompressobj()
    text = reader.decompress(data, MAX_BYTES)
    if not reader.eof:
        raise RefusedError("It is too large.")
    return text.decode()


def _ids(name: JobName, args: object) -> tuple[int, ...]:
    if name in WITHOUT_IDS and args == []:
        return ()
    if name in WITH_IDS and isinstance(args, list) and len(args) == 1 and isinstance(args[0], list):
        ids = tuple(one for one in args[0] if type(one) is int and 0 < one <= MAX_ID)
        if 0 < len(ids) == len(args[0]) <= MAX_IDS:
            return ids
    raise RefusedError(f"Its arguments are not a list of 1 to {MAX_IDS} ids, or it takes none.")


class StoredJob(Job):
    """A job of the portal. What Redis says about callbacks, retries, limits and all the rest doesn't count."""

    call: Call

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Serializer | str | None = None) -> Job:  # noqa: A002 - the name is RQ's
        """Read the job. One that is refused is logged and deleted. Raises NoSuchJobError."""
        if not JOB_ID.fullmatch(id):
            log.warning("worker.job_refused", extra={"job": ascii(id[:100]), "reason": "Its id is invalid."})
            raise RefusedError("Its id is invalid.")
        return super().fetch(id, connection, serializer)

    @classmethod
    def fetch_many(
        cls, job_ids: Iterable[str], connection: Redis, serializer: Serializer | str | None = None
    ) -> list[Job | None]:
        return [cls._fetch_if_there(job_id, connection, serializer) for job_id in job_ids]

    @classmethod
    def _fetch_if_there(cls, job_id: str, connection: Redis, serializer: Serializer | str | None) -> Job | None:
        try:
            return cls.fetch(job_id, connection, serializer)
        except NoSuchJobError:
            return None

    def refresh(self) -> None:
        """Read the job from Redis. One that is refused is logged and deleted. Raises NoSuchJobError."""
        try:
            self.restore(self._read())
        except RefusedError as refused:
            log.warning("worker.job_refused", extra={"job": self.id[:100], "reason": str(refused)})
            self.connection.unlink(self.key)
            raise

    def _read(self) -> dict[bytes, bytes]:
        """Return the job's fields, but only if they are few and short enough to be read."""
        try:
            names = [*FIELDS, *EMPTY_FIELDS]
            with self.connection.pipeline(transaction=False) as pipeline:
                pipeline.hlen(self.key)
                for name in names:
                    pipeline.hstrlen(self.key, name)
                count, *lengths = pipeline.execute()
            if not count:
                raise NoSuchJobError(f"No such job: {self.key}")
            if sum(lengths) > MAX_BYTES:
                raise RefusedError("It is too large.")
            found = {
                name.encode(): value
                for name, value in zip(names, self.connection.hmget(self.key, names), strict=True)
                if value is not None
            }
        except ResponseError:
            raise RefusedError("It is not stored as a job.") from None
        if len(found) != count:
            raise RefusedError("It has callbacks or other fields that the portal's jobs don't have.")
        return cast("dict[bytes, bytes]", found)

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Take over what the job is to do. The rest is the same for every job. Raises RefusedError."""
        stored = {name.decode(errors="replace"): value for name, value in raw_data.items()}
        self.call = read_call(stored)
        try:
            self._status = JobStatus((stored.get("status") or b"created").decode())
        except ValueError:
            raise RefusedError("Its status is unknown.") from None
        self._data = UNEVALUATED
        self._func_name, self._instance, self._kwargs = self.call.name.value, None, {}
        self._args = [list(self.call.ids)] if self.call.ids else []
        self.origin, self.description = QUEUE, self.call.key
        self.timeout, self.result_ttl, self.failure_ttl = JOB_TIMEOUT, RESULT_TTL, FAILURE_TTL

    def _execute(self) -> None:
        """Call the job's function, which is imported already. RQ would import what the name says."""
        with working_on(job=self.id, job_name=self.call.name.rpartition(".")[2]):
            try:
                if self.call.ids:
                    WITH_IDS[self.call.name](list(self.call.ids))
                else:
                    WITHOUT_IDS[self.call.name]()
            except Exception as error:  # RQ handles it; the process ends before Sentry would send it
                log.exception("job.failed")
                sentry.report(error)
                sentry.flush()
                raise
