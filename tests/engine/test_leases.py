"""One owner at a time, on both databases: taking, renewing, releasing and taking over leases."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.engine import leases
from portal.engine.leases import LeaseTakenError, leased
from portal.models import Lease
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url, **engine_options(database_url))
    yield made
    made.dispose()


@pytest.fixture
def fast_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.05)


def _until(engine: Engine, name: str = "thing") -> datetime:
    with Session(engine) as session:
        return session.get_one(Lease, name).until


def test_second_worker_gets_the_lease_after_the_first_releases_it(engine: Engine) -> None:
    with Session(engine) as one, Session(engine) as two:
        with leased(one, "thing") as first:
            with pytest.raises(LeaseTakenError), leased(two, "thing"):
                pass
            with leased(two, "another thing") as other:
                assert other.owner != first.owner
        with leased(two, "thing") as second:
            assert second.owner != first.owner


def test_only_one_of_many_workers_gets_the_lease(engine: Engine) -> None:
    together = Barrier(6, timeout=20)

    def attempt() -> bool:
        with Session(engine) as session:
            together.wait()
            try:
                with leased(session, "thing"):
                    together.wait()
            except LeaseTakenError:
                together.wait()
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):  # the first round inserts the row, the others update it
            assert sum(pool.map(lambda _: attempt(), range(6))) == 1


def test_lease_is_renewed_during_the_work(engine: Engine, fast_renewal: None) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        first = _until(engine)
        eventually(lambda: _until(engine) > first, "the lease is renewed")
        assert not held.lost


def test_lease_is_released_after_an_exception(engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(KeyError), leased(session, "thing"):
            raise KeyError("a bug")
        assert _until(engine) <= datetime.now(UTC)
        with leased(session, "thing"):
            pass


@pytest.mark.parametrize(("ago", "is_free"), [(timedelta(seconds=1), True), (timedelta(seconds=-20), False)])
def test_dead_workers_lease_can_be_taken_after_it_expires(engine: Engine, ago: timedelta, is_free: bool) -> None:
    with Session(engine) as session:
        session.add(Lease(name="thing", owner="dead worker", until=datetime.now(UTC) - ago))
        session.commit()
        if is_free:
            with leased(session, "thing") as held:
                assert held.owner != "dead worker"
        else:
            with pytest.raises(LeaseTakenError), leased(session, "thing"):
                pass


def test_waiting_worker_gets_the_lease_and_is_notified_once(engine: Engine) -> None:
    notified: list[str] = []
    with Session(engine) as session:
        session.add(Lease(name="thing", owner="dead worker", until=datetime.now(UTC) + timedelta(seconds=1.2)))
        session.commit()
        with leased(session, "thing", wait=10, waiting=lambda: notified.append("wait")):
            pass
    assert notified == ["wait"]


def test_lease_that_another_worker_took_over_is_lost_and_not_released(engine: Engine, fast_renewal: None) -> None:
    far = datetime.now(UTC) + timedelta(hours=1)
    with Session(engine) as session, Session(engine) as other, leased(session, "thing") as held:
        row = other.get_one(Lease, "thing")
        row.owner, row.until = "another worker", far
        other.commit()
        eventually(lambda: held.lost, "the loss is noticed")
    assert _until(engine) == far


def test_open_transaction_does_not_block_the_release(engine: Engine, fast_renewal: None) -> None:
    """On SQLite the renewing thread waits for the open transaction, so that must end before we wait for the thread."""
    with Session(engine) as session:
        with leased(session, "thing"):
            session.execute(update(Lease).values(owner=Lease.owner))
            Event().wait(0.3)  # meanwhile the other thread tries to renew
            started = time.monotonic()
        assert time.monotonic() - started < 5
