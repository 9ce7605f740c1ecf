"""How many calls at once a job may make to a service: all workers together make no more than the setting allows.

Every running worker may always make one, so no job waits here, and none can block another. What the setting allows
beyond that is shared by the jobs that can use more than one. A job takes its share when a turn begins, so shares become
equal as turns end. They are kept in Redis; what a dead job held is free again after HELD_FOR.

RQ's RateLimit counts jobs instead of calls, from the time they are enqueued, and knows one limit per job: a job for 20
merchants that calls both services would count like one that makes a single call.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Self, TypeVar

from redis.exceptions import RedisError
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from portal.queue import QUEUE, connect_briefly

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.models import HostName

log = logging.getLogger(__name__)

HELD_FOR = timedelta(seconds=30)
RENEW_EVERY = 10.0
"""Seconds after which a thread says again that the job still holds its share."""

Answer = TypeVar("Answer")

_TAKE = """
local ends, numbers, workers = KEYS[1], KEYS[2], KEYS[3]
local owner, wanted, limit, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now)) do
    redis.call('ZREM', ends, gone)
    redis.call('HDEL', numbers, gone)
end
redis.call('ZADD', ends, ARGV[5], owner)
redis.call('HDEL', numbers, owner)
local others = 0
for _, number in ipairs(redis.call('HVALS', numbers)) do
    others = others + number
end
local beyond = limit - math.max(1, redis.call('SCARD', workers))
local share = math.ceil(beyond / redis.call('ZCARD', ends))
local more = math.max(0, math.min(wanted - 1, share, beyond - others))
redis.call('HSET', numbers, owner, more)
return 1 + more
"""
"""``ends`` says until when each job holds its share, ``numbers`` how many calls beyond one that is."""


class SharedCalls:
    """A job's share of the calls to one service. Nothing is taken until the first turn; leaving the block returns it.

    ``wanted`` is how many calls the job can make at once, ``limit`` how many all workers together may make.
    """

    def __init__(self, redis_url: str, host: HostName, *, wanted: int, limit: int) -> None:
        self._redis = connect_briefly(redis_url)
        self._ends, self._numbers = f"portal:calls:{host}:ends", f"portal:calls:{host}:numbers"
        self._wanted, self._limit = min(wanted, limit), limit
        self._owner = uuid.uuid4().hex
        self._has_failed = False
        """Whether Redis has failed. Then it isn't asked again: if it hangs, every question takes a second."""
        self._stop = threading.Event()
        self._renewer: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._renewer is not None:
            self._stop.set()
            self._renewer.join()
            self._ask(self._give_back)
        self._redis.close()

    def take(self) -> int:
        """Return how many calls at once the job may make from now on: one if Redis has failed."""
        if self._wanted == 1:
            return 1
        taken = self._ask(self._take)
        if taken and self._renewer is None:
            self._renewer = threading.Thread(
                target=contextvars.copy_context().run, args=(self._renew,), name="shared calls", daemon=True
            )
            self._renewer.start()
        return taken or 1

    def _take(self) -> int:
        keys = (self._ends, self._numbers, WORKERS_BY_QUEUE_KEY % QUEUE)
        now = self._now()
        until = now + HELD_FOR.total_seconds()
        return int(self._redis.eval(_TAKE, len(keys), *keys, self._owner, self._wanted, self._limit, now, until))

    def _now(self) -> float:
        """Return Redis's time: the clocks of several machines differ."""
        seconds, microseconds = self._redis.time()
        return float(seconds) + float(microseconds) / 1_000_000

    def _give_back(self) -> None:
        with self._redis.pipeline() as pipeline:
            pipeline.zrem(self._ends, self._owner)
            pipeline.hdel(self._numbers, self._owner)
            pipeline.execute()

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_EVERY):
            self._ask(self._hold_on)

    def _hold_on(self) -> None:
        # Not if it expired meanwhile: others have it then.
        self._redis.zadd(self._ends, {self._owner: self._now() + HELD_FOR.total_seconds()}, xx=True)

    def _ask(self, question: Callable[[], Answer]) -> Answer | None:
        """Return Redis's answer, None if it has failed."""
        if self._has_failed:
            return None
        try:
            return question()
        except RedisError as error:
            self._has_failed = True
            log.warning("calls.not_shared", extra={"error": str(error)})
            return None
