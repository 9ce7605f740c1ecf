"""At most 10 mails an hour for each person, and no message is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from portal.messages.hourly import MAILS_PER_HOUR, share
from portal.models import Channel, Incident, IncidentKind, Message, MessageKind
from tests.messages.conftest import OWNER, START, TEAMMATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.messages.conftest import Outbox
    from tests.messages.mail_server import Mailbox


@given(st.lists(st.sampled_from(MessageKind), max_size=40), st.integers(-5, 15))
def test_every_mail_is_sent_folded_or_waits(kinds: Sequence[MessageKind], slots: int) -> None:
    due = [Message(id=number, kind=kind, channel=Channel.EMAIL) for number, kind in enumerate(kinds)]
    shared = share(due, slots)
    parts = [*shared.alone, *shared.folded, *shared.waiting]
    assert sorted(message.id for message in parts) == [message.id for message in due]
    assert len(shared.alone) + bool(shared.folded) <= max(slots, 0)
    assert not any(message.kind is MessageKind.SUMMARY for message in shared.folded)
    assert len(shared.folded) != 1
    if slots >= 1 and due:
        assert shared.alone or shared.folded


def test_of_25_incidents_a_person_gets_10_mails_that_name_all(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    for number in range(25):
        outbox.queue(f"Incident {number:02}")
    outbox.queue("For another person", to=TEAMMATE)
    outbox.send()
    assert len(server.subjects(OWNER)) == MAILS_PER_HOUR
    assert server.subjects(TEAMMATE) == ["For another person"]
    summary = next(mail for mail in server.received if "messages in one" in mail["Subject"])
    for kind in ("plain", "html"):
        body = summary.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert all(f"Incident {number:02}" in text for number in range(9, 25))
        assert text.count("https://portal.example/m/816/orders") == 16
    outbox.send_until_nothing_is_due(hours=2)
    assert len(server.received) == MAILS_PER_HOUR + 1


def test_mails_wait_until_the_hour_has_room(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    for number in range(10):
        outbox.queue(f"Early {number}")
    outbox.send()
    outbox.later(minutes=30)
    outbox.queue("Late 1")
    outbox.queue("Late 2")
    assert outbox.send() == 0
    outbox.later(minutes=30)
    outbox.send()
    assert server.subjects()[10:] == ["Late 1", "Late 2"]


def test_summary_that_could_not_be_sent_is_written_anew(outbox: Outbox, mailbox: Mailbox) -> None:
    with mailbox.running():
        outbox.at(mailbox.url)
    for number in range(12):
        outbox.queue(f"Incident {number:02}")
    outbox.send()
    with mailbox.running():
        outbox.later(minutes=1)
        outbox.queue("Incident 12")
        outbox.send()
    assert len(mailbox.received) == MAILS_PER_HOUR
    summary = next(raw for raw, one in zip(mailbox.raw, mailbox.subjects(), strict=True) if "in one" in one)
    assert "Incident 12" in summary
    assert [one for one in outbox.messages() if one.next_attempt_at is not None] == []


def test_opening_that_was_not_sent_before_the_end_is_not_sent_after_it(outbox: Outbox, mailbox: Mailbox) -> None:
    with Session(outbox.engine) as session:
        session.add(
            Incident(
                id=7, kind=IncidentKind.ORDERS_REJECTED, key="k", merchant_id=816, title="Rejected",
                opened_at=START, found_at=START, checked_at=START,
            )
        )  # fmt: skip
        session.commit()
    with mailbox.running():
        outbox.at(mailbox.url)
    outbox.queue("Opened", incident_id=7)
    outbox.send()
    outbox.later(minutes=1)
    outbox.queue("Still open", kind=MessageKind.INCIDENT_REMINDER, incident_id=7)
    outbox.queue("Closed", kind=MessageKind.INCIDENT_CLOSED, incident_id=7)
    with mailbox.running():
        outbox.send_until_nothing_is_due(hours=1)
    assert mailbox.subjects() == ["Closed"]
    closing = outbox.message("Closed")
    assert outbox.message("Opened").folded_into == outbox.message("Still open").folded_into == closing.id
