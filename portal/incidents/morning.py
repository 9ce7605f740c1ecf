"""The morning note: one mail a day about yesterday's orders and what needs attention now.

It is due from 8:00 to 12:00 by the store's clock. A day that nobody was there to write it is left out: at noon,
yesterday is old news. The store's row keeps the last day considered, so no restart, second worker or change of clocks
sends it twice.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, exists, select, update
from sqlalchemy.orm import aliased, raiseload

from portal.incidents import shown
from portal.incidents.morning_letter import Morning, letter
from portal.messages.outbox import queue_mail
from portal.messages.recipients import WHO_GETS_THE_MORNING_NOTE, merchant_people
from portal.models import Alerts, Merchant, MessageKind, Store
from portal.reports.day_figures import day_figures
from portal.reports.overview import open_orders
from portal.reports.store_days import days_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.messages.recipients import Person
    from portal.reports.store_days import Days

FROM_HOUR, UNTIL_HOUR = 8, 12


def write_notes(session: Session, settings: Settings, clock: Callable[[], datetime]) -> int:
    """Queue the notes that are due now, and return how many mails that makes. Commits after each merchant."""
    queued = 0
    due = list(_due(session, clock()))
    session.commit()
    for merchant_id, days in due:
        now = clock()
        today = days.zone.day_of(now)
        if _claim(session, merchant_id, today):
            queued += _queue(session, settings, session.get_one(Merchant, merchant_id), days, today, now)
        session.commit()
    return queued


def is_time(days: Days, now: datetime) -> bool:
    return FROM_HOUR <= days.zone.hour_of(now) < UNTIL_HOUR


def _due(session: Session, now: datetime) -> Iterator[tuple[int, Days]]:
    """Yield the merchants with a live store whose morning it is, and that had no note today.

    While a store's time zone isn't known, its days are in UTC, as on the pages.
    """
    stores: dict[int, list[Store]] = defaultdict(list)
    for store in session.scalars(select(Store).options(raiseload(Store.merchant)).order_by(Store.id)):
        stores[store.merchant_id].append(store)
    for merchant_id, theirs in stores.items():
        days = days_of(theirs)
        is_noted = _last_noted(theirs) >= days.zone.day_of(now).isoformat()
        if is_time(days, now) and not is_noted and any(store.live and store.sealed_token for store in theirs):
            yield merchant_id, days


def _last_noted(stores: Sequence[Store]) -> str:
    return max(store.noted_on for store in stores)


def _claim(session: Session, merchant_id: int, today: date) -> bool:
    """Record that today's note is being considered, and return whether nobody has done that before.

    Another worker waits for the row and then finds it changed.
    """
    other = aliased(Store)
    is_noted = exists().where(other.merchant_id == merchant_id, other.noted_on >= today.isoformat())
    claimed = cast(
        "CursorResult[object]",
        session.execute(
            update(Store)
            .where(Store.merchant_id == merchant_id, Store.noted_on < today.isoformat(), ~is_noted)
            .values(noted_on=today.isoformat())
            .execution_options(synchronize_session=False)
        ),
    )
    return claimed.rowcount > 0


def _queue(session: Session, settings: Settings, merchant: Merchant, days: Days, today: date, now: datetime) -> int:
    people = _people(session, merchant)
    if not people:
        return 0
    morning = Morning(
        merchant=merchant,
        days_in=days.words,
        yesterday=day_figures(session, merchant.id, today - timedelta(days=1), days.zone),
        orders=open_orders(session, merchant.id),
        incidents=shown.open_incidents(session, merchant),
    )
    if morning.is_empty:
        return 0
    written = letter(morning)
    for person in people:
        queue_mail(
            session,
            settings,
            written,
            to=person,
            kind=MessageKind.MORNING_NOTE,
            key=f"morning_note:{merchant.id}:{today.isoformat()}:{person.email}",
            merchant_id=merchant.id,
            unsubscribe_kind=MessageKind.MORNING_NOTE,
            now=now,
        )
    return len(people)


def _people(session: Session, merchant: Merchant) -> list[Person]:
    """Return who gets the note. Who chose one mail a day has no other, so the merchant's switch doesn't end it."""
    choices = WHO_GETS_THE_MORNING_NOTE if merchant.morning_note else {Alerts.DAILY}
    return merchant_people(session, merchant.id, MessageKind.MORNING_NOTE, choices=choices)
