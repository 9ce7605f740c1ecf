"""A webhook that we turn off is told to the merchant's people by mail, until it is on again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.actions import webhooks as actions
from portal.incidents.run import look
from portal.models import Alerts, Incident, IncidentKind, MessageKind, User, WebhookEndpoint, WebhookFormat
from tests.messages.conftest import OWNER, TEAMMATE, engine, mailbox, outbox
from tests.messages.receiver import receiving
from tests.messages.test_webhooks import save, send_test

if TYPE_CHECKING:
    from tests.messages.conftest import Outbox

__all__ = ["engine", "mailbox", "outbox"]

OPERATOR = "operator@portal.example"


@pytest.fixture
def gone(outbox: Outbox) -> Outbox:
    """The outbox after the receiver said that the webhook is gone."""
    outbox.settings = replace(outbox.settings, operator_email=OPERATOR)
    with receiving(410) as receiver:
        save(outbox, receiver.url)
        send_test(outbox)
    return outbox


def last(outbox: Outbox, **time: float) -> None:
    until = outbox.now + timedelta(**time)
    while outbox.now < until:
        outbox.later(seconds=15)
        with Session(outbox.engine) as session:
            look(session, outbox.settings, outbox.clock)


def told(outbox: Outbox) -> list[tuple[str, MessageKind]]:
    """Who was told of the webhook, and what, in order."""
    return [(one.recipient, one.kind) for one in outbox.messages() if one.incident_id is not None]


def switch(outbox: Outbox, *, is_on: bool) -> None:
    with Session(outbox.engine) as session:
        actions.switch(
            session, 816, is_on=is_on, settings=outbox.settings, actor="test", reason="", now=outbox.now
        )  # fmt: skip


def replace_by_another(outbox: Outbox) -> None:
    with Session(outbox.engine) as session:
        actions.save(
            session, 816, url="https://hooks.example/new", webhook_format=WebhookFormat.SLACK,
            settings=outbox.settings, actor="test", reason="", now=outbox.now,
        )  # fmt: skip


def remove(outbox: Outbox) -> None:
    with Session(outbox.engine) as session:
        session.execute(delete(WebhookEndpoint))
        session.commit()


def test_people_who_chose_all_are_told_why_and_where_to_turn_it_on(gone: Outbox) -> None:
    with Session(gone.engine) as session:
        session.execute(update(User).where(User.email == TEAMMATE).values(alerts=Alerts.STOPS))
        session.commit()
    last(gone, minutes=3)
    assert told(gone) == [(OWNER, MessageKind.INCIDENT_OPENED)]
    mail = gone.messages()[-1]
    assert mail.subject == "We turned off the webhook to 127.0.0.1"
    assert "127.0.0.1 said that this webhook no longer exists." in mail.text
    assert "View webhook:\nhttps://portal.example/m/816/settings/webhook\n" in mail.text


@pytest.mark.parametrize("end", [lambda it: switch(it, is_on=True), replace_by_another, remove])
def test_it_is_over_when_the_webhook_is_on_again_replaced_or_removed(gone: Outbox, end: object) -> None:
    assert callable(end)
    last(gone, minutes=3)
    end(gone)
    last(gone, minutes=3)
    closed = [(OWNER, MessageKind.INCIDENT_CLOSED), (TEAMMATE, MessageKind.INCIDENT_CLOSED)]
    assert told(gone)[2:] == closed
    assert "Turned on again or removed after 3 minutes." in gone.messages()[-1].text


def test_webhook_that_fails_for_three_days_is_told_too(outbox: Outbox) -> None:
    save(outbox, "http://127.0.0.1:1/")
    send_test(outbox)
    outbox.later(days=3, hours=1)
    outbox.send()
    last(outbox, minutes=3)
    assert "It accepted no message for three days." in outbox.messages()[-1].text


def test_webhook_that_a_person_turned_off_is_no_incident(outbox: Outbox) -> None:
    save(outbox, "https://hooks.example/one")
    switch(outbox, is_on=False)
    last(outbox, minutes=5)
    assert told(outbox) == []
    with Session(outbox.engine) as session:
        assert session.scalars(select(Incident).where(Incident.kind == IncidentKind.WEBHOOK_OFF)).all() == []
