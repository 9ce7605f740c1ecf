"""People who log in: signing up with credentials that the FCP accepts, passwords, leaving."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from portal.clients.errors import OutcomeUnknown, Rejected, ServiceError, Unauthorized, UnexpectedAnswer
from portal.clients.fcp import Credentials, Fcp
from portal.clients.fcp_documents import FCP, MAX_XML_BYTES
from portal.clients.http import Http
from portal.fulfillment.clients import give_credentials
from portal.models import Merchant, Role, User
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
"""What browsers take for an e-mail address (HTML standard, input type=email), in lower case."""


class NotTakenError(Exception):
    """What a person entered cannot be used; ``field`` is the form's field, or empty, the text says why."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def is_address(email: str) -> bool:
    return len(email) <= 254 and _ADDRESS.fullmatch(email) is not None


def find_user(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def check_credentials(credentials: Credentials, settings: Settings) -> None:
    """Ask the FCP whether it accepts them. Raises NotTakenError. Hold no database transaction open meanwhile.

    The call carries no Merchant Name: a wrong one shows at the first submission only.
    """
    http = Http(
        FCP,
        max_bytes=MAX_XML_BYTES,
        secrets=(credentials.merchant_token,),
        pool=1,
        timeout=(4.0, 10.0),
        deadline=15.0,
    )
    try:
        Fcp(http, api_url=settings.fcp_api_url, credentials=credentials).verify()
    except Unauthorized as error:
        said = f' It says: "{error.words}".' if error.words else ""
        raise NotTakenError(
            f"The warehouse does not accept this Merchant Id with this Merchant Token.{said} "
            "Nothing was saved. Copy both once more from the Fulfillment Control Panel.",
            field="merchant_token",
        ) from error
    except Rejected as error:
        raise NotTakenError(
            f'The warehouse did not want to check the credentials. It says: "{error.words}". '
            "Nothing was saved. Ask the warehouse what it means."
        ) from error
    except UnexpectedAnswer as error:
        raise NotTakenError(
            "The warehouse gave an answer that we do not understand, so the credentials could not be checked. "
            "Nothing was saved. Try again in a few minutes."
        ) from error
    except (OutcomeUnknown, ServiceError) as error:
        raise NotTakenError(
            "The warehouse cannot be reached at the moment, so the credentials could not be checked. "
            "Nothing was saved. Try again in a few minutes."
        ) from error
    finally:
        http.close()


def sign_up(
    session: Session,
    *,
    email: str,
    password_hash: str,
    credentials: Credentials,
    settings: Settings,
    now: datetime,
) -> User:
    """Add the merchant and its first person, both or neither. The FCP has accepted the credentials. Commits.

    A merchant that somebody belongs to is not claimed again; one that was only added on the command line is.
    Raises NotTakenError.
    """
    merchant_id = int(credentials.merchant_id)
    merchant = session.get(Merchant, merchant_id, populate_existing=True, with_for_update=True)
    if merchant is not None and _people(session, merchant_id):
        session.rollback()
        raise _claimed()
    if find_user(session, email) is not None:
        session.rollback()
        raise _known()
    if merchant is None:
        merchant = Merchant(id=merchant_id, created_at=now)
        session.add(merchant)
    name, token = credentials.merchant_name, credentials.merchant_token
    try:
        give_credentials(session, merchant, name=name, token=token, settings=settings, now=now)
        session.flush()
    except IntegrityError:
        session.rollback()
        raise _claimed() from None
    return add_user(
        session, email=email, password_hash=password_hash, merchant_id=merchant_id, action="signed up", now=now
    )


def add_user(session: Session, *, email: str, password_hash: str, merchant_id: int, action: str, now: datetime) -> User:
    """Add a person to a merchant, and write it down under ``action``. Commits.

    Raises NotTakenError for an address that has an account; then nothing of the transaction stands.
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
        raise _known() from None
    return user


def replace_password(session: Session, user: User, password: str, *, action: str, now: datetime) -> bool:
    """Give the person this password and end every session. Commits.

    Returns False, and changes nothing, when the password was replaced by somebody else in the meantime.
    """
    session.commit()
    changed = {"password_hash": passwords.hashed(password), "session_key": new_session_key()}
    same = update(User).where(User.id == user.id, User.password_hash == user.password_hash)
    if session.execute(same.values(**changed).returning(User.id)).first() is None:
        session.rollback()
        return False
    record(session, action, merchant_id=user.merchant_id, subject=user.email, actor=user.email, reason="", now=now)
    session.commit()
    session.refresh(user)
    return True


def remove_person(session: Session, user: User, *, actor: str, reason: str, now: datetime) -> None:
    """Remove a person from a merchant, which ends every session of theirs. Commits."""
    record(session, REMOVED, merchant_id=user.merchant_id, subject=user.email, actor=actor, reason=reason, now=now)
    session.delete(user)
    session.commit()


def new_session_key() -> str:
    return secrets.token_urlsafe(24)


def _people(session: Session, merchant_id: int) -> int:
    return session.scalar(select(func.count()).where(User.merchant_id == merchant_id)) or 0


def _claimed() -> NotTakenError:
    return NotTakenError(
        "This merchant has an account here already. Ask a colleague who uses it for an invitation, under Settings.",
        field="merchant_id",
    )


def _known() -> NotTakenError:
    return NotTakenError("This e-mail address has an account already. Log in, or use another address.", field="email")
