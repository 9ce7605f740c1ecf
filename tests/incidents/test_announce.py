"""Who is told what about an incident, and when: once when it lasts, once when it is over."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.incidents.announce import announce
from portal.incidents.finding import Finding
from portal.incidents.record import record
from portal.models import Alerts, Incident, IncidentKind, Merchant, MessageKind, Order, OrderState, Role, Store, User
from tests.messages.conftest import OWNER, START, TEAMMATE, Outbox, engine, mailbox, outbox

if TYPE_CHECKING:
    from portal.models import Message

__all__ = ["engine", "mailbox", "outbox"]

OPERATOR = "operator@portal.example"
STRANGER = "owner@moss.example"
REJECTED = Finding(
    IncidentKind.ORDERS_REJECTED, 816, "sku", title="12 orders rejected: unknown SKU", explanation="Fix the SKU.",
    since=START, orders=12, order_numbers=[f"A-{number}" for number in range(12)],
)  # fmt: skip
FAILING = Finding(
    IncidentKind.HOST_FAILING, None, "fcp", title="The warehouse can't be reached", explanation="We try again.",
    since=START, orders=3, order_numbers=["OF-OTHERS"],
)  # fmt: skip
WITHOUT_SKU = Finding(
    IncidentKind.PRODUCTS_WITHOUT_SKU, 816, "", title="3 products without a SKU", explanation="", since=START
)


@pytest.fixture
def told(outbox: Outbox) -> Outbox:
    """The outbox with an operator, a live store in New York, and merchant 817, which is live too."""
    outbox.settings = replace(outbox.settings, operator_email=OPERATOR)
    with Session(outbox.engine) as session:
        session.add(Merchant(id=817, name="Moss", sealed_token="", rules_changed_at=START, created_at=START))
        session.flush()
        session.add(
            User(
                id=3, email=STRANGER, password_hash="", session_key="3", role=Role.MERCHANT, merchant_id=817,
                created_at=START,
            )
        )  # fmt: skip
        for merchant_id in (816, 817):
            session.add(
                Store(
                    merchant_id=merchant_id, account_id=str(merchant_id), live=True, sealed_token="sealed",
                    connected_at=START, time_zone="Eastern Time (US & Canada)",
                )
            )  # fmt: skip
        session.commit()
    return outbox


def look(outbox: Outbox, *findings: Finding) -> None:
    with Session(outbox.engine) as session:
        record(session, findings, kinds=list(IncidentKind), now=outbox.now)
        announce(session, outbox.settings, outbox.now)


def last(outbox: Outbox, *findings: Finding, **time: float) -> None:
    """Let time pass with a look each half minute."""
    until = outbox.now + timedelta(**time)
    while outbox.now < until:
        look(outbox, *findings)
        outbox.later(seconds=30)
    look(outbox, *findings)


def kinds(outbox: Outbox, recipient: str = OWNER) -> list[MessageKind]:
    return [one.kind for one in outbox.messages() if one.recipient == recipient]


def of_kind(outbox: Outbox, kind: MessageKind, recipient: str = OWNER) -> Message:
    return next(one for one in outbox.messages() if one.kind is kind and one.recipient == recipient)


OPENED, CLOSED, REMINDER = (
    MessageKind.INCIDENT_OPENED, MessageKind.INCIDENT_CLOSED, MessageKind.INCIDENT_REMINDER,
)  # fmt: skip


def test_blip_is_never_told(told: Outbox) -> None:
    last(told, REJECTED, minutes=1.5)
    last(told, minutes=30)
    assert told.messages() == []


def test_opening_and_closing_are_each_told_once(told: Outbox) -> None:
    last(told, REJECTED, minutes=34)
    assert kinds(told) == [OPENED]
    last(told, minutes=30)
    assert kinds(told) == kinds(told, TEAMMATE) == [OPENED, CLOSED]
    assert kinds(told, STRANGER) == kinds(told, OPERATOR) == []
    opening = of_kind(told, OPENED)
    assert opening.subject == "12 orders rejected: unknown SKU"
    for words in (
        "Fix the SKU.",
        "Since Nov 27, 7:00 AM Eastern Time",
        "12 orders affected",
        "View rejected orders:\nhttps://portal.example/m/816/orders?state=rejected\n",
        "- Order A-0: https://portal.example/m/816/orders/A-0\n",
    ):
        assert words in opening.text
    assert "A-10" not in opening.text
    closing = of_kind(told, CLOSED)
    assert closing.subject.startswith("Resolved: 12 orders rejected")
    assert "ended on Nov 27, 7:34 AM Eastern Time." in closing.text
    assert "Nothing else needs your attention." in closing.text


def test_end_is_told_a_minute_after_it_and_says_what_is_left(told: Outbox) -> None:
    last(told, REJECTED, WITHOUT_SKU, minutes=5)
    last(told, WITHOUT_SKU, seconds=30)
    assert CLOSED not in kinds(told)
    with Session(told.engine) as session:
        ended = update(Incident).where(Incident.kind == IncidentKind.ORDERS_REJECTED)
        session.execute(ended.values(outcome="Over after 5 minutes: 12 orders sent."))
        session.commit()
    last(told, WITHOUT_SKU, seconds=60)
    closing = of_kind(told, CLOSED)
    assert "Over after 5 minutes: 12 orders sent." in closing.text
    assert "What is still open is listed below." in closing.text
    assert "3 products without a SKU: https://portal.example/m/816/products" in closing.text


def test_flapping_within_the_minute_is_not_told(told: Outbox) -> None:
    last(told, REJECTED, minutes=3)
    look(told)
    told.later(seconds=30)
    last(told, REJECTED, minutes=3)
    assert kinds(told) == [OPENED]


def test_incident_that_comes_back_after_its_end_was_told_is_told_if_it_lasts(told: Outbox) -> None:
    last(told, REJECTED, minutes=3)
    last(told, minutes=2)
    last(told, REJECTED, minutes=1)
    last(told, minutes=2)
    assert kinds(told) == [OPENED, CLOSED]
    last(told, REJECTED, minutes=3)
    last(told, minutes=11)
    assert kinds(told) == [OPENED, CLOSED, OPENED, CLOSED]


def test_reminder_comes_every_day_until_someone_acknowledges(told: Outbox) -> None:
    last(told, REJECTED, minutes=3)
    for _ in range(3 * 24):
        told.later(hours=1)
        look(told, REJECTED)
    assert kinds(told) == [OPENED, REMINDER, REMINDER, REMINDER]
    assert "Still open after 3 days: 12 orders rejected" in told.messages()[-1].subject
    with Session(told.engine) as session:
        session.execute(update(Incident).values(acknowledged_at=told.now))
        session.commit()
    told.later(days=2)
    look(told, REJECTED)
    assert kinds(told).count(REMINDER) == 3


def test_failing_service_is_told_to_every_live_merchant_and_once_to_the_operator(told: Outbox) -> None:
    last(told, FAILING, minutes=3)
    assert kinds(told) == kinds(told, TEAMMATE) == kinds(told, STRANGER) == kinds(told, OPERATOR) == [OPENED]
    assert "https://portal.example/m/817/\n" in of_kind(told, OPENED, STRANGER).text
    assert "https://portal.example/support/incidents\n" in of_kind(told, OPENED, OPERATOR).text
    assert not any("OF-OTHERS" in one.text + one.html for one in told.messages())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"alerts": Alerts.ALL}, {REJECTED.title, WITHOUT_SKU.title}),
        ({"alerts": Alerts.STOPS}, {REJECTED.title}),
        ({"alerts": Alerts.DAILY}, set()),
        ({"alerts": Alerts.NONE}, set()),
        ({"muted": ["orders_rejected"]}, {WITHOUT_SKU.title}),
    ],
    ids=["all", "stops", "daily", "none", "muted"],
)
def test_people_get_what_they_chose(told: Outbox, change: dict[str, object], expected: set[str]) -> None:
    with Session(told.engine) as session:
        session.execute(update(User).where(User.email == OWNER).values(change))
        session.commit()
    last(told, REJECTED, WITHOUT_SKU, minutes=3)
    assert {one.subject for one in told.messages() if one.recipient == OWNER} == expected


def test_worker_and_watch_at_once_tell_once(told: Outbox) -> None:
    look(told, REJECTED)
    told.later(minutes=3)
    together = Barrier(3, timeout=20)

    def announce_at(now: datetime) -> None:
        with Session(told.engine) as session:
            together.wait()
            announce(session, told.settings, now)

    with ThreadPoolExecutor(3) as pool:
        for running in [pool.submit(announce_at, told.now + timedelta(seconds=number)) for number in range(3)]:
            running.result()
    assert kinds(told) == kinds(told, TEAMMATE) == [OPENED]


def test_each_merchant_reads_its_own_numbers_and_the_operator_the_sum(told: Outbox) -> None:
    told.settings = replace(told.settings, operator_webhook_url="https://hooks.portal.example/x")
    begun = told.now
    last(told, FAILING, minutes=3)
    with Session(told.engine) as session:
        for number, merchant_id in enumerate((816, 816, 817)):
            store = session.scalars(select(Store).where(Store.merchant_id == merchant_id)).one()
            session.add(
                Order(
                    merchant_id=merchant_id, store_id=store.id, number=f"N-{number}", state=OrderState.SUBMITTED,
                    document="{}", first_seen_at=begun, state_changed_at=told.now, submitted_at=told.now,
                    next_attempt_at=None, lines=[],
                )
            )  # fmt: skip
        session.commit()
    last(told, minutes=2)
    assert "2 orders sent" in of_kind(told, CLOSED).text
    assert "1 order sent" in of_kind(told, CLOSED, STRANGER).text
    assert "3 orders sent" in of_kind(told, CLOSED, OPERATOR).text
    webhook = json.loads(of_kind(told, CLOSED, "https://hooks.portal.example").text)
    assert "3 orders sent" in webhook["data"]["text"]
    assert webhook["data"]["url"] == "https://portal.example/support/incidents"
    opening = of_kind(told, OPENED, STRANGER).text
    assert "orders affected" not in opening


def test_host_that_flaps_each_minute_is_told_once(told: Outbox) -> None:
    last(told, FAILING, minutes=3)
    for _ in range(10):
        last(told, seconds=30)
        last(told, FAILING, seconds=30)
    last(told, minutes=11)
    assert kinds(told) == kinds(told, OPERATOR) == [OPENED, CLOSED]
