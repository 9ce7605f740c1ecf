"""Leases while the database fails: short outages don't stop work, and no two workers ever hold the same lease."""

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
    """While it lasts, every lease renewal fails; ``before`` is called first."""

    def __init__(self, engine: Engine) -> None:
        self.lasts = False
        self.failed = 0
        self.before: Callable[[], object] = lambda: None
        event.listen(engine, "before_cursor_execute", self._fail)

    def _fail(self, *_: Any) -> None:
        if self.lasts and threading.current_thread().name.startswith("lease "):
            self.before()
            self.failed += 1
            raise OperationalError("UPDATE leases", None, Exception("the database is down"))


@pytest.fixture
def outage(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Outage:
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.05)
    return Outage(engine)


def _row(engine: Engine) -> Lease:
    with Session(engine) as session:
        return session.get_one(Lease, "thing")


def _is_being_renewed() -> bool:
    """Return whether a thread still renews the lease."""
    return any(thread.name == "lease thing" for thread in threading.enumerate())


def test_lease_survives_a_short_outage_and_is_renewed_afterwards(engine: Engine, outage: Outage) -> None:
    with Session(engine) as one, Session(engine) as two, leased(one, "thing") as held:
        outage.lasts = True
        eventually(lambda: outage.failed >= 3, "the renewal is retried")
        before = _row(engine).until
        assert not held.lost
        with pytest.raises(LeaseTakenError), leased(two, "thing"):
            pass

        outage.lasts = False
        eventually(lambda: _row(engine).until > before, "the lease is renewed again")
        assert not held.lost
        assert _row(engine).owner == held.owner


def test_expired_lease_is_lost_before_another_worker_takes_it(
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
            eventually(lambda: second.until > before, "the second worker renews it")
            assert first.lost
            assert _row(engine).owner == second.owner


def test_lost_lease_stays_lost_after_the_outage(
    engine: Engine, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.5))
    with Session(engine) as session, leased(session, "thing") as held:
        outage.lasts = True
        eventually(lambda: held.lost, "the lease expires")
        eventually(lambda: not _is_being_renewed(), "renewals stop")
        outage.lasts = False
        assert held.lost
        assert _row(engine).until <= datetime.now(UTC)


def test_renewal_that_hangs_past_the_expiry_loses_the_lease(
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
        eventually(lambda: outage.failed and not _is_being_renewed(), "renewals stop")
        assert held.lost


def test_lease_expires_without_any_answer_from_the_database(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.3))
    monkeypatch.setattr(leases, "RENEW_EVERY", 3600.0)
    with Session(engine) as session, leased(session, "thing") as held:
        eventually(lambda: held.lost, "the lease expires")


def test_lease_time_starts_when_the_lease_is_taken_not_when_it_is_requested(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a worker that waited a long time would find its lease already lost and do nothing."""
    monkeypatch.setattr(leases, "RENEW_EVERY", 3600.0)
    with Session(engine) as session:
        session.add(Lease(name="thing", owner="dead worker", until=datetime.now(UTC) + timedelta(seconds=1)))
        session.commit()
        requested_at = datetime.now(UTC)
        with leased(session, "thing", wait=20) as held:
            assert held.until == _row(engine).until
            assert held.until > requested_at + leases.LEASE + timedelta(seconds=0.9)


def test_lease_that_another_worker_took_over_is_not_extended(engine: Engine, outage: Outage) -> None:
    with Session(engine) as session, Session(engine) as other, leased(session, "thing") as held:
        row = other.get_one(Lease, "thing", with_for_update=True)
        row.owner, row.until = "another worker", datetime.now(UTC) + timedelta(hours=1)
        other.commit()
        taken_over_at = datetime.now(UTC)
        eventually(lambda: held.lost, "the loss is noticed")
        assert held.until <= taken_over_at + leases.LEASE
