"""Watches of a portal, and what they found and mailed."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from typing import TYPE_CHECKING

from rq import cron_scheduler_registry
from rq.utils import utcformat
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from sqlalchemy import select

from jobs.watch import Watch
from portal.models import Incident, IncidentKind, Message
from portal.queue import QUEUE, connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fulfillment.world import World

OPERATOR = "operator@warehouse.example"


class Watched:
    """Watches of a portal, with a clock that the test moves."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder, self.clock = world, folder, world.clock
        self.settings = replace(world.settings, operator_email=OPERATOR, mail_url=f"file://{folder}")
        self.first, self.second = self.watch(), self.watch()

    def watch(self) -> Watch:
        return Watch(self.settings, self.clock)

    def look(self, **later: float) -> None:
        """Both watches look, after some time."""
        self.clock.forward(**later)
        for watch in (self.first, self.second):
            watch.look_around()

    def beat(self, *, workers: int = 1, schedules: int = 1) -> None:
        """Send the heartbeats of workers and schedules by the moved clock."""
        now = self.clock()
        with connect(self.settings.redis_url) as connection:
            for number in range(workers):
                key = f"rq:worker:{number}"
                connection.sadd(WORKERS_BY_QUEUE_KEY % QUEUE, key)
                connection.hset(key, "last_heartbeat", utcformat(now))
            for number in range(schedules):
                connection.zadd(cron_scheduler_registry.get_registry_key(), {str(number): now.timestamp()})

    def open(self) -> set[IncidentKind]:
        with self.world.session() as session:
            return set(session.scalars(select(Incident.kind).where(Incident.closed_at.is_(None))))

    def mails(self) -> list[str]:
        """The subjects of the mails that were sent, oldest first."""
        return [str(message_from_bytes(path.read_bytes())["Subject"]) for path in sorted(self.folder.glob("*.eml"))]

    def queued(self) -> list[str]:
        with self.world.session() as session:
            return list(session.scalars(select(Message.subject).order_by(Message.id)))
