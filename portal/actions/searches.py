"""Record in the audit trail what support found out about buyers by searching for them.

An entry names the orders that were shown and says by what they were found, never what was typed: the trail is kept
longer than buyers' data.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from portal.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

SEARCHED = "buyer searched"
BY_NAME, BY_EMAIL = "By name", "By email address"
SAME_SEARCH = timedelta(minutes=1)
"""A search that is typed on within this time is the same search."""
MOST_NUMBERS = 200
_MORE = "and more"


def record_search(
    session: Session,
    numbers: Iterable[str],
    *,
    by: str,
    merchant_id: int | None,
    actor: str,
    now: datetime,
    typed_on: int | None = None,
) -> int:
    """Record that these orders were shown, and return the entry's id. Commits.

    ``typed_on`` is the entry of the search that this one extends: its orders are added there.
    """
    entry = session.get(AuditEntry, typed_on) if typed_on is not None else None
    if entry is None or (entry.actor, entry.action, entry.merchant_id) != (actor, SEARCHED, merchant_id):
        entry = AuditEntry(at=now, actor=actor, merchant_id=merchant_id, action=SEARCHED, subject="")
        session.add(entry)
    known = [one for one in entry.subject.split(", ") if one not in {"", _MORE}]
    both = list(dict.fromkeys([*known, *numbers]))
    entry.subject = ", ".join([*both[:MOST_NUMBERS], *([_MORE] if len(both) > MOST_NUMBERS else [])])
    entry.reason = by
    session.flush()
    entry_id = entry.id
    session.commit()
    return entry_id
