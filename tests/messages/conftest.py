"""An outbox on both databases, a mail server, and a clock that only tests move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.messages.letters import Letter
from portal.messages.outbox import queue_mail, send_due
from portal.messages.recipients import Person
from portal.models import Merchant, Message, MessageKind, Role, User
from tests.conftest import settings_for
from tests.messages.mail_server import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from config import Settings

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
OWNER, TEAMMATE = "owner@fern.example", "teammate@fern.example"


@dataclass
class Outbox:
    """The outbox of merchant 816, whose people are OWNER (user 1) and TEAMMATE (user 2)."""

    engine: Engine
    settings: Settings
    now: datetime = START

    def clock(self) -> datetime:
        return self.now

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def queue(
        self,
        subject: str,
        *,
        to: str = OWNER,
        kind: MessageKind = MessageKind.INCIDENT_OPENED,
        incident_id: int | None = None,
    ) -> None:
        user_id = {OWNER: 1, TEAMMATE: 2}.get(to)
        letter = Letter(subject, subject, ["It means this."], button="View orders", path="/m/816/orders")
        with Session(self.engine) as session:
            queue_mail(
                session, self.settings, letter, to=Person(to, user_id), kind=kind,
                key=f"{kind}:{subject}:{to}", merchant_id=816 if user_id else None, incident_id=incident_id,
                unsubscribe_kind="orders_rejected", now=self.now,
            )  # fmt: skip
            session.commit()

    def send(self) -> int:
        with Session(self.engine) as session:
            return send_due(session, self.settings, self.clock)

    def send_until_nothing_is_due(self, *, hours: int) -> None:
        for _ in range(hours * 60):
            self.send()
            self.later(minutes=1)

    def messages(self) -> list[Message]:
        with Session(self.engine, expire_on_commit=False) as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    def message(self, subject: str) -> Message:
        return next(one for one in self.messages() if one.subject == subject)

    def at(self, mail_url: str) -> None:
        self.settings = replace(self.settings, mail_url=mail_url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url, **engine_options(database_url))
    yield made
    made.dispose()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Mailbox]:
    with mailbox.running():
        yield mailbox


@pytest.fixture
def outbox(engine: Engine, database_url: str) -> Outbox:
    settings = settings_for(database_url, MAIL_URL="smtp://127.0.0.1:1", PUBLIC_URL="https://portal.example")
    with Session(engine) as session:
        session.add(Merchant(id=816, name="Fern & Fable", sealed_token="", rules_changed_at=START, created_at=START))
        session.flush()
        for user_id, email in enumerate((OWNER, TEAMMATE), start=1):
            session.add(
                User(
                    id=user_id, email=email, password_hash="", session_key=email, role=Role.MERCHANT,
                    merchant_id=816, created_at=START,
                )
            )  # fmt: skip
        session.commit()
    return Outbox(engine, settings)
