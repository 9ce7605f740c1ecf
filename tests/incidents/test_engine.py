"""What the watch says about the engine, from what it reads in Redis and the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.incidents.detect.engine import (
    ENGINE_KINDS,
    WATCH_LATE,
    EngineHealth,
    EngineReport,
    inspect,
    send_heartbeat,
    watch_findings,
)
from portal.incidents.record import record
from portal.models import Chore, Host, HostName, Incident, IncidentKind, Merchant, Store
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

K = IncidentKind
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SETTINGS = settings_for("sqlite://", WORKERS="3", SCHEDULES="1", POLL_SECONDS="60")
LONG_AGO = NOW - timedelta(hours=2)
WELL = EngineHealth(workers=3, schedules=1, working_since=LONG_AGO)


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = create_engine(database_url, **engine_options(database_url))
    with Session(engine, expire_on_commit=False) as made:
        yield made
    engine.dispose()


def add_store(session: Session, **columns: Any) -> None:
    session.add(Merchant(id=816, name="Fern", sealed_token="x", rules_changed_at=NOW, created_at=NOW))
    session.flush()
    given = {"connected_at": ago(days=9), "next_poll_at": ago(seconds=1), "last_polled_at": ago(seconds=61)} | columns
    session.add(Store(merchant_id=816, account_id="1", sealed_token="x", **given))
    session.commit()


def report(session: Session, **health: Any) -> EngineReport:
    return inspect(session, SETTINGS, replace(WELL, **health), NOW)


def kinds(found: EngineReport) -> set[IncidentKind]:
    return {finding.kind for finding in found.findings}


def test_nothing_is_wrong_while_everything_runs(session: Session) -> None:
    add_store(session)
    found = report(session, waiting=40, next_job_waits_since=ago(seconds=100))
    assert (found.findings, found.judged, found.can_poll) == ([], ENGINE_KINDS, True)


def test_without_redis_nothing_else_is_judged(session: Session) -> None:
    """What was open before stays open: nobody knows whether a worker runs."""
    add_store(session)
    found = inspect(session, SETTINGS, EngineHealth(redis_problem="Error 111. Connection refused."), NOW)
    assert kinds(found) == found.judged == {K.NO_REDIS}
    assert "Connection refused." in found.findings[0].explanation


@pytest.mark.parametrize(
    ("health", "kind", "title"),
    [
        ({"workers": 0}, K.NO_WORKER, "No worker is running"),
        ({"workers": 1}, K.NO_WORKER, "1 of 3 workers is running"),
        ({"workers": 2}, K.NO_WORKER, "2 of 3 workers are running"),
        ({"schedules": 0}, K.NO_SCHEDULE, "No schedule is running"),
        (
            {"waiting": 9, "next_job_waits_since": ago(minutes=4)},
            K.QUEUE_STUCK,
            "No job has been started since 2026-11-28 11:56 UTC",
        ),
    ],
)
def test_what_is_missing_is_named(session: Session, health: dict[str, Any], kind: IncidentKind, title: str) -> None:
    add_store(session)
    (finding,) = report(session, **health).findings
    assert (finding.kind, finding.title, finding.merchant_id, finding.key) == (kind, title, None, f"{kind}::")


@pytest.mark.parametrize("missing", [{"workers": 0}, {"schedules": 0}])
def test_one_cause_is_one_finding(session: Session, missing: dict[str, int]) -> None:
    """Without a worker nothing is taken from the queue and nothing is polled, and neither is a cause of its own."""
    add_store(session, next_poll_at=ago(minutes=30), last_polled_at=ago(minutes=31))
    found = report(session, waiting=9, next_job_waits_since=ago(minutes=30), **missing)
    assert len(found.findings) == 1
    assert not {K.QUEUE_STUCK, K.NO_POLL} & found.judged
    stuck = report(session, waiting=9, next_job_waits_since=ago(minutes=30))
    assert kinds(stuck) == {K.QUEUE_STUCK}
    assert K.NO_POLL not in stuck.judged


def test_a_lost_worker_was_there_until_its_last_heartbeat(session: Session) -> None:
    (finding,) = report(session, workers=2, worker_lost_at=ago(seconds=70)).findings
    assert finding.since == ago(seconds=70)


@pytest.mark.parametrize("next_poll_at", [ago(minutes=10), NOW + timedelta(seconds=29)], ids=["due", "claimed"])
def test_no_poll_although_a_worker_runs(session: Session, next_poll_at: datetime) -> None:
    """Also if a job claims the store again and again, and dies each time."""
    add_store(session, next_poll_at=next_poll_at, last_polled_at=ago(minutes=11))
    (finding,) = report(session).findings
    assert (finding.kind, finding.since) == (K.NO_POLL, ago(minutes=11))
    assert finding.title == "No store has been synced since 2026-11-28 11:49 UTC"


@pytest.mark.parametrize(
    "store",
    [
        {"last_polled_at": ago(minutes=3, seconds=50)},
        {"last_polled_at": ago(hours=1), "poll_failures": 3},
        {"last_polled_at": ago(hours=1), "next_poll_at": None},
        {"last_polled_at": None, "connected_at": ago(minutes=1)},
    ],
    ids=["almost on time", "fails on its own", "needs reconnecting", "just connected"],
)
def test_polls_that_are_not_missing(session: Session, store: dict[str, Any]) -> None:
    add_store(session, **store)
    found = report(session)
    assert found.findings == []
    assert K.NO_POLL in found.judged


def test_polls_wait_while_big_cartel_fails(session: Session) -> None:
    add_store(session, last_polled_at=ago(hours=1))
    session.add(Host(name=HostName.BIG_CARTEL, failing_since=ago(minutes=59), error="x", probe_at=NOW))
    session.commit()
    found = report(session)
    assert found.findings == []
    assert not found.can_poll, "after the failure, the time starts over"


@pytest.mark.parametrize("working_since", [None, ago(minutes=2)])
def test_a_watch_that_has_just_started_says_nothing_about_missing_polls(
    session: Session, working_since: datetime | None
) -> None:
    """It neither opens the incident nor closes another watch's."""
    add_store(session, last_polled_at=ago(minutes=11))
    first = report(session)
    record(session, first.findings, kinds=first.judged, now=NOW)
    second = report(session, working_since=working_since)
    assert K.NO_POLL not in second.judged
    record(session, second.findings, kinds=second.judged, now=NOW)
    assert session.query(Incident).one().closed_at is None


def test_a_watch_is_missed_only_if_one_has_ever_run(session: Session) -> None:
    assert watch_findings(session, NOW) == []
    send_heartbeat(session, ago(minutes=5))
    (finding,) = watch_findings(session, NOW)
    assert (finding.kind, finding.title, finding.since) == (K.NO_WATCH, "No watch is running", ago(minutes=5))
    send_heartbeat(session, NOW)
    assert watch_findings(session, NOW + WATCH_LATE - timedelta(seconds=1)) == []


@pytest.mark.parametrize("missing", [{"workers": 0}, {"schedules": 0}])
def test_what_is_over_ends_although_something_else_is_missing(session: Session, missing: dict[str, int]) -> None:
    """The queue drains and polls are on time, so neither is an incident, and the time to miss polls starts over."""
    add_store(session)
    found = report(session, **missing)
    assert {K.QUEUE_STUCK, K.NO_POLL} <= found.judged
    assert not found.can_poll


@pytest.mark.parametrize("missing", [{"workers": 0}, {"schedules": 0}])
def test_polls_are_not_missed_while_nothing_polls(session: Session, missing: dict[str, int]) -> None:
    add_store(session, last_polled_at=ago(minutes=31))
    found = report(session, **missing)
    assert len(found.findings) == 1
    assert K.NO_POLL not in found.judged


def test_three_minutes_are_too_long_for_a_job_and_for_a_late_poll(session: Session) -> None:
    """Not a second less: a long job is no trouble."""
    add_store(session, last_polled_at=ago(minutes=3, seconds=59))
    almost = report(session, waiting=1, next_job_waits_since=ago(minutes=2, seconds=59))
    assert almost.findings == []
    session.query(Store).update({"last_polled_at": ago(minutes=4)})
    session.commit()
    assert kinds(report(session)) == {K.NO_POLL}
    assert kinds(report(session, waiting=1, next_job_waits_since=ago(minutes=3))) == {K.QUEUE_STUCK}


def test_one_store_on_time_means_that_polls_happen(session: Session) -> None:
    add_store(session, last_polled_at=ago(minutes=31))
    session.add(
        Store(
            merchant_id=816, account_id="2", sealed_token="x", connected_at=ago(days=1), last_polled_at=ago(minutes=1)
        )
    )
    session.commit()
    assert report(session).findings == []


def test_stores_that_were_never_polled_count_from_the_first_connection(session: Session) -> None:
    add_store(session, connected_at=ago(minutes=31), last_polled_at=None)
    session.add(Store(merchant_id=816, account_id="2", sealed_token="x", connected_at=ago(minutes=1), next_poll_at=NOW))
    session.commit()
    (finding,) = report(session).findings
    assert (finding.kind, finding.since) == (K.NO_POLL, ago(minutes=31))


def test_a_chore_that_is_late_is_not_a_missing_watch(session: Session) -> None:
    session.add(Chore(name="messages", due_at=ago(hours=1)))
    session.commit()
    assert watch_findings(session, NOW) == []
