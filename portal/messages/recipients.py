"""Who gets a mail: the people of a merchant, support, or the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import Alerts, MessageKind, Role, User

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from config import Settings

ALL_BUT_NONE = frozenset({Alerts.ALL, Alerts.STOPS, Alerts.DAILY})
WHO_GETS_THE_MORNING_NOTE = frozenset({Alerts.ALL, Alerts.DAILY})


@dataclass(frozen=True, slots=True)
class Person:
    """Where a mail goes. Without a user, the address is from the settings, and no link changes what it gets."""

    email: str
    user_id: int | None = None


def merchant_people(
    session: Session, merchant_id: int, unsubscribe_kind: str, *, choices: Collection[Alerts] | None = None
) -> list[Person]:
    """Return the people of a merchant who want this kind of mail; ``choices`` are the choices of alerts that get it.

    Without ``choices``, everybody gets it who chose any mails at all, and the morning note all who didn't choose only
    what stops orders.
    """
    if choices is None:
        choices = WHO_GETS_THE_MORNING_NOTE if unsubscribe_kind == MessageKind.MORNING_NOTE else ALL_BUT_NONE
    return _wanting(session, User.merchant_id == merchant_id, unsubscribe_kind, choices)


def people_of(
    session: Session, merchants: Select[int], unsubscribe_kind: str, *, choices: Collection[Alerts]
) -> Mapping[int, list[Person]]:
    """Return the people of each of these merchants who made one of these choices and want this kind of mail."""
    of_whom = (User.merchant_id.in_(merchants), User.alerts.in_(choices))
    found: dict[int, list[Person]] = {}
    for user in session.scalars(select(User).where(*of_whom).order_by(User.merchant_id, User.id)):
        if user.merchant_id is not None and unsubscribe_kind not in user.muted:
            found.setdefault(user.merchant_id, []).append(Person(user.email, user.id))
    return found


def support_people(session: Session, settings: Settings, unsubscribe_kind: str) -> list[Person]:
    """Return support's address from the settings or, without one, the support users who want this kind of mail."""
    if settings.support_email:
        return [Person(settings.support_email)]
    return _wanting(session, User.role == Role.SUPPORT, unsubscribe_kind, ALL_BUT_NONE)


def operators(settings: Settings) -> list[Person]:
    return [Person(email) for email in settings.operator_email.split(", ") if email]


def _wanting(
    session: Session, of_whom: ColumnElement[bool], unsubscribe_kind: str, choices: Collection[Alerts]
) -> list[Person]:
    users: Sequence[User] = session.scalars(
        select(User).where(of_whom, User.alerts.in_(choices)).order_by(User.id)
    ).all()
    return [Person(user.email, user.id) for user in users if unsubscribe_kind not in user.muted]
