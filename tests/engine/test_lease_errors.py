"""A lease whose database fails: a blip stops no work, and a lease that has run out is never two workers' at once."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.engine import leases
from portal.engine.leases import LeaseTakenError, leased
from portal.models import Lease
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url, **engine_options(database_url))
    yield made
    made.dispose()


class Outage:
    """While it lasts, every try to renew a lease fails; ``before`` is called first."""

    def __init__(self, engine: Engine) -> None:
        self.lasts = False
        self.failed = 0
        self.before: Callable[[], object] = lambda: None
        event.listen(engine, "before_cursor_execute", self._fail)

    def _fail(self, *_: Any) -> None:
        if self.lasts and threading.current_thread().name.startswith("lease "):
            self.before()
            self.failed += 1
            raise OperationalError("UPDATE leases", None, Exception("the database is away"))


@pytest.fixture
def outage(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Outage:
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.05)
    return Outage(engine)


def _row(engine: Engine) -> Lease:
    with Session(engine) as session:
        return session.get_one(Lease, "thing")


def _is_kept() -> bool:
    """Whether a thread still renews it."""
    return any(thread.name == "lease thing" for thread in threading.enumerate())


def test_a_blip_stops_no_work_and_it_is_renewed_afterwards(engine: Engine, outage: Outage) -> None:
    with Session(engine) as one, Session(engine) as two, leased(one, "thing") as held:
        outage.lasts = True
        eventually(lambda: outage.failed >= 3, "it is tried again and again")
        before = _row(engine).until
        assert not held.lost
        with pytest.raises(LeaseTakenError), leased(two, "thing"):
            pass

        outage.lasts = False
        eventually(lambda: _row(engine).until > before, "it is renewed again")
        assert not held.lost
        assert _row(engine).owner == held.owner


def test_when_its_time_is_out_it_is_lost_before_another_has_it(
    engine: Engine, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=1))
    with Session(engine) as one, Session(engine) as two, leased(one, "thing") as first:
        outage.lasts = True
        monkeypatch.setattr(leases, "LEASE", timedelta(seconds=30))
        with leased(two, "thing", wait=20) as second:
            assert first.lost
            assert not second.lost
            outage.lasts = False
            before = second.until
            eventually(lambda: second.until > before, "the second renews it")
            assert first.lost
            assert _row(engine).owner == second.owner


def test_once_lost_it_stays_lost_when_the_database_is_back(
    engine: Engine, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.5))
    with Session(engine) as session, leased(session, "thing") as held:
        outage.lasts = True
        eventually(lambda: held.lost, "its time is out")
        eventually(lambda: not _is_kept(), "nobody renews it any more")
        outage.lasts = False
        assert held.lost
        assert _row(engine).until <= datetime.now(UTC)


def test_a_try_that_fails_only_when_the_time_is_out_ends_it_too(
    engine: Engine, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.5))
    with Session(engine) as session, leased(session, "thing") as held:

        def hang() -> None:
            while datetime.now(UTC) < held.until:
                time.sleep(0.01)
            outage.lasts = False

        outage.before = hang
        outage.lasts = True
        eventually(lambda: outage.failed and not _is_kept(), "nobody renews it any more")
        assert held.lost


def test_without_a_word_from_the_database_the_time_alone_ends_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.3))
    monkeypatch.setattr(leases, "RENEW_EVERY", 3600.0)
    with Session(engine) as session, leased(session, "thing") as held:
        eventually(lambda: held.lost, "its time is out")


def test_its_time_counts_from_when_it_was_got_not_from_when_it_was_asked_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever has waited for it long would find it lost, and do nothing."""
    monkeypatch.setattr(leases, "RENEW_EVERY", 3600.0)
    with Session(engine) as session:
        session.add(Lease(name="thing", owner="the dead", until=datetime.now(UTC) + timedelta(seconds=1)))
        session.commit()
        asked_at = datetime.now(UTC)
        with leased(session, "thing", wait=20) as held:
            assert held.until == _row(engine).until
            assert held.until > asked_at + leases.LEASE + timedelta(seconds=0.9)


def test_what_another_took_over_is_not_prolonged_for_a_moment(engine: Engine, outage: Outage) -> None:
    with Session(engine) as session, Session(engine) as other, leased(session, "thing") as held:
        row = other.get_one(Lease, "thing", with_for_update=True)
        row.owner, row.until = "another", datetime.now(UTC) + timedelta(hours=1)
        other.commit()
        taken_over_at = datetime.now(UTC)
        eventually(lambda: held.lost, "the loss is noticed")
        assert held.until <= taken_over_at + leases.LEASE
