"""Notes about an order or a merchant. Each side's are mailed to the other: the merchant's people, or support."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.messages.letters import Letter
from portal.messages.outbox import queue_mail
from portal.messages.recipients import merchant_people, support_people
from portal.models import Merchant, MessageKind, Note
from portal.models.message import note_key

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.models import Order

LONGEST_NOTE = 2_000
"""Characters of one note."""


def add_note(
    session: Session,
    settings: Settings,
    merchant: Merchant,
    order: Order | None,
    text: str,
    *,
    author: str,
    is_by_support: bool,
    seen: int,
    now: datetime,
) -> bool:
    """Add a note about the order, or about the merchant if there is no order, and mail it to the other side. Commits.

    ``seen`` is the id of the newest note that the writer's page showed. Returns False if the same note has been added
    since: the form was sent twice.
    """
    # Two copies of a form that arrive at the same time wait for each other here.
    session.execute(select(Merchant.id).where(Merchant.id == merchant.id).with_for_update(key_share=True))
    order_id = order.id if order is not None else None
    same = (Note.merchant_id == merchant.id, Note.order_id == order_id, Note.author == author, Note.text == text)
    if session.scalar(select(Note.id).where(*same, Note.id > seen).limit(1)) is not None:
        session.commit()
        return False
    note = Note(
        merchant_id=merchant.id, order_id=order_id, at=now, author=author, is_by_support=is_by_support, text=text
    )
    session.add(note)
    session.flush()
    _mail(session, settings, merchant, order, note, now)
    session.commit()
    return True


def _mail(
    session: Session, settings: Settings, merchant: Merchant, order: Order | None, note: Note, now: datetime
) -> None:
    kind = MessageKind.NOTE
    if note.is_by_support:
        people, sender = merchant_people(session, merchant.id, kind), "support"
    else:
        people, sender = support_people(session, settings, kind), f"{merchant.name} ({merchant.id})"
    about = f"order {order.number}" if order is not None else merchant.name
    path = f"/m/{merchant.id}/notes" if order is None else f"/m/{merchant.id}/orders/{order.number}"
    letter = Letter(
        subject=f"Note on {about} from {sender}" if order is not None or note.is_by_support else f"Note from {sender}",
        heading=f"Note on {about}",
        paragraphs=[f"{note.author} wrote:", *filter(None, note.text.split("\n"))],
        button="Read and answer",
        path=f"{path}#notes",
    )
    for person in people:
        key = note_key(note.id, person.email)
        queue_mail(
            session, settings, letter, to=person, kind=kind, key=key, merchant_id=merchant.id,
            unsubscribe_kind=kind, now=now,
        )  # fmt: skip
