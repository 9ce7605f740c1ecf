"""A store whose list takes long to read keeps the other stores of its job waiting neither for it nor for its orders."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from jobs.poll import poll
from portal.clock import utc_now
from portal.fulfillment.poll import context
from portal.models import Store
from portal.queue import connect, open_queue
from tests.fulfillment.world import ACCOUNT, MERCHANT

if TYPE_CHECKING:
    from datetime import datetime

    from tests.fulfillment.world import World

OTHER, OTHER_ACCOUNT = 817, "1000002"
LIST = "GET /v1/accounts/{account}/orders"
MANY = 130
"""Orders on two pages of Big Cartel's list."""


@pytest.fixture
def numbers(in_job: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders of a store with a long list; another one has one order."""
    monkeypatch.setattr(context, "LONG_LIST", 100)
    in_job.add_merchant(OTHER, OTHER_ACCOUNT)
    in_job.sandbox.place_orders(count=1, account=OTHER_ACCOUNT)
    return in_job.sandbox.place_orders(count=MANY, account=ACCOUNT)


def _ids(world: World) -> list[int]:
    return [world.store(account).id for account in (ACCOUNT, OTHER_ACCOUNT)]


def _waiting(world: World) -> list[str]:
    with connect(world.settings.redis_url) as connection:
        return [job_id.rpartition("-")[0] for job_id in open_queue(connection).get_job_ids()]


def _calls(world: World) -> int:
    return world.sandbox.calls("bigcartel", ACCOUNT).get(LIST, 0)


def _times(world: World) -> tuple[datetime | None, ...]:
    store = world.store(ACCOUNT)
    return store.cursor, store.last_polled_at, store.last_swept_at


def _make_due(world: World) -> None:
    with world.session() as session:
        session.execute(update(Store).values(next_poll_at=utc_now()))
        session.commit()


def test_store_with_a_long_list_goes_to_the_back_of_the_queue(in_job: World, numbers: list[str]) -> None:
    long, short = _ids(in_job)
    poll([long, short])
    assert len(in_job.states()) == 1, "the order of the other store"
    assert _calls(in_job) == 1
    assert _waiting(in_job) == [f"submit-{OTHER}", f"poll-{long}"]
    store = in_job.store(ACCOUNT)
    assert (store.cursor, store.last_polled_at, store.poll_failures, store.poll_error) == (None, None, 0, "")

    poll([long])
    assert in_job.states().keys() > set(numbers)
    assert in_job.store(ACCOUNT).last_polled_at is not None
    assert _waiting(in_job)[2:] == [f"submit-{MERCHANT}"]


@pytest.mark.parametrize("sweeps", [False, True])
def test_so_it_does_when_much_was_updated_and_at_each_sweep(in_job: World, numbers: list[str], sweeps: bool) -> None:
    in_job.poll()
    long, short = _ids(in_job)
    more = in_job.sandbox.place_orders(count=MANY, account=ACCOUNT)
    if sweeps:
        in_job.change_store(last_swept_at=utc_now() - timedelta(hours=2))
    _make_due(in_job)
    before = _times(in_job)
    poll([long, short])
    assert _times(in_job) == before
    assert set(in_job.states()).isdisjoint(more)

    poll([long])
    assert set(in_job.states()) >= {*numbers, *more}
    assert (_times(in_job)[2] == before[2]) is not sweeps


def test_idle_store_with_a_long_list_is_polled_with_the_others(in_job: World, numbers: list[str]) -> None:
    in_job.poll()
    in_job.poll()
    long, short = _ids(in_job)
    _make_due(in_job)
    in_job.sandbox.clear_calls()
    poll([long, short])
    assert _calls(in_job) <= 2
    assert f"poll-{long}" not in _waiting(in_job)
    assert set(in_job.states()) >= set(numbers)


def test_poll_that_nobody_waits_for_reads_a_long_list(in_job: World, numbers: list[str]) -> None:
    """So do those that a person starts."""
    in_job.poll()
    assert in_job.states().keys() == set(numbers)
