"""The fence on PostgreSQL, where other workers run during a commit and the server ends abandoned transactions."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal import database
from portal.engine import leases
from portal.engine.leases import LeaseLostError, LeaseTakenError, leased
from portal.models import Lease
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
from tests.engine.fence_rows import FAR, engine_with_a_lease, names_written, under_lease, write_row


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    with engine_with_a_lease(postgres_url) as made:
        yield made


def test_takeover_waits_for_a_commit_in_progress(postgres: Engine) -> None:
    """The lease has expired, but its owner has proved it and commits: the other worker must not get it."""
    proved = threading.Event()
    tried: list[str] = []

    def take() -> None:
        proved.wait(20)
        with Session(postgres) as other:
            try:
                with leased(other, "thing"):
                    tried.append("taken over")
            except LeaseTakenError:
                tried.append("refused")

    with Session(postgres) as session, leased(session, "thing") as held:
        with Session(postgres) as other:
            other.get_one(Lease, "thing").until = datetime.now(UTC)
            other.commit()
        taker = threading.Thread(target=take)
        taker.start()

        @event.listens_for(session, "before_commit")
        def wait_for_the_taker(_session: Session) -> None:
            if not proved.is_set():
                proved.set()
                eventually(lambda: _waits_for_a_lock(postgres), "the other worker waits for the row of the lease")

        write_row(session)
        session.commit()
        taker.join(20)
        assert tried == ["refused"]
        assert not held.lost
    assert names_written(postgres) == ["work"]


def _waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as connection:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.scalar(text(waiting)))


def _wait_for_the_row(session: Session) -> None:
    session.execute(update(Lease).where(Lease.name == "work").values(until=FAR))
    session.commit()


def test_transaction_that_a_suspended_process_left_open_ends_with_its_locks(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL closes the connection. The process finds its lease lost, even if nobody has taken it."""
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr(leases, "RENEW_EVERY", 3600.0)
    with engine_with_a_lease(postgres_url) as engine, Session(engine) as session, Session(engine) as other:
        expired_at = datetime.now(UTC) + timedelta(seconds=0.7)
        steps = (
            lambda: write_row(session),
            lambda: _wait_for_the_row(other),
            lambda: eventually(lambda: datetime.now(UTC) > expired_at, "the lease expires"),
        )
        with pytest.raises(LeaseLostError):
            under_lease(session, *steps, session.commit)
        assert names_written(engine) == []
        write_row(session)
        session.commit()


def test_lost_connection_under_a_valid_lease_is_an_error(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.5)
    with engine_with_a_lease(postgres_url) as engine, Session(engine) as session, Session(engine) as other:
        with pytest.raises(DBAPIError):
            under_lease(session, lambda: write_row(session), lambda: _wait_for_the_row(other), session.commit)
        with leased(session, "thing"):
            pass
