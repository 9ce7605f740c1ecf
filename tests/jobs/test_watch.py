"""The watch notices when Redis, a worker, the schedule or the database stops, and tells it without any of them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from sqlalchemy import select, text

import jobs.watch
from embedded.process import send
from jobs.database_outage import GRACE
from portal.fulfillment.chores import ChoreName, finish
from portal.incidents.detect.engine import WATCH_LATE, watch_findings
from portal.models import Chore, Incident, IncidentKind
from portal.queue import ALIVE_SECONDS, QUEUE, Call, JobName, connect, health, wake
from tests.embedded.processes import eventually
from tests.jobs.test_redis_lost import LosableRedis
from tests.jobs.watched import Watched
from tests.outages import database_away

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.fulfillment.world import World
    from tests.jobs.site import Site

    Outage = Callable[[], AbstractContextManager[None]]

K = IncidentKind


@pytest.fixture
def watched(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("portal.queue.utc_now", world.clock)
    return Watched(world, tmp_path / "mail")


@pytest.fixture
def losable_redis(tmp_path: Path) -> Iterator[LosableRedis]:
    folder = tmp_path / "losable-redis"
    folder.mkdir()
    made = LosableRedis(folder)
    yield made
    made.lose()


def test_killed_worker_is_found_within_a_minute(small_portal: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.queue.utc_now", small_portal.world.clock)
    watched = Watched(small_portal.world, small_portal.folder / "mail")
    worker = small_portal.start("jobs.worker")
    small_portal.start("jobs.schedule")

    def running() -> tuple[int, int]:
        with small_portal.redis as connection:
            found = health(connection)
        return found["workers"], found["schedules"]

    eventually(lambda: running() == (1, 1), "both are running", seconds=30)
    watched.look()
    assert watched.open() == set()
    worker.kill()
    watched.clock.forward(seconds=ALIVE_SECONDS)
    watched.beat(workers=0)  # the schedule's, which by the moved clock is as late as the worker's
    watched.look()
    assert watched.open() == {K.NO_WORKER}
    watched.look(seconds=75)
    assert watched.queued() == []


def test_restart_within_a_minute_is_told_to_nobody(watched: Watched) -> None:
    watched.beat()
    watched.look()
    watched.look(seconds=ALIVE_SECONDS + 1)
    assert K.NO_WORKER in watched.open()
    watched.clock.forward(seconds=50)
    watched.beat()
    watched.look()
    assert watched.open() == set()
    watched.look(minutes=10)
    watched.beat()
    assert watched.mails() == [] == watched.queued()


def test_two_watches_tell_once_that_the_worker_is_gone(watched: Watched) -> None:
    watched.beat(workers=0)
    watched.look()
    for _ in range(10):
        watched.clock.forward(seconds=15)
        watched.beat(workers=0)
        watched.look()
    assert len(watched.mails()) == 1
    assert "No worker is running" in watched.mails()[0]
    for _ in range(6):
        watched.clock.forward(seconds=15)
        watched.beat()
        watched.look()
    watched.look(seconds=45)
    assert len(watched.queued()) == 2


class TestWithoutRedis:
    @pytest.fixture
    def redis_url(self, losable_redis: LosableRedis) -> str:
        return losable_redis.url

    def test_it_is_told_by_the_watch_alone(self, watched: Watched, losable_redis: LosableRedis) -> None:
        watched.beat()
        watched.look()
        losable_redis.lose()
        watched.look(seconds=15)
        assert watched.open() == {K.NO_REDIS}
        watched.look(seconds=60)
        assert watched.mails() == []
        watched.look(seconds=60)
        assert len(watched.mails()) == 1
        assert "Redis can't be reached" in watched.mails()[0]
        watched.look(minutes=5)
        losable_redis.start()
        watched.beat()
        watched.look()
        assert watched.open() == set()

    def test_database_and_redis_away_together(
        self, watched: Watched, losable_redis: LosableRedis, away: Outage
    ) -> None:
        """Both watches tell it then, because only Redis could say that one has."""
        losable_redis.lose()
        with away():
            watched.look()
            watched.look(minutes=3)
            watched.look(minutes=3)
        watched.look()
        assert sorted(set(watched.mails())) == ["The database can't be reached", "The database is back"]
        assert len(watched.mails()) == 4


@pytest.fixture
def away(watched: Watched, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Outage:
    """A context without database."""
    monkeypatch.setattr("portal.database.BUSY_SECONDS", 0.05)
    watched.first, watched.second = watched.watch(), watched.watch()

    url = watched.settings.database_url
    return lambda: database_away(url, lambda: str(request.getfixturevalue("postgres_server")))


def test_lost_database_is_told_once_and_its_return_once(
    watched: Watched, away: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    watched.beat()
    watched.look()
    with away():
        watched.look()
        watched.look(seconds=GRACE.total_seconds() - 1)
        assert watched.mails() == []
        watched.look(seconds=1)
        watched.second = watched.watch()  # restarted meanwhile
        watched.look(minutes=10)
        watched.look(minutes=10)
        assert watched.mails() == ["The database can't be reached"]
    watched.first = watched.watch()
    watched.beat()
    watched.look()
    watched.look(minutes=10)
    assert watched.mails() == ["The database can't be reached", "The database is back"]
    assert [record.message for record in caplog.records].count("watch.database_away") == 2 + 1


def test_short_loss_of_the_database_is_told_to_nobody(watched: Watched, away: Outage) -> None:
    with away():
        watched.look()
        watched.look(seconds=30)
    watched.beat()
    watched.look(seconds=15)
    assert watched.mails() == []
    with watched.world.session() as session:
        assert watch_findings(session, watched.clock()) == []


def test_mail_server_away_is_tried_again(watched: Watched, away: Outage) -> None:
    watched.folder.write_text("not a folder")
    with away():
        watched.look()
        watched.look(minutes=3)
        watched.folder.unlink()
        watched.look(seconds=15)
        assert watched.mails() == ["The database can't be reached"]


class TestOnPostgres:
    @pytest.fixture
    def database_url(self, postgres_url: str) -> str:
        return postgres_url

    def test_database_that_hangs_counts_as_away(self, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that takes a statement and never answers, as a suspended one does."""
        monkeypatch.setattr(jobs.watch, "DATABASE_SECONDS", 1)
        watched.beat()
        with watched.world.engine.connect() as other:
            other.execute(text("LOCK TABLE chores IN ACCESS EXCLUSIVE MODE"))
            watched.first.look_around()
            watched.clock.forward(minutes=3)
            watched.beat()
            watched.first.look_around()
            assert watched.mails() == ["The database can't be reached"]
        watched.beat()
        watched.first.look_around()
        assert watched.mails() == ["The database can't be reached", "The database is back"]


def test_workers_have_half_a_minute_before_the_watch_does_their_chores(watched: Watched) -> None:
    watched.beat()
    with watched.world.session() as session:
        for name in (ChoreName.INCIDENTS, ChoreName.MESSAGES):
            session.add(Chore(name=name, due_at=watched.clock()))
        session.commit()
        finish(session, ChoreName.INCIDENTS, watched.clock())  # due in 15 seconds

    def due_in() -> float:
        with watched.world.session() as session:
            due_at = session.scalars(select(Chore.due_at).where(Chore.name == ChoreName.INCIDENTS)).one()
        return (due_at - watched.clock()).total_seconds()

    watched.clock.forward(seconds=30)
    watched.beat()
    watched.look()
    assert due_in() < 0
    watched.look(seconds=16)
    assert due_in() > 0


def test_a_look_that_fails_ends_neither_the_watch_nor_the_sending(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[object] = []

    def fails(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(
        jobs.watch, "CHORES", {ChoreName.INCIDENTS: fails, ChoreName.MESSAGES: lambda *given: sent.append(given)}
    )
    watched.first.look_around()
    assert len(sent) == 1
    assert "watch.failed" in [record.message for record in caplog.records]


def test_jobs_that_nobody_takes_are_found(watched: Watched) -> None:
    with connect(watched.settings.redis_url) as connection:
        wake(connection, [Call(JobName.TICK), Call(JobName.PURGE)])
    watched.clock.forward(minutes=3)
    watched.beat()
    watched.look()
    assert watched.open() == {K.QUEUE_STUCK}
    with watched.world.session() as session:
        assert "2 jobs wait" in session.scalars(select(Incident.explanation)).one()


def test_garbage_in_redis_doesnt_disturb_the_watch(watched: Watched) -> None:
    watched.beat()
    with connect(watched.settings.redis_url) as connection:
        connection.sadd(WORKERS_BY_QUEUE_KEY % QUEUE, b"\xff", "rq:worker:other")
        connection.hset("rq:worker:other", "last_heartbeat", b"\xff")
        connection.rpush(f"rq:queue:{QUEUE}", b"\xff-\xff")
    watched.look()
    assert watched.open() == set()


def test_the_program_stops_on_sigterm_and_its_end_is_noticed(small_portal: Site) -> None:
    program = small_portal.start("jobs.watch")
    world = small_portal.world

    def has_beaten() -> bool:
        with world.session() as session:
            return session.scalar(select(Chore.name).where(Chore.name == "watch")) is not None

    eventually(has_beaten, f"the watch has looked; its output:\n{program.output()}", seconds=30)
    send(program.pid, signal.SIGTERM)
    assert program.wait_until_dead() == 0
    assert "Traceback" not in program.output()
    with world.session() as session:
        assert watch_findings(session, world.clock()) == []
        (finding,) = watch_findings(session, world.clock() + WATCH_LATE)
    assert finding.kind is K.NO_WATCH
