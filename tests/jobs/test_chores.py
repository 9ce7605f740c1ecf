"""Daily work that falls due while something is down runs late, not a day later, and two workers don't both do it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import RedisError
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

import jobs.purge
from jobs.tick import tick
from portal import create_app
from portal.database import engine_options
from portal.extensions import db
from portal.fulfillment import purge
from portal.fulfillment.chores import RHYTHMS, ChoreName, claim, finish
from portal.fulfillment.due import due_chores
from portal.models import Channel, Chore, Message, MessageKind
from portal.queue import JOB_TIMEOUT, JobName, connect_briefly, open_queue
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.jobs.site import Site

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PURGE = ChoreName.PURGE
CLAIM = RHYTHMS[PURGE].claim


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = create_engine(database_url, **engine_options(database_url))
    with Session(engine) as made:
        yield made
    engine.dispose()


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    """An app whose Redis is down."""
    app = create_app(settings_for(sqlite_url, REDIS_URL="redis://127.0.0.1:1/0"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def due_at() -> datetime:
    found = db.session.scalars(select(Chore.due_at).where(Chore.name == PURGE)).one()
    db.session.commit()
    return found


def waiting(redis_url: str) -> list[str]:
    with connect_briefly(redis_url) as connection:
        return [job_id.rpartition("-")[0] for job_id in open_queue(connection).get_job_ids()]


def test_every_chore_has_a_job_and_an_interval() -> None:
    assert {JobName[name.name] for name in ChoreName} <= set(JobName)
    assert set(RHYTHMS) == set(ChoreName)


@pytest.mark.parametrize("name", list(ChoreName))
def test_chore_is_due_until_it_is_finished(session: Session, name: ChoreName) -> None:
    """A claim takes it off the list for a while only: its worker may die."""
    every, length = RHYTHMS[name].every, RHYTHMS[name].claim
    others = [other for other in ChoreName if other is not name]
    assert due_chores(session, NOW) == list(ChoreName)
    assert claim(session, name, NOW)
    assert due_chores(session, NOW) == others
    assert not claim(session, name, NOW)

    later = NOW + length
    assert due_chores(session, later) == list(ChoreName)
    assert claim(session, name, later)
    finish(session, name, later)
    assert due_chores(session, later + every - timedelta(seconds=1)) == others
    assert due_chores(session, later + every) == list(ChoreName)


def test_no_second_copy_of_the_purge_starts_while_a_job_may_run() -> None:
    assert CLAIM.total_seconds() >= JOB_TIMEOUT


@pytest.mark.parametrize("name", [ChoreName.INCIDENTS, ChoreName.MESSAGES])
def test_a_dead_worker_holds_up_what_is_wrong_for_a_minute_at_most(name: ChoreName) -> None:
    assert RHYTHMS[name].claim <= timedelta(minutes=1)


@pytest.mark.parametrize("has_run", [True, False])
def test_one_of_two_workers_claims_a_chore(session: Session, has_run: bool) -> None:
    if has_run:
        session.add(Chore(name=PURGE, due_at=NOW - DAY))
        session.commit()
    ready, got = threading.Barrier(2), []

    def work() -> None:
        with Session(session.get_bind()) as own:
            ready.wait(10)
            got.append(claim(own, PURGE, NOW))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(40)
    assert sorted(got) == [False, True]


def test_purge_that_falls_due_without_redis_is_woken_when_redis_is_back(app: Flask, redis_url: str) -> None:
    with pytest.raises(RedisError):
        tick()
    db.session.rollback()
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], redis_url=redis_url)
    tick()
    assert set(waiting(redis_url)) == {name.value for name in ChoreName}
    jobs.purge.purge()
    assert due_at() > datetime.now(UTC) + DAY - timedelta(minutes=1)


def test_purge_that_is_not_due_does_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older schedule may still enqueue it, and two copies may wait on the queue."""
    purges = iter([[0]])
    monkeypatch.setattr(jobs.purge, "purge_orders", lambda *_, **__: next(purges))
    jobs.purge.purge()
    jobs.purge.purge()
    assert list(purges) == []


def test_purge_with_much_to_do_lets_others_work_in_between(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "BATCH", 2)
    monkeypatch.setattr(jobs.purge, "RUN_SECONDS", 0)
    long_ago = datetime.now(UTC) - 100 * DAY
    for key in ("a", "b", "c"):
        fields = {"kind": MessageKind.TEST, "recipient": "a@example.com", "subject": "", "text": ""}
        db.session.add(Message(key=key, channel=Channel.EMAIL, created_at=long_ago, **fields))
    db.session.commit()
    left = []
    for _ in range(3):
        jobs.purge.purge()
        left.append(db.session.scalar(select(func.count(Message.id))))
        is_due_at_once = due_at() <= datetime.now(UTC)
        assert is_due_at_once == (len(left) < 3)
    assert left == [1, 0, 0]


def test_purge_that_fails_is_due_again_soon(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Iterator[int]:
        raise ConnectionError

    monkeypatch.setattr(jobs.purge, "purge_orders", fail)
    with pytest.raises(ConnectionError):
        jobs.purge.purge()
    assert due_at() <= datetime.now(UTC) + CLAIM


def test_a_worker_purges_once_a_day(small_portal: Site) -> None:
    def next_purge() -> datetime | None:
        with small_portal.world.session() as session:
            return session.scalar(select(Chore.due_at).where(Chore.name == PURGE))

    small_portal.start_worker()
    small_portal.until(lambda: (next_purge() or NOW) > datetime.now(UTC) + DAY - timedelta(minutes=1), "it purges")
