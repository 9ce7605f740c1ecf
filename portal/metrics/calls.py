"""Counters of the calls to both services: kept in Redis, where all processes of all machines add to them.

They begin at zero again when Redis loses its data, which Prometheus takes as a restart. Calls made while Redis is away,
and the last ones of a process that is killed, aren't counted.
"""

from __future__ import annotations

from contextlib import suppress

from redis.exceptions import RedisError

from portal.clients.tally import calls as tally
from portal.queue import briefly

NUMBERS, SECONDS = "portal:calls", "portal:call_seconds"
"""Keys of two hashes. Each field is service, kind and outcome, separated by colons."""


def add(redis_url: str) -> None:
    """Add the calls that this process made since the last time, if any.

    If Redis is away, they aren't counted: kept, they would have every later request ask Redis in vain.
    """
    taken = tally.take()
    if not taken:
        return
    with suppress(RedisError), briefly(redis_url) as connection, connection.pipeline(transaction=False) as pipeline:
        for called, (number, seconds) in taken.items():
            field = ":".join(called)
            pipeline.hincrby(NUMBERS, field, number)
            pipeline.hincrbyfloat(SECONDS, field, seconds)
        pipeline.execute()
