"""A lease is a fence: what lost it commits nothing, on both databases."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal import database
from portal.database import engine_options
from portal.engine import leases
from portal.engine.leases import LeaseLostError, LeaseTakenError, leased
from portal.models import Lease
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

FAR = datetime(2100, 1, 1, tzinfo=UTC)
"""The work of these tests is done on other rows of the table of leases."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with _engine(database_url) as made:
        yield made


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    with _engine(postgres_url) as made:
        yield made


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    made = create_engine(url, **engine_options(url))
    with Session(made) as session:
        session.add(Lease(name="work", owner="before", until=FAR))
        session.commit()
    yield made
    made.dispose()


def _row(engine: Engine, name: str = "thing") -> Lease:
    with Session(engine) as session:
        return session.get_one(Lease, name)


def _take_over(engine: Engine, name: str = "thing") -> None:
    with Session(engine) as session:
        session.execute(update(Lease).where(Lease.name == name).values(owner="another worker", until=FAR))
        session.commit()


def _under_lease(session: Session, *steps: Callable[[], object], name: str = "thing") -> None:
    with leased(session, name):
        for step in steps:
            step()


def _fail() -> None:
    raise KeyError("a bug")


def _change_object(session: Session) -> None:
    session.get_one(Lease, "work").owner = "after"


def _update(session: Session) -> None:
    session.execute(update(Lease).where(Lease.name == "work").values(owner="after"))


def _update_on_the_connection(session: Session) -> None:
    session.connection().execute(update(Lease).where(Lease.name == "work").values(owner="after"))


def _update_in_a_savepoint(session: Session) -> None:
    with session.begin_nested():
        _update(session)


def _insert(session: Session) -> None:
    session.execute(insert(Lease), [{"name": f"new {n}", "owner": "after", "until": FAR} for n in range(3)])


def _text(session: Session) -> None:
    session.execute(text("UPDATE leases SET owner = 'after' WHERE name = 'work'"))


WRITES = (_change_object, _update, _update_on_the_connection, _update_in_a_savepoint, _insert, _text)


def _names_written(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return list(session.scalars(select(Lease.name).where(Lease.owner == "after")))


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_work_that_lost_its_lease_commits_nothing(
    engine: Engine, write: Callable[[Session], None], at_the_end: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with Session(engine) as session:
        steps = [lambda: _take_over(engine), lambda: write(session), session.commit]
        with pytest.raises(LeaseLostError):
            _under_lease(session, *steps[: 2 if at_the_end else 3])
        assert not session.in_transaction()
    assert _names_written(engine) == []
    assert (_row(engine).owner, _row(engine).until) == ("another worker", FAR)
    assert [record.__dict__["lease"] for record in caplog.records if record.message == "lease.lost"] == ["thing"]


@pytest.mark.parametrize("write", WRITES)
def test_work_under_its_own_lease_is_committed(engine: Engine, write: Callable[[Session], None]) -> None:
    with Session(engine) as session, leased(session, "thing"):
        write(session)
        session.commit()
        assert _names_written(engine)


def test_work_that_goes_on_after_losing_its_lease_still_commits_nothing(engine: Engine) -> None:
    def fail_to_commit() -> None:
        _update(session)
        with pytest.raises(LeaseLostError):
            session.commit()
        session.rollback()

    with Session(engine) as session, pytest.raises(LeaseLostError):
        _under_lease(session, lambda: _take_over(engine), fail_to_commit, fail_to_commit, lambda: _insert(session))
    assert _names_written(engine) == []


def test_session_works_again_after_it_lost_a_lease(engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(LeaseLostError):
            _under_lease(session, lambda: _take_over(engine), lambda: _update(session))
        _insert(session)
        session.commit()
        with leased(session, "another thing"):
            _update(session)
    assert "work" in _names_written(engine)


def test_transaction_that_only_read_commits_without_its_lease(engine: Engine) -> None:
    with Session(engine) as session:
        with leased(session, "thing") as held:
            _take_over(engine)
            assert session.get_one(Lease, "work").owner == "before"
            session.commit()
            session.commit()
        assert held.lost
    assert (_row(engine).owner, _row(engine).until) == ("another worker", FAR)


def test_commit_renews_the_lease(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        first = held.until
        _update(session)
        session.commit()
        assert held.until > first
        assert _row(engine).until == held.until


def test_rollback_does_not_renew_the_lease(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        first = held.until
        _update(session)
        session.rollback()
        session.get_one(Lease, "work")
        session.commit()
        assert held.until == first == _row(engine).until


def test_expired_lease_that_nobody_took_is_renewed_by_a_commit(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        with Session(engine) as other:
            other.get_one(Lease, "thing").until = held.until = datetime.now(UTC)
            other.commit()
        _update(session)
        session.commit()
        assert not held.lost
        with Session(engine) as other, pytest.raises(LeaseTakenError), leased(other, "thing"):
            pass


def test_thread_renews_only_what_no_commit_has_renewed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.4)
    by_thread: list[str] = []

    @event.listens_for(engine, "begin")
    def count(_connection: Connection) -> None:
        if threading.current_thread().name == "lease thing":
            by_thread.append("renewal")

    with Session(engine) as session, leased(session, "thing") as held:
        ends = datetime.now(UTC) + timedelta(seconds=1.2)
        pause = threading.Event()
        latest_gap = timedelta()
        while datetime.now(UTC) < ends:
            before = held.renewed_at
            _update(session)
            session.commit()
            latest_gap = max(latest_gap, held.renewed_at - before)
            pause.wait(0.02)
        if latest_gap < timedelta(seconds=0.4):  # the machine is not too busy for the commits
            assert by_thread == []
        first = held.until
        eventually(lambda: held.until > first, "the thread renews the lease")
    assert by_thread


def test_last_writes_and_the_release_are_one_transaction(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing"):
        _update(session)
        session.flush()
        committed: list[str] = []
        event.listen(engine, "commit", lambda _: committed.append(threading.current_thread().name))
    assert len(committed) == 1
    assert _names_written(engine) == ["work"]
    with Session(engine) as session, leased(session, "thing"):
        pass


def test_exception_rolls_back_and_releases(engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(KeyError):
            _under_lease(session, lambda: _update(session), _fail)
        with leased(session, "thing"):
            pass
    assert _names_written(engine) == []


@pytest.mark.parametrize("lost", ["outer", "inner"])
def test_commit_proves_all_leases_of_the_session(engine: Engine, lost: str) -> None:
    with Session(engine) as session:
        steps = lambda: _take_over(engine, lost), lambda: _update(session), session.commit
        with pytest.raises(LeaseLostError, match=lost), leased(session, "outer"):
            _under_lease(session, *steps, name="inner")
        with Session(engine) as other, leased(other, "inner" if lost == "outer" else "outer"):
            pass
    assert _names_written(engine) == []


def test_commit_after_an_inner_lease_ended_proves_the_outer_one_only(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "outer"):
        with leased(session, "inner"):
            pass
        _take_over(engine, "inner")
        _update(session)
        session.commit()
    assert _names_written(engine) == ["work"]


def test_late_renewal_does_not_bring_a_released_lease_back(engine: Engine) -> None:
    with Session(engine) as session:
        with leased(session, "thing") as held:
            pass
        with engine.begin() as connection:
            assert not leases._extend(connection, held, datetime.now(UTC))
        with leased(session, "thing"):
            pass


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

        _update(session)
        session.commit()
        taker.join(20)
        assert tried == ["refused"]
        assert not held.lost
    assert _names_written(postgres) == ["work"]


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
    with _engine(postgres_url) as engine, Session(engine) as session, Session(engine) as other:
        expired_at = datetime.now(UTC) + timedelta(seconds=0.7)
        steps = (
            lambda: _update(session),
            lambda: _wait_for_the_row(other),
            lambda: eventually(lambda: datetime.now(UTC) > expired_at, "the lease expires"),
        )
        with pytest.raises(LeaseLostError):
            _under_lease(session, *steps, session.commit)
        assert _names_written(engine) == []
        _update(session)
        session.commit()


def test_lost_connection_under_a_valid_lease_is_an_error(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.5)
    with _engine(postgres_url) as engine, Session(engine) as session, Session(engine) as other:
        with pytest.raises(DBAPIError):
            _under_lease(session, lambda: _update(session), lambda: _wait_for_the_row(other), session.commit)
        with leased(session, "thing"):
            pass
