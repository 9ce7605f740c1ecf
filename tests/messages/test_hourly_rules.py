"""What counts toward the ten mails of an hour, what is folded last, and which news an incident's end outdates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.messages.hourly import MAILS_PER_HOUR, prepare
from portal.models import Channel, Incident, IncidentKind, Message, MessageKind
from tests.messages.conftest import OWNER, START, TEAMMATE

if TYPE_CHECKING:
    from tests.messages.conftest import Outbox
    from tests.messages.mail_server import Mailbox

OPERATOR = "operator@portal.example"


@pytest.fixture
def down(outbox: Outbox, mailbox: Mailbox) -> Outbox:
    """An outbox with two incidents, whose mail server is down until the test starts it."""
    with Session(outbox.engine) as session:
        for number in (7, 8):
            session.add(
                Incident(
                    id=number, kind=IncidentKind.ORDERS_REJECTED, key=str(number), merchant_id=816, title="Rejected",
                    opened_at=START, found_at=START, checked_at=START,
                )
            )  # fmt: skip
        session.commit()
    with mailbox.running():
        outbox.at(mailbox.url)
    return outbox


def change(outbox: Outbox, subject: str, **columns: object) -> None:
    with Session(outbox.engine) as session:
        session.execute(update(Message).where(Message.subject == subject).values(**columns))
        session.commit()


def close(outbox: Outbox, *, to: str = OWNER, incident_id: int = 7) -> None:
    outbox.queue("Closed", kind=MessageKind.INCIDENT_CLOSED, incident_id=incident_id, to=to)


def test_an_hour_is_not_over_a_minute_early(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    for number in range(MAILS_PER_HOUR):
        outbox.queue(f"Early {number}")
    outbox.send()
    outbox.queue("Late")
    outbox.later(minutes=59)
    assert outbox.send() == 0
    outbox.later(minutes=1)
    assert outbox.send() == 1


def test_notes_and_tests_are_not_folded_because_their_subjects_say_too_little(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    for number in range(12):
        outbox.queue(f"Incident {number:02}")
    for kind in (MessageKind.NOTE, MessageKind.MORNING_NOTE, MessageKind.TEST):
        outbox.queue(kind.value, kind=kind)
    outbox.send()
    assert {"note", "morning_note", "test"} <= set(server.subjects())
    assert len(server.subjects()) == MAILS_PER_HOUR


def test_webhooks_are_neither_folded_nor_counted(outbox: Outbox) -> None:
    with Session(outbox.engine) as session:
        for number in range(MAILS_PER_HOUR + 5):
            session.add(
                Message(
                    key=str(number), channel=Channel.WEBHOOK, kind=MessageKind.INCIDENT_OPENED, merchant_id=816,
                    recipient="https://hooks.example", subject=f"Incident {number}", text="{}", created_at=START,
                    next_attempt_at=START,
                )
            )  # fmt: skip
        session.commit()
        prepare(session, outbox.settings, outbox.now)
    assert [one.next_attempt_at for one in outbox.messages()] == [START] * (MAILS_PER_HOUR + 5)


def test_a_summary_keeps_the_tries_and_the_age_of_its_messages(down: Outbox, mailbox: Mailbox) -> None:
    """Otherwise, a summary that can't be sent would be tried every half minute, and never given up."""
    for number in range(12):
        down.queue(f"Incident {number:02}")
    for tries in (1, 2):
        down.send()
        summary = next(one for one in down.messages() if one.kind is MessageKind.SUMMARY)
        change(down, summary.subject, tries=tries, error="It failed.")
        down.later(minutes=10)
    with mailbox.running():
        down.send()
    summary = next(one for one in down.messages() if one.kind is MessageKind.SUMMARY)
    assert (summary.tries, summary.created_at, summary.user_id, summary.merchant_id) == (3, START, 1, 816)
    assert "You got 9 other emails" in summary.text
    assert "https://portal.example/account#alerts" in summary.text


def test_a_summary_for_an_address_from_the_settings_offers_no_choice(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    for number in range(12):
        outbox.queue(f"Incident {number:02}", to=OPERATOR)
    outbox.send()
    summary = next(one for one in outbox.messages() if one.kind is MessageKind.SUMMARY)
    assert "account" not in summary.text
    assert "You get at most 10 emails an hour" in summary.text


@pytest.mark.parametrize("kind", [MessageKind.INCIDENT_OPENED, MessageKind.INCIDENT_REMINDER])
@pytest.mark.parametrize(
    "columns",
    [
        {"tries": 1, "error": "It failed."},
        {"tries": 0, "error": ""},
    ],
    ids=["failed", "put off"],
)
def test_what_waits_for_later_is_outdated_by_the_end(
    down: Outbox, mailbox: Mailbox, kind: MessageKind, columns: dict[str, object]
) -> None:
    down.queue("Before", kind=kind, incident_id=7)
    change(down, "Before", **columns, next_attempt_at=down.now.replace(minute=30))
    close(down)
    with mailbox.running():
        down.send_until_nothing_is_due(hours=1)
    assert mailbox.subjects() == ["Closed"]


def test_what_a_sender_that_died_has_left_is_outdated_by_the_end(down: Outbox, mailbox: Mailbox) -> None:
    down.queue("Opened", incident_id=7)
    change(down, "Opened", tries=1)
    close(down)
    with mailbox.running():
        down.send()
    assert mailbox.subjects() == ["Closed"]


def test_what_is_being_sent_is_not_taken_from_its_sender(down: Outbox, mailbox: Mailbox) -> None:
    down.queue("Opened", incident_id=7)
    change(down, "Opened", tries=1, next_attempt_at=down.now.replace(minute=5))
    close(down)
    with mailbox.running():
        down.send()
        opened = down.message("Opened")
        assert (opened.folded_into, opened.next_attempt_at) == (None, down.now.replace(minute=5))
        change(down, "Opened", error="It failed.")
        down.later(minutes=6)
        down.send()
    assert mailbox.subjects() == ["Closed"], "the end was sent meanwhile"


@pytest.mark.parametrize(
    ("to", "incident_id"), [(TEAMMATE, 7), (OWNER, 8)], ids=["another person's", "another incident's"]
)
def test_only_ones_own_end_of_the_incident_outdates_what_was_not_sent(
    down: Outbox, mailbox: Mailbox, to: str, incident_id: int
) -> None:
    down.queue("Opened", incident_id=7)
    close(down, to=to, incident_id=incident_id)
    with mailbox.running():
        down.send()
    assert sorted(mailbox.subjects()) == ["Closed", "Opened"]


def test_the_end_before_it_came_back_does_not_outdate_the_new_beginning(down: Outbox, mailbox: Mailbox) -> None:
    close(down)
    down.queue("Opened", incident_id=7)
    with mailbox.running():
        down.send()
    assert mailbox.subjects() == ["Closed", "Opened"]


@pytest.mark.parametrize(
    "columns", [{"channel": Channel.WEBHOOK}, {"next_attempt_at": None}], ids=["another channel", "given up"]
)
def test_an_end_that_this_person_is_not_told_by_mail_outdates_nothing(down: Outbox, columns: dict[str, object]) -> None:
    down.queue("Opened", incident_id=7)
    close(down)
    change(down, "Closed", **columns)
    with Session(down.engine) as session:
        prepare(session, down.settings, down.now)
    assert down.message("Opened").folded_into is None
