"""The counters of calls: each process adds to Redis what it did, and every web process shows the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.clients.errors import Unauthorized
from portal.clients.tally import calls as tally
from portal.metrics import calls, shown_calls
from portal.queue import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jobs.site import Site


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    tally.take()
    yield
    tally.take()


def shown(redis_url: str, name: str = "portal_calls") -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in shown_calls.read(redis_url)
        for sample in family.samples
        if family.name == name
    }


def test_calls_of_every_process_add_up(redis_url: str) -> None:
    for _ in range(2):
        with tally.count("bigcartel", "orders"):
            pass
        with pytest.raises(Unauthorized), tally.count("fcp", "submit"):
            raise Unauthorized("No.", service="the warehouse")
        calls.add(redis_url)
    calls.add(redis_url)
    assert shown(redis_url) == {("bigcartel", "orders", "ok"): 2, ("fcp", "submit", "unauthorized"): 2}
    assert 0 < shown(redis_url, "portal_call_seconds")["bigcartel", "orders", "ok"] < 1


def test_calls_made_while_redis_is_away_are_not_kept() -> None:
    """Otherwise each later request of the process would ask Redis in vain."""
    with tally.count("bigcartel", "orders"):
        pass
    calls.add("redis://127.0.0.1:1/0")
    assert shown_calls.read("redis://127.0.0.1:1/0") == ()
    assert tally.take() == {}


@pytest.mark.parametrize("field", ["", "a:b", "a:b:c:d", "\udcff"])
def test_what_others_wrote_to_redis_is_not_shown(redis_url: str, field: str) -> None:
    with connect(redis_url) as connection:
        connection.hset(calls.NUMBERS, field.encode(errors="replace"), 1)
        connection.hset(calls.NUMBERS, "fcp:status:ok", "many")
    assert shown(redis_url) == {}
    with connect(redis_url) as connection:
        connection.delete(calls.NUMBERS)
        connection.set(calls.NUMBERS, "a text")
    assert shown(redis_url) == {}


def test_a_workers_calls_are_counted_with_their_errors(small_portal: Site) -> None:
    small_portal.start_worker()
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=2)
    sandbox.fault("submit", "status", status=500, order=numbers[0])
    small_portal.until_in_state(numbers[1:], "submitted")

    def counted() -> bool:
        found = shown(small_portal.world.settings.redis_url)
        kinds = {("bigcartel", "orders", "ok"), ("bigcartel", "product", "ok"), ("fcp", "submit", "ok")}
        return kinds <= found.keys() and found.get(("fcp", "submit", "unknown"), 0) > 0

    small_portal.until(counted, "the calls are counted")
