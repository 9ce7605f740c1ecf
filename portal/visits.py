"""Visits: support acts as one merchant for a while and says only once why.

A visit is kept in the browser's signed session cookie. It changes what support sees and is asked, not what it may do:
every action is still recorded with the support person's own address, and with the visit's reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flask import session

if TYPE_CHECKING:
    from portal.models import User

LASTS = timedelta(hours=1)
LONGEST_REASON = 200
"""In characters. The reason travels with every request, and a cookie has room for 4096 bytes."""
_COOKIE = "visit"


@dataclass(frozen=True, slots=True)
class Visit:
    merchant_id: int
    reason: str
    ends_at: datetime


def begin(user: User, merchant_id: int, reason: str, now: datetime) -> None:
    """Begin a visit. It ends the one that the same browser had begun."""
    session[_COOKIE] = (user.id, merchant_id, reason, int((now + LASTS).timestamp()))


def end() -> None:
    session.pop(_COOKIE, None)


def of(user: User, now: datetime) -> Visit | None:
    """Return this user's visit, or None if there is none or its time is up."""
    match session.get(_COOKIE):
        case (user.id, int(merchant_id), str(reason), int(until)):
            ends_at = datetime.fromtimestamp(until, UTC)
            return Visit(merchant_id, reason, ends_at) if now < ends_at else None
        case _:
            return None
