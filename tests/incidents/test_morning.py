"""The morning note: once a day at the store's 8:00, with figures that agree with the pages it links to."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.extensions import db
from portal.incidents.morning import is_time, write_notes
from portal.models import Alerts, Incident, IncidentKind, Merchant, Message, OrderState, Store, User
from portal.reports.store_days import Days
from portal.rules.time_zones import zone_named
from tests.views.conftest import app, client_of, get, world
from tests.views.dashboard_world import change, place
from tests.views.page import text_in

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients

__all__ = ["app", "client_of", "world"]

NEW_YORK = "Eastern Time (US & Canada)"
MORNING = datetime(2026, 11, 27, 13, 1, tzinfo=UTC)
"""8:01 in New York."""
YESTERDAY = datetime(2026, 11, 26, 20, tzinfo=UTC)


@pytest.fixture
def live(app: Flask, world: World) -> World:
    change(app, Store, world.store_id, live=True, time_zone=NEW_YORK)
    change(app, Merchant, 816, created_at=YESTERDAY - timedelta(days=90))
    return world


def run(app: Flask, now: datetime) -> int:
    with app.app_context():
        return write_notes(db.session(), app.config["SETTINGS"], lambda: now)


def mails(app: Flask) -> list[Message]:
    with app.app_context():
        return list(db.session.scalars(select(Message).order_by(Message.id)))


def put_incident(app: Flask, kind: IncidentKind, title: str, orders: int, merchant_id: int | None = 816) -> None:
    with app.app_context():
        db.session.add(
            Incident(
                kind=kind, key=title, merchant_id=merchant_id, title=title, orders=orders, most_orders=orders,
                opened_at=YESTERDAY, found_at=YESTERDAY, checked_at=YESTERDAY,
            )
        )  # fmt: skip
        db.session.commit()


def test_note_says_what_happened_and_its_links_show_as_many_orders(app: Flask, live: World, client_of: Clients) -> None:
    place(app, live, YESTERDAY, OrderState.COMPLETED, 3, submitted_at=YESTERDAY + timedelta(minutes=4))
    place(app, live, YESTERDAY, OrderState.SUBMITTED, 2, submitted_at=YESTERDAY + timedelta(hours=1), completed_at=None)
    place(app, live, YESTERDAY, OrderState.REJECTED, 2, submitted_at=None, completed_at=None)
    place(app, live, MORNING, OrderState.READY, 4, submitted_at=None, completed_at=None)
    put_incident(app, IncidentKind.ORDERS_REJECTED, "2 orders rejected: unknown SKU GUIDE-1", 2)
    assert run(app, MORNING) == 2
    found = mails(app)
    assert {mail.recipient for mail in found} == {live.owner, live.teammate}
    note = found[0]
    assert note.subject == "5 orders sent, 2 need attention"
    words = " ".join(note.text.split())
    assert "7 orders were placed, 5 were sent to the warehouse, and 3 were shipped" in words
    assert "Half of the orders reached the warehouse within 4 minutes of their purchase." in words
    assert words.count("rejected") == words.count("2 orders rejected: unknown SKU GUIDE-1") + words.count("=rejected")
    client, links = (
        client_of(live.owner),
        re.findall(r"(\d+) orders?[^\n]*: https?://[^/\s]+(/m/816/orders\?\S+)", note.text),
    )
    assert [count for count, _ in links] == ["2", "7"]
    for count, path in links:
        assert f"{count} orders" in text_in(get(client, path))


def test_quiet_day_without_problems_has_no_note(app: Flask, live: World) -> None:
    assert run(app, MORNING) == 0
    put_incident(app, IncidentKind.HOST_FAILING, "Big Cartel is failing", 0, merchant_id=None)
    assert run(app, MORNING) == 0, "the day was considered already"
    assert run(app, MORNING + timedelta(days=1)) == 2
    assert mails(app)[0].subject == "1 open incident"


def test_note_is_for_those_who_want_it(app: Flask, live: World) -> None:
    place(app, live, YESTERDAY, OrderState.SUBMITTED)
    change(app, Merchant, 816, morning_note=False)
    with app.app_context():
        for email, alerts in ((live.owner, Alerts.DAILY), (live.teammate, Alerts.ALL)):
            db.session.scalars(select(User).where(User.email == email)).one().alerts = alerts
        db.session.commit()
    assert run(app, MORNING) == 1
    assert [mail.recipient for mail in mails(app)] == [live.owner]


def test_note_comes_from_eight_to_noon_and_only_once(app: Flask, live: World) -> None:
    place(app, live, YESTERDAY, OrderState.SUBMITTED)
    assert run(app, MORNING - timedelta(minutes=2)) == 0
    assert run(app, MORNING + timedelta(hours=4)) == 0, "at noon it is too late"
    assert run(app, MORNING + timedelta(hours=3, minutes=58)) == 2
    assert run(app, MORNING + timedelta(hours=3, minutes=58)) == 0
    change(app, Store, live.store_id, time_zone="Pacific Time (US & Canada)")
    assert run(app, MORNING + timedelta(hours=4)) == 0, "the same day in another zone is the same day"


def test_store_that_is_not_live_has_no_note(app: Flask, live: World) -> None:
    place(app, live, YESTERDAY, OrderState.SUBMITTED)
    change(app, Store, live.store_id, live=False)
    assert run(app, MORNING) == 0


@given(
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]),
    st.dates(date(2020, 1, 1), date(2035, 12, 1)),
    st.integers(0, 299),
)
def test_each_day_has_one_morning_however_clocks_change(name: str, first: date, offset: int) -> None:
    """The job runs every 5 minutes; a day is noted when it is time and the day is later than the last one noted."""
    days, noted = Days(zone_named(name), name), []
    start = datetime.combine(first, time(), ZoneInfo(name)).astimezone(UTC) + timedelta(seconds=offset)
    for step in range(10 * 288):
        now = start + timedelta(minutes=5 * step)
        today = days.zone.day_of(now)
        if is_time(days, now) and today not in noted:
            noted.append(today)
            assert timedelta() <= now - datetime.combine(today, time(8), ZoneInfo(name)) < timedelta(minutes=5)
    assert len(noted) >= 9
    assert noted == [noted[0] + timedelta(days=n) for n in range(len(noted))]
