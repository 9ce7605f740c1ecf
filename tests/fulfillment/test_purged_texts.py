"""What people and the portal wrote goes after PURGE_DAYS too, and nothing that is newer, open or due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from portal.actions.notes import add_note
from portal.fulfillment.purge import purge
from portal.models import (
    ChangeAfterSending,
    Channel,
    Incident,
    IncidentEvent,
    IncidentKind,
    Merchant,
    Message,
    MessageKind,
    Note,
    Order,
    Role,
    User,
)
from tests.fulfillment.test_buyers import completed, put_texts
from tests.fulfillment.test_privacy import BUYER
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from datetime import datetime

    from tests.fulfillment.world import World

DAYS = 90


def run(world: World) -> None:
    with world.session() as session:
        sum(purge(session, days=DAYS, now=world.clock()))


def put_incident(world: World, key: str, *, closed_days_ago: int | None) -> None:
    """Add an incident that was opened long ago, with an event and a mail."""
    now = world.clock()
    long_ago = now - timedelta(days=DAYS + 10)
    with world.session() as session:
        incident = Incident(
            kind=IncidentKind.ORDERS_REJECTED, key=key, merchant_id=816, title=key, opened_at=long_ago,
            found_at=long_ago, checked_at=now,
            closed_at=None if closed_days_ago is None else now - timedelta(days=closed_days_ago),
        )  # fmt: skip
        session.add(incident)
        session.flush()
        session.add(IncidentEvent(incident_id=incident.id, at=long_ago, sentence=key))
        session.commit()
        put_message(world, key, at=long_ago, incident_id=incident.id)


def put_message(
    world: World, subject: str, *, at: datetime, incident_id: int | None = None, due_at: datetime | None = None
) -> None:
    with world.session() as session:
        session.add(
            Message(
                key=subject, channel=Channel.EMAIL, kind=MessageKind.NOTE, merchant_id=816, incident_id=incident_id,
                recipient="ana@fern.example", subject=subject, text="Call Peregrine", html="<p>Call Peregrine</p>",
                created_at=at, next_attempt_at=due_at,
            )
        )  # fmt: skip
        session.commit()


def test_incidents_go_with_their_history_and_messages_once_they_ended_long_ago(world: World) -> None:
    put_incident(world, "ended long ago", closed_days_ago=DAYS + 1)
    put_incident(world, "ended lately", closed_days_ago=DAYS - 1)
    put_incident(world, "still open", closed_days_ago=None)
    run(world)
    kept = {"ended lately", "still open"}
    with world.session() as session:
        assert set(session.scalars(select(Incident.key))) == kept
        assert set(session.scalars(select(IncidentEvent.sentence))) == kept
        assert set(session.scalars(select(Message.subject))) == kept


def test_old_messages_go_but_for_those_that_are_due(world: World) -> None:
    now = world.clock()
    old, new = now - timedelta(days=DAYS + 1), now - timedelta(days=DAYS - 1)
    put_message(world, "old", at=old)
    put_message(world, "old and due", at=old, due_at=now)
    put_message(world, "new", at=new)
    run(world)
    with world.session() as session:
        assert set(session.scalars(select(Message.subject))) == {"old and due", "new"}
        assert set(session.scalars(select(Message.text))) == {"Call Peregrine"}


@pytest.mark.parametrize(("days", "is_kept"), [(DAYS - 1, True), (DAYS + 1, False)])
def test_texts_about_an_order_and_a_merchant_go_with_age(world: World, days: int, is_kept: bool) -> None:
    put_texts(world, completed(world))
    world.clock.forward(days=days)
    run(world)
    with world.session() as session:
        assert [bool(one) for one in session.scalars(select(Note.text))] == [is_kept, is_kept]
        assert [bool(one) for one in session.scalars(select(ChangeAfterSending.fields))] == [is_kept]
        assert bool(session.scalars(select(Message.text).where(Message.key == "note-1")).all()) is is_kept


def test_notes_on_an_order_that_is_not_final_stay(world: World) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "throttle", times=None)
    world.run()
    put_texts(world, number)
    world.clock.forward(days=DAYS + 1)
    run(world)
    with world.session() as session:
        of_order = select(Note.text).where(Note.order_id.is_not(None))
        assert all(session.scalars(of_order))
        assert all(session.scalars(select(ChangeAfterSending.fields)))


WRITTEN = "Peregrine at the back door"


def write_note(world: World, number: str | None) -> str:
    """Have support write a note about an order, or the merchant, which queues a mail. Return the mail's subject."""
    with world.session() as session:
        order = None if number is None else session.scalars(select(Order).where(Order.number == number)).one()
        merchant = session.get_one(Merchant, MERCHANT)
        add_note(
            session, world.settings, merchant, order, WRITTEN, author="sam@support.example", is_by_support=True, seen=0,
            now=world.clock(),
        )  # fmt: skip
        return session.scalars(select(Message.subject).order_by(Message.id.desc())).first() or ""


def add_owner(world: World) -> None:
    with world.session() as session:
        session.add(
            User(
                email="ana@fern.example", password_hash="", session_key="ana", role=Role.MERCHANT, merchant_id=MERCHANT,
                created_at=world.clock(),
            )
        )  # fmt: skip
        session.commit()


def mails(world: World) -> list[tuple[str, bool, bool]]:
    """Return the subject of each mail, whether it still says what was written, and whether it is due."""
    with world.session() as session:
        return [
            (one.subject, WRITTEN in one.text or WRITTEN in one.html, one.next_attempt_at is not None)
            for one in session.scalars(select(Message).order_by(Message.id))
        ]


def mark_sent(world: World) -> None:
    with world.session() as session:
        session.execute(update(Message).values(sent_at=world.clock(), next_attempt_at=None))
        session.commit()


@pytest.mark.parametrize("is_sent", [True, False])
@pytest.mark.parametrize("how", ["purge", "erase"])
def test_mail_about_a_note_is_emptied_with_it_and_no_other_is(world: World, how: str, *, is_sent: bool) -> None:
    add_owner(world)
    number, other = completed(world, **BUYER), world.sandbox.place_order(first_name="Zoe", last_name="Zimmer")
    world.poll()
    world.clock.forward(days=DAYS + 1 if how == "purge" else 0)
    about, kept = write_note(world, number), write_note(world, other)
    if is_sent:
        mark_sent(world)
    if how == "purge":
        run(world)
    else:
        assert world.cli("buyers", "erase", BUYER["email"]).exit_code == 0
    assert mails(world) == [(about, False, False), (kept, True, not is_sent)]
    with world.session() as session:
        errors = list(session.scalars(select(Message.error).order_by(Message.id)))
    assert errors == ["" if is_sent else "Not sent: the note was deleted with its buyer's data.", ""]


def test_mail_about_a_note_that_mentions_an_erased_buyer_is_not_sent(world: World) -> None:
    add_owner(world)
    completed(world, **{**BUYER, "first_name": "Peregrine at", "last_name": "the back door"})
    about = write_note(world, None)
    assert mails(world) == [(about, True, True)]
    result = world.cli("buyers", "erase", BUYER["email"])
    assert "Emptied 2 notes and messages about the buyer." in result.output
    assert mails(world) == [(about, False, False)]
