"""Rows for the pages about incidents, messages, notes and changes after sending."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from config import load_settings
from portal.clock import utc_now
from portal.crypto import seal
from portal.database import engine_options
from portal.messages.unsubscribe import unsubscribe_url
from portal.models import (
    ChangeAfterSending,
    Channel,
    Incident,
    IncidentEvent,
    IncidentKind,
    Message,
    MessageKind,
    Note,
    Order,
    OrderState,
    StoredDifference,
    User,
    WebhookEndpoint,
    WebhookFormat,
)
from tests.browser.site import OWNER, SUPPORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from config import Settings
    from tests.browser.site import Site

LONG = "x" * 300
TEXTS = ("Please hold the parcel.\n\nThe buyer moves on Friday.", f"שלום 👋 {LONG}", "<script>alert(1)</script>")
CHANGES: list[StoredDifference] = [
    {"field": "Street", "before": "1 Old Road", "after": f"2 {LONG}"},
    {"field": "Apartment", "before": "", "after": "12 B"},
]


@dataclass(frozen=True, slots=True)
class Records:
    """Paths of the pages that show the rows."""

    open_incident: str
    closed_incident: str
    outage: str
    changed_order: str
    unsubscribe: str
    unsubscribed: str


def add_records(site: Site) -> Records:
    """Add one of each to merchant 816, and return where they are shown."""
    settings = load_settings(site.environ)
    with _session(site) as session:
        now = utc_now()
        owner = session.scalars(select(User).where(User.email == OWNER)).one()
        order = session.scalars(select(Order).where(Order.state == OrderState.SUBMITTED)).first()
        assert order is not None, "no order is at the warehouse"
        session.add(ChangeAfterSending(order_id=order.id, merchant_id=816, at=now, fields=CHANGES))
        for number, text in enumerate(TEXTS):
            for order_id in (order.id, None):
                author = (OWNER, SUPPORT)[number % 2]
                note = Note(merchant_id=816, order_id=order_id, at=now, author=author, text=text)
                note.is_by_support = author == SUPPORT
                session.add(note)
        closed = _incident(session, IncidentKind.ORDERS_ON_HOLD, 816, now, numbers=[order.number, "GONE-000001"])
        outage = _incident(session, IncidentKind.HOST_FAILING, None, now, numbers=[])
        _incident(session, IncidentKind.NO_SCHEDULE, None, now, numbers=[], is_open=True)
        _add_webhook(session, settings, closed, now)
        owner.muted = [IncidentKind.ORDERS_ON_HOLD.value]
        rejected = session.scalars(select(Incident.id).where(Incident.kind == IncidentKind.ORDERS_REJECTED)).one()
        session.commit()
        return Records(
            open_incident=f"/m/816/incidents/{rejected}",
            closed_incident=f"/m/816/incidents/{closed.id}",
            outage=f"/m/816/incidents/{outage.id}",
            changed_order=f"/m/816/orders/{order.number}",
            unsubscribe=_path(site, unsubscribe_url(settings, owner.id, MessageKind.MORNING_NOTE)),
            unsubscribed=_path(site, unsubscribe_url(settings, owner.id, IncidentKind.ORDERS_ON_HOLD)),
        )


def has_open_incident(site: Site) -> bool:
    """Return whether the jobs have opened the incident about the order that the sandbox's warehouse rejects."""
    with _session(site) as session:
        found = select(Incident.id).where(Incident.kind == IncidentKind.ORDERS_REJECTED)
        return session.scalars(found).first() is not None


@contextmanager
def _session(site: Site) -> Iterator[Session]:
    url = site.environ["DATABASE_URL"]
    engine = create_engine(url, **engine_options(url))
    with Session(engine) as session:
        yield session
    engine.dispose()


def _path(site: Site, address: str) -> str:
    return address.removeprefix(site.url)


def _incident(
    session: Session,
    kind: IncidentKind,
    merchant_id: int | None,
    now: datetime,
    *,
    numbers: list[str],
    is_open: bool = False,
) -> Incident:
    began, count = now - timedelta(hours=3), len(numbers)
    incident = Incident(
        kind=kind, key=f"{kind}:for-the-pages", merchant_id=merchant_id, subject="", title=f"Title of {kind} {LONG}",
        explanation="What it means, and what to do.", orders=0, most_orders=count, order_numbers=numbers,
        opened_at=began, found_at=began, checked_at=now, closed_at=None if is_open else now,
        outcome="" if is_open else "Ended after 3 hours: 2 orders sent.",
        acknowledged_at=None if is_open else began, acknowledged_by="" if is_open else OWNER,
    )  # fmt: skip
    session.add(incident)
    session.flush()
    for at, sentence in ((began, f"Opened: {incident.title}."), (now, "Checked again.")):
        session.add(IncidentEvent(incident_id=incident.id, at=at, sentence=sentence))
    return incident


def _add_webhook(session: Session, settings: Settings, incident: Incident, now: datetime) -> None:
    """Set a webhook, with a message that arrived, one that is tried again and one that was given up."""
    session.add(
        WebhookEndpoint(
            merchant_id=816, sealed_url=seal("https://hooks.fern.example/1", settings.token_keys),
            format=WebhookFormat.STANDARD, sealed_secret=seal("whsec_", settings.token_keys), created_at=now,
        )
    )  # fmt: skip
    for number, (sent_at, next_attempt_at, error) in enumerate(
        (
            (now, None, ""),
            (None, now + timedelta(days=1), "hooks.fern.example didn't answer in time."),
            (None, None, "hooks.fern.example returned an error."),
        )
    ):
        session.add(
            Message(
                key=f"page:{number}", channel=Channel.WEBHOOK, kind=MessageKind.INCIDENT_OPENED, merchant_id=816,
                incident_id=incident.id, recipient="https://hooks.fern.example", subject=incident.title, text="{}",
                created_at=now, sent_at=sent_at, next_attempt_at=next_attempt_at, error=error, tries=number + 1,
                http_status=None if sent_at is None and next_attempt_at else 200 if sent_at else 500,
            )
        )  # fmt: skip
