"""User accounts: sign-up with credentials the FCP accepts, passwords, and removal."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from portal.clients.errors import Rejected, ServiceError, Unauthorized
from portal.clients.fcp import Credentials, Fcp
from portal.clients.fcp_documents import MAX_XML_BYTES, WAREHOUSE
from portal.clients.http import Http
from portal.fulfillment.clients import set_credentials
from portal.models import LogIn, Merchant, Role, User
from portal.models.audit import record
from portal.people import passwords
from portal.people.invitations import REMOVED

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings


_ADDRESS = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
"""What browsers accept as an email address (HTML standard, input type=email), in lower case."""
MAX_ADDRESS = 254
"""Characters. No longer address can receive mail (RFC 5321, erratum 1690)."""


class InvalidInputError(Exception):
    """Input we can't use. The message is for the page; ``field`` names the form field it concerns, or is empty."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def is_address(email: str) -> bool:
    return len(email) <= MAX_ADDRESS and _ADDRESS.fullmatch(email) is not None


def find_user(session: Session, email: str) -> User | None:
    """Return the user with this address in lower case. Asks the database nothing about what can't be an address."""
    return session.scalar(select(User).where(User.email == email)) if len(email) <= MAX_ADDRESS else None


def check_credentials(credentials: Credentials, settings: Settings) -> None:
    """Check the credentials with the FCP. Raises InvalidInputError. Don't call this with a database transaction open.

    The call carries no Merchant Name, so a wrong name is noticed only at the first submission.
    """
    http = Http(
        WAREHOUSE,
        max_bytes=MAX_XML_BYTES,
        secrets=(credentials.merchant_token,),
        timeout=(4.0, 10.0),
        deadline=15.0,
    )
    try:
        Fcp(http, api_url=settings.fcp_api_url, credentials=credentials).verify()
    except Unauthorized as error:
        raise InvalidInputError(
            f"The warehouse rejected this Merchant Id and Merchant Token.{_said(error)} "
            "Nothing was saved. Copy both again from the Fulfillment Control Panel.",
            field="merchant_token",
        ) from error
    except Rejected as error:
        raise InvalidInputError(
            f"The warehouse declined to check these credentials.{_said(error)} "
            "Nothing was saved. Ask the warehouse what this means."
        ) from error
    except ServiceError as error:
        raise InvalidInputError(
            f"{error} We couldn't check the credentials. Nothing was saved. Try again in a few minutes."
        ) from error


def _said(error: ServiceError) -> str:
    return f' It said: "{error.words}".' if error.words else ""


def sign_up(
    session: Session,
    *,
    email: str,
    password_hash: str,
    credentials: Credentials,
    settings: Settings,
    now: datetime,
) -> User:
    """Add the merchant and its first user, both or neither. Commits.

    The FCP must have accepted the credentials. A merchant added on the command line that has no users yet is
    claimed. Raises InvalidInputError when the merchant already has users or the address has an account.
    """
    merchant_id = int(credentials.merchant_id)
    merchant = session.get(Merchant, merchant_id, populate_existing=True, with_for_update=True)
    if merchant is not None and _count_users(session, merchant_id):
        session.rollback()
        raise _merchant_taken()
    if find_user(session, email) is not None:
        session.rollback()
        raise _email_taken()
    if merchant is None:
        merchant = Merchant(id=merchant_id, created_at=now)
        session.add(merchant)
    name, token = credentials.merchant_name, credentials.merchant_token
    try:
        set_credentials(session, merchant, name=name, token=token, settings=settings, now=now)
        session.flush()
    except IntegrityError:
        session.rollback()
        raise _merchant_taken() from None
    return add_user(
        session, email=email, password_hash=password_hash, merchant_id=merchant_id, action="signed up", now=now
    )


def add_user(session: Session, *, email: str, password_hash: str, merchant_id: int, action: str, now: datetime) -> User:
    """Add a user to a merchant and record ``action`` in the audit trail. Commits.

    Raises InvalidInputError, after rolling back, if the address already has an account.
    """
    user = User(
        email=email,
        password_hash=password_hash,
        session_key=new_session_key(),
        role=Role.MERCHANT,
        merchant_id=merchant_id,
        created_at=now,
    )
    session.add(user)
    record(session, action, merchant_id=merchant_id, subject=email, actor=email, reason="", now=now)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise _email_taken() from None
    return user


def replace_password(session: Session, user: User, password: str, *, action: str, now: datetime) -> bool:
    """Set the user's password and end all their log-ins. Commits.

    Returns False without changes if the password was replaced by another request in the meantime.
    """
    session.commit()
    changed = {"password_hash": passwords.hashed(password), "session_key": new_session_key()}
    unchanged = update(User).where(User.id == user.id, User.password_hash == user.password_hash)
    if session.execute(unchanged.values(**changed).returning(User.id)).first() is None:
        session.rollback()
        return False
    session.execute(delete(LogIn).where(LogIn.user_id == user.id))
    record(session, action, merchant_id=user.merchant_id, subject=user.email, actor=user.email, reason="", now=now)
    session.commit()
    session.refresh(user)
    return True


def remove_person(session: Session, user: User, *, actor: str, reason: str, now: datetime) -> None:
    """Remove a user from a merchant, and with the user all their log-ins. Commits."""
    record(session, REMOVED, merchant_id=user.merchant_id, subject=user.email, actor=actor, reason=reason, now=now)
    session.delete(user)
    session.commit()


def new_session_key() -> str:
    return secrets.token_urlsafe(24)


def _count_users(session: Session, merchant_id: int) -> int:
    return session.scalar(select(func.count()).where(User.merchant_id == merchant_id)) or 0


def _merchant_taken() -> InvalidInputError:
    return InvalidInputError(
        "This merchant already has an account here. Ask a teammate who uses it to invite you under Settings, Team.",
        field="merchant_id",
    )


def _email_taken() -> InvalidInputError:
    return InvalidInputError(
        "This email address already has an account. Log in, or use another address.", field="email"
    )
