"""A merchant with much to do doesn't keep the others waiting: its job ends soon, and another one goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import jobs.turns
from jobs.submit import submit
from jobs.track import track
from portal.queue import connect, open_queue
from tests.fulfillment.world import ACCOUNT, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.fulfillment.world import World

OTHER, OTHER_ACCOUNT = 817, "1000002"
MANY = 120
"""Orders that take several short turns."""


@pytest.fixture
def connection(in_job: World) -> Iterator[Redis]:
    with connect(in_job.settings.redis_url) as client:
        yield client


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.turns, "SHARED_SECONDS", 1.0)
    monkeypatch.setattr(jobs.turns, "SHORTEST_TURN", 0.5)


def _waiting(connection: Redis) -> list[str]:
    return [job_id.rpartition("-")[0] for job_id in open_queue(connection).get_job_ids()]


def _ready(world: World) -> tuple[list[str], str]:
    """Return the numbers of many orders of one merchant, and of one order of another. All are ready to send."""
    world.add_merchant(OTHER, OTHER_ACCOUNT)
    many = world.sandbox.place_orders(count=MANY, account=ACCOUNT)
    (alone,) = world.sandbox.place_orders(count=1, account=OTHER_ACCOUNT)
    for account in (ACCOUNT, OTHER_ACCOUNT):
        world.poll(account)
    return many, alone


@pytest.mark.usefixtures("short_turns")
def test_orders_are_sent_in_turns(in_job: World, connection: Redis) -> None:
    """What doesn't fit into the first merchant's turn goes on in another job, behind the second one's order."""
    many, alone = _ready(in_job)
    in_job.sandbox.fault("submit", "latency", seconds=0.1, times=None)

    submit([MERCHANT, OTHER])
    assert in_job.sandbox.posted(str(OTHER)) == {alone: 1}
    assert 0 < len(in_job.sandbox.posted(str(MERCHANT))) < MANY
    assert _waiting(connection) == [f"submit-{MERCHANT}"]

    while _waiting(connection):
        connection.flushdb()
        submit([MERCHANT])
    assert in_job.sandbox.posted(str(MERCHANT)) == dict.fromkeys(many, 1)


@pytest.mark.usefixtures("short_turns")
def test_orders_are_marked_in_turns(in_job: World, connection: Redis) -> None:
    many, alone = _ready(in_job)
    for merchant in (MERCHANT, OTHER):
        in_job.submit(merchant)
    in_job.sandbox.ship_all()
    in_job.sandbox.fault("patch", "latency", seconds=0.1, times=None)

    track([MERCHANT, OTHER])
    assert in_job.sandbox.patches(OTHER_ACCOUNT) == {alone: 1}
    assert 0 < len(in_job.sandbox.patches(ACCOUNT)) < MANY
    assert _waiting(connection) == [f"track-{MERCHANT}"]

    while _waiting(connection):
        connection.flushdb()
        track([MERCHANT])
    assert in_job.sandbox.patches(ACCOUNT) == dict.fromkeys(many, 1)


def test_run_without_a_turn_sends_everything(in_job: World) -> None:
    """So do the runs that a person starts."""
    many, _ = _ready(in_job)
    assert in_job.submit().accepted == len(many)


def test_job_that_takes_long_leaves_the_rest(in_job: World, connection: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    _, alone = _ready(in_job)
    monkeypatch.setattr(jobs.turns, "LONGEST_JOB", 0.0)

    submit([MERCHANT, OTHER])
    assert in_job.sandbox.posted(str(OTHER)) == {}
    assert _waiting(connection) == [f"submit-{OTHER}"]
    submit([OTHER])
    assert in_job.sandbox.posted(str(OTHER)) == {alone: 1}
