"""The watch notices when Redis, a worker, the schedule or the database stops, and tells it without any of them."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, select, text

import jobs.watch
from embedded.process import send
from jobs.database_outage import GRACE
from jobs.watch import Watch
from portal.clock import utc_now
from portal.database import engine_options
from portal.fulfillment.chores import ChoreName, finish
from portal.incidents.detect.engine import WATCH_LATE, watch_findings
from portal.messages.outbox import queue_mail
from portal.models import Chore, Incident, IncidentKind
from portal.queue import ALIVE_SECONDS, Call, JobName, health, wake
from tests.conftest import settings_for
from tests.embedded.processes import eventually
from tests.fulfillment.world import Clock
from tests.jobs.test_redis_lost import LosableRedis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config import Settings
    from tests.fulfillment.world import World
    from tests.jobs.site import Site

OPERATOR = "operator@warehouse.example"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("portal.queue.utc_now", made)
    return made


def mails(settings: Settings) -> list[str]:
    """The subjects of the mails that left, oldest first."""
    from email import message_from_bytes  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    folder = Path(settings.mail_url.removeprefix("file://").partition("?")[0])
    return [message_from_bytes(path.read_bytes())["Subject"] for path in sorted(folder.glob("*.eml"))]


def open_kinds(world: World) -> set[IncidentKind]:
    with world.session() as session:
        return set(session.scalars(select(Incident.kind).where(Incident.closed_at.is_(None))))
