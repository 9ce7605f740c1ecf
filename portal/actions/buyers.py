"""What the portal stores about one buyer: export it, and erase it. A buyer is known by the email address of orders."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, or_, select, update

from portal.clients.bigcartel import read_stored
from portal.fulfillment.order_edits import read_edits
from portal.fulfillment.purge import empty, empty_notes
from portal.models import Attempt, ChangeAfterSending, Message, Note, Order
from portal.models.audit import record
from portal.models.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from portal.models.base import Base

EXPORTED = "buyer's data exported"
ERASED = "buyer's data erased"
BATCH = 100
SHORTEST = 6
"""Characters of a text by which notes and messages are searched: a shorter one would match other buyers'."""
_ORDER = (
    "number",
    "state",
    "placed_at",
    "submitted_at",
    "shipped_on",
    "completed_at",
    "shipping_code",
    "lines",
    "edits",
)
_ATTEMPT = ("kind", "started_at", "finished_at", "outcome", "words", "explanation", "request", "answer")
_CHANGE = ("at", "fields")
_NOTE = ("at", "author", "text")
_MESSAGE = ("created_at", "recipient", "subject", "text")


@dataclass(slots=True)
class Erasure:
    """What was erased, as order numbers, and what wasn't because the orders are still open."""

    erased: list[str] = field(default_factory=list)
    still_open: list[str] = field(default_factory=list)
    texts: int = 0
    """Notes and messages that mentioned the buyer."""


def export(session: Session, email: str, *, actor: str, reason: str, now: datetime) -> Iterator[str]:
    """Yield the parts of a JSON document with everything stored about the buyer, and record the export. Commits."""
    numbers: dict[int, list[str]] = defaultdict(list)
    words = {email}
    yield '{"orders": ['
    for some in _orders_of(session, email):
        for order in some:
            separator = ",\n" if numbers else "\n"
            numbers[order.merchant_id].append(order.number)
            words |= _words_of(order)
            yield separator + json.dumps(_exported(session, order), indent=1, ensure_ascii=False)
        session.commit()
    mentions = {
        "notes": [_row(note, _NOTE) for note in session.scalars(select(Note).where(_mentions(Note.text, words)))],
        "messages": [
            _row(message, _MESSAGE)
            for message in session.scalars(select(Message).where(_mentions(Message.text, words)))
        ],
    }
    _record(session, EXPORTED, numbers, email=email, actor=actor, reason=reason, now=now)
    session.commit()
    yield f'\n], "mentions": {json.dumps(mentions, indent=1, ensure_ascii=False)}}}\n'


def erase(session: Session, email: str, *, actor: str, reason: str, now: datetime) -> Erasure:
    """Erase what is stored about the buyer, except for orders that are still open: they need it. Commits.

    Notes and messages that mention the buyer are emptied, too, unless they are about an open order. Of the messages
    that are still to be sent, those about an emptied note are given up, and the others stay.
    """
    done = Erasure()
    numbers: dict[int, list[str]] = defaultdict(list)
    words = {email}
    open_ids: list[int] = []
    for some in _orders_of(session, email):
        final = [order for order in some if order.state in FINAL]
        for order in final:
            words |= _words_of(order)
            numbers[order.merchant_id].append(order.number)
        done.erased += [order.number for order in final]
        done.still_open += [order.number for order in some if order.state not in FINAL]
        open_ids += [order.id for order in some if order.state not in FINAL]
        empty(session, [order.id for order in final], now)
        session.commit()
    done.texts = empty_notes(
        session, _mentions(Note.text, words), or_(Note.order_id.is_(None), Note.order_id.not_in(open_ids))
    )
    found = or_(_mentions(Message.text, words), _mentions(Message.subject, words), _mentions(Message.html, words))
    emptied = (
        update(Message)
        .where(found, Message.next_attempt_at.is_(None))
        .values(subject="", text="", html="")
        .returning(Message.id)
    )
    done.texts += len(session.scalars(emptied, execution_options={"synchronize_session": False}).all())
    _record(session, ERASED, numbers, email=email, actor=actor, reason=reason, now=now)
    session.commit()
    return done


def _orders_of(session: Session, email: str) -> Iterator[Sequence[Order]]:
    """Yield the orders that have the email address anywhere in what Big Cartel sent, or in our edits, in parts.

    SQLite ignores case only for ASCII letters, so the query looks for the longest ASCII part of the address, and Python
    compares the whole of it. The caller commits after each part.
    """
    wanted = _same(email)
    part = max(re.findall(r"[!-~]+", wanted) or [""], key=len)
    last_id = 0
    while some := session.scalars(
        select(Order)
        .where(
            Order.id > last_id,
            Order.purged_at.is_(None),
            or_(
                func.lower(Order.document).contains(part, autoescape=True),
                func.lower(cast(Order.edits, Text)).contains(part, autoescape=True),
            ),
        )
        .order_by(Order.id)
        .limit(BATCH)
    ).all():
        last_id = some[-1].id
        yield [
            order
            for order in some
            if any(_same(text) == wanted for text in _texts([json.loads(order.document), order.edits]))
        ]
        session.expunge_all()


def _same(text: str) -> str:
    return text.strip().casefold()


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _words_of(order: Order) -> set[str]:
    """Return the texts by which a note or message may mention the order's buyer."""
    addresses = [read_stored(order.document).address]
    if edit := read_edits(order.edits).address:
        addresses += [edit.address, edit.instead_of]
    texts = {
        text for one in addresses for text in (f"{one.first_name} {one.last_name}", one.address_1, one.phone, one.email)
    }
    return {text for text in (" ".join(one.split()) for one in texts) if len(text) >= SHORTEST}


def _mentions(column: InstrumentedAttribute[str], words: set[str]) -> ColumnElement[bool]:
    return or_(*(func.lower(column).contains(word.lower(), autoescape=True) for word in sorted(words)))


def _exported(session: Session, order: Order) -> dict[str, Any]:
    mine: Mapping[str, tuple[type[Attempt | ChangeAfterSending | Note], tuple[str, ...]]] = {
        "attempts": (Attempt, _ATTEMPT),
        "changes_after_sending": (ChangeAfterSending, _CHANGE),
        "notes": (Note, _NOTE),
    }
    rows = {
        name: [_row(row, columns) for row in session.scalars(select(kind).where(kind.order_id == order.id))]
        for name, (kind, columns) in mine.items()
    }
    return {**_row(order, _ORDER), "document": json.loads(order.document), "dry_run": order.dry_run_verdict, **rows}


def _row(row: Base, columns: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in columns}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def _record(
    session: Session,
    action: str,
    numbers: Mapping[int, Sequence[str]],
    *,
    email: str,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Add an audit entry for each merchant, which names the orders. The buyer's address isn't kept in any of them."""
    reason = re.sub(re.escape(email), "•••", reason, flags=re.IGNORECASE)
    for merchant_id, some in numbers.items() or ((None, ()),):
        subject = ", ".join(some) or "no orders"
        record(session, action, merchant_id=merchant_id, subject=subject, actor=actor, reason=reason, now=now)
