"""What the counters of calls say, as metrics for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from prometheus_client.core import CounterMetricFamily
from redis.exceptions import RedisError

from portal.clients.tally import Called
from portal.metrics.calls import NUMBERS, SECONDS
from portal.queue import briefly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import Metric
    from redis import Redis

MAX_FIELDS = 500
"""Fields that are read of a hash; there are about fifty. Anybody may have written to Redis."""


def read(redis_url: str) -> tuple[Metric, ...]:
    """Return the counters as metrics, or none while Redis is away."""
    try:
        with briefly(redis_url) as connection:
            numbers, seconds = _fields(connection, NUMBERS), _fields(connection, SECONDS)
    except RedisError:
        return ()
    return (
        _family("portal_calls_total", "Calls to Big Cartel and the warehouse, by outcome.", numbers),
        _family("portal_call_seconds_total", "Seconds that these calls took together, retries included.", seconds),
    )


def _family(name: str, words: str, found: Mapping[Called, float]) -> Metric:
    family = CounterMetricFamily(name, words, labels=["host", "kind", "outcome"])
    for called, value in sorted(found.items()):
        family.add_metric(list(called), value)
    return family


def _fields(connection: Redis, key: str) -> Mapping[Called, float]:
    if connection.hlen(key) > MAX_FIELDS:
        return {}
    found = {}
    for field, value in cast("dict[bytes, bytes]", connection.hgetall(key)).items():
        names = field.decode(errors="replace").split(":")
        try:
            number = float(value)
        except ValueError:
            continue
        if len(names) == len(Called._fields):
            found[Called(*names)] = number
    return found
