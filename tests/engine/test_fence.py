"""A lease is a fence: what lost it commits nothing, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, insert, text, update
from sqlalchemy.orm import Session

from portal.engine import leases
from portal.engine.leases import LeaseLostError, LeaseTakenError, leased
from portal.models import Lease
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine
from tests.engine.fence_rows import (
    FAR,
    engine_with_a_lease,
    lease_row,
    names_written,
    take_over,
    under_lease,
    write_row,
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with engine_with_a_lease(database_url) as made:
        yield made


def _fail() -> None:
    raise KeyError("a bug")


def _change_object(session: Session) -> None:
    session.get_one(Lease, "work").owner = "after"


def _update_on_the_connection(session: Session) -> None:
    session.connection().execute(update(Lease).where(Lease.name == "work").values(owner="after"))


def _update_in_a_savepoint(session: Session) -> None:
    with session.begin_nested():
        write_row(session)


def _insert(session: Session) -> None:
    session.execute(insert(Lease), [{"name": f"new {n}", "owner": "after", "until": FAR} for n in range(3)])


def _text(session: Session) -> None:
    session.execute(text("UPDATE leases SET owner = 'after' WHERE name = 'work'"))


WRITES = (_change_object, write_row, _update_on_the_connection, _update_in_a_savepoint, _insert, _text)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_work_that_lost_its_lease_commits_nothing(
    engine: Engine, write: Callable[[Session], None], at_the_end: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with Session(engine) as session:
        steps = [lambda: take_over(engine), lambda: write(session), session.commit]
        with pytest.raises(LeaseLostError):
            under_lease(session, *steps[: 2 if at_the_end else 3])
        assert not session.in_transaction()
    assert names_written(engine) == []
    assert (lease_row(engine).owner, lease_row(engine).until) == ("another worker", FAR)
    assert [record.__dict__["lease"] for record in caplog.records if record.message == "lease.lost"] == ["thing"]


@pytest.mark.parametrize("write", WRITES)
def test_work_under_its_own_lease_is_committed(engine: Engine, write: Callable[[Session], None]) -> None:
    with Session(engine) as session, leased(session, "thing"):
        write(session)
        session.commit()
        assert names_written(engine)


def test_work_that_goes_on_after_losing_its_lease_still_commits_nothing(engine: Engine) -> None:
    def fail_to_commit() -> None:
        write_row(session)
        with pytest.raises(LeaseLostError):
            session.commit()
        session.rollback()

    with Session(engine) as session, pytest.raises(LeaseLostError):
        under_lease(session, lambda: take_over(engine), fail_to_commit, fail_to_commit, lambda: _insert(session))
    assert names_written(engine) == []


def test_session_works_again_after_it_lost_a_lease(engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(LeaseLostError):
            under_lease(session, lambda: take_over(engine), lambda: write_row(session))
        _insert(session)
        session.commit()
        with leased(session, "another thing"):
            write_row(session)
    assert "work" in names_written(engine)


def test_transaction_that_only_read_commits_without_its_lease(engine: Engine) -> None:
    with Session(engine) as session:
        with leased(session, "thing") as held:
            take_over(engine)
            assert session.get_one(Lease, "work").owner == "before"
            session.commit()
            session.commit()
        assert held.lost
    assert (lease_row(engine).owner, lease_row(engine).until) == ("another worker", FAR)


def test_commit_renews_the_lease(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        first = held.until
        write_row(session)
        session.commit()
        assert held.until > first
        assert lease_row(engine).until == held.until


def test_rollback_does_not_renew_the_lease(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        first = held.until
        write_row(session)
        session.rollback()
        session.get_one(Lease, "work")
        session.commit()
        assert held.until == first == lease_row(engine).until


def test_expired_lease_that_nobody_took_is_renewed_by_a_commit(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "thing") as held:
        with Session(engine) as other:
            other.get_one(Lease, "thing").until = held.until = datetime.now(UTC)
            other.commit()
        write_row(session)
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
            write_row(session)
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
        write_row(session)
        session.flush()
        committed: list[str] = []
        event.listen(engine, "commit", lambda _: committed.append(threading.current_thread().name))
    assert len(committed) == 1
    assert names_written(engine) == ["work"]
    with Session(engine) as session, leased(session, "thing"):
        pass


def test_exception_rolls_back_and_releases(engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(KeyError):
            under_lease(session, lambda: write_row(session), _fail)
        with leased(session, "thing"):
            pass
    assert names_written(engine) == []


@pytest.mark.parametrize("lost", ["outer", "inner"])
def test_commit_proves_all_leases_of_the_session(engine: Engine, lost: str) -> None:
    with Session(engine) as session:
        steps = lambda: take_over(engine, lost), lambda: write_row(session), session.commit
        with pytest.raises(LeaseLostError, match=lost), leased(session, "outer"):
            under_lease(session, *steps, name="inner")
        with Session(engine) as other, leased(other, "inner" if lost == "outer" else "outer"):
            pass
    assert names_written(engine) == []


def test_commit_after_an_inner_lease_ended_proves_the_outer_one_only(engine: Engine) -> None:
    with Session(engine) as session, leased(session, "outer"):
        with leased(session, "inner"):
            pass
        take_over(engine, "inner")
        write_row(session)
        session.commit()
    assert names_written(engine) == ["work"]


def test_late_renewal_does_not_bring_a_released_lease_back(engine: Engine) -> None:
    with Session(engine) as session:
        with leased(session, "thing") as held:
            pass
        with engine.begin() as connection:
            assert not leases._extend(connection, held, datetime.now(UTC))
        with leased(session, "thing"):
            pass
