"""One owner at a time, on both databases: taken, renewed, given back, taken over from the dead."""

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
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.05)


def _until(engine: Engine, name: str = "thing") -> datetime:
    with Session(engine) as session:
        return session.get_one(Lease, name).until


def test_the_second_comes_too_late_and_then_gets_it(engine: Engine) -> None:
    with Session(engine) as one, Session(engine) as two:
        with leased(one, "thing") as first:
            with pytest.raises(LeaseTakenError), leased(two, "thing"):
                pass
            with leased(two, "another thing") as other:
                assert other.owner != first.owner
        with leased(two, "thing") as second:
            assert second.owner != first.owner


def test_of_many_at_once_one_gets_it(engine: Engine) -> None:
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
        for _ in range(3):  # the first makes the row, the others take it over
            assert sum(pool.map(lambda _: attempt(), range(6))) == 1


def test_it_is_renewed_while_the_work_goes_on(engine: Engine, impatient: None) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        first = _until(engine)
        eventually(lambda: _until(engine) > first, "the lease is renewed")
        assert not held.lost


def test_it_is_free_at_once_after_an_error(engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(KeyError), leased(session, "thing"):
            raise KeyError("a defect")
        assert _until(engine) <= datetime.now(UTC)
        with leased(session, "thing"):
            pass


@pytest.mark.parametrize(("ago", "is_free"), [(timedelta(seconds=1), True), (timedelta(seconds=-20), False)])
def test_a_dead_owners_lease_is_free_when_its_time_is_over(engine: Engine, ago: timedelta, is_free: bool) -> None:
    with Session(engine) as session:
        session.add(Lease(name="thing", owner="the dead", until=datetime.now(UTC) - ago))
        session.commit()
        if is_free:
            with leased(session, "thing") as held:
                assert held.owner != "the dead"
        else:
            with pytest.raises(LeaseTakenError), leased(session, "thing"):
                pass


def test_whoever_waits_gets_it_and_is_told_once(engine: Engine) -> None:
    told: list[str] = []
    with Session(engine) as session:
        session.add(Lease(name="thing", owner="the dead", until=datetime.now(UTC) + timedelta(seconds=1.2)))
        session.commit()
        with leased(session, "thing", wait=10, waiting=lambda: told.append("wait")):
            pass
    assert told == ["wait"]


def test_a_lease_that_another_took_over_is_lost_and_not_given_back(engine: Engine, impatient: None) -> None:
    far = datetime.now(UTC) + timedelta(hours=1)
    with Session(engine) as session, Session(engine) as other, leased(session, "thing") as held:
        row = other.get_one(Lease, "thing")
        row.owner, row.until = "another", far
        other.commit()
        eventually(lambda: held.lost, "the loss is noticed")
    assert _until(engine) == far


def test_what_was_not_committed_is_undone_at_the_end(engine: Engine) -> None:
    with Session(engine) as session:
        with leased(session, "thing"):
            session.add(Lease(name="left over", owner="nobody", until=datetime.now(UTC)))
            session.flush()
        assert session.get(Lease, "left over") is None


def test_work_that_ends_in_mid_transaction_does_not_wait_for_its_own_keeper(engine: Engine, impatient: None) -> None:
    """On SQLite the keeper waits for the transaction to end, so it must end before the keeper is waited for."""
    with Session(engine) as session:
        with leased(session, "thing"):
            session.execute(update(Lease).values(owner=Lease.owner))
            Event().wait(0.3)  # meanwhile the keeper tries to renew
            started = time.monotonic()
        assert time.monotonic() - started < 5
