"""Rotate the keys that encrypt stored tokens and webhooks: encrypt each one again with the first key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, case, select, update

from portal.crypto import SealError, seal, unseal
from portal.engine.leases import LEASE
from portal.models import Merchant, Store, WebhookEndpoint
from portal.models.audit import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import InstrumentedAttribute, Session

KEYS_ROTATED = "token keys rotated"


@dataclass(slots=True)
class Rotation:
    """What happened to the stored tokens."""

    resealed: int = 0
    up_to_date: int = 0
    """Tokens that were already encrypted with the first key."""
    unopened: list[str] = field(default_factory=list)
    """The tokens that no key decrypts, each as a phrase for messages."""


def rotate(session: Session, keys: Sequence[str], *, actor: str, reason: str, now: datetime) -> Rotation:
    """Encrypt every stored token with the first of ``keys``. Tokens that no key decrypts stay unchanged. Commits."""
    done = Rotation()
    for one in _all_sealed(session):
        _rotate_one(session, one, keys, now, done)
    counts = f"{done.resealed} re-encrypted, {done.up_to_date} up to date, {len(done.unopened)} not decrypted"
    record(session, KEYS_ROTATED, merchant_id=None, subject=counts, actor=actor, reason=reason, now=now)
    session.commit()
    return done


@dataclass(frozen=True, slots=True)
class _Sealed:
    """One sealed text in the database: its column, its row, and what it is called in messages."""

    column: InstrumentedAttribute[str]
    key: InstrumentedAttribute[int]
    row_id: int
    name: str


def _all_sealed(session: Session) -> list[_Sealed]:
    """Return everything that is stored encrypted. Leaves no transaction open."""
    merchants = session.scalars(select(Merchant.id).order_by(Merchant.id)).all()
    stores = session.execute(select(Store.id, Store.account_id, Store.merchant_id).order_by(Store.id)).all()
    webhooks = session.scalars(select(WebhookEndpoint.merchant_id).order_by(WebhookEndpoint.merchant_id)).all()
    session.commit()
    found = [
        _Sealed(Merchant.sealed_token, Merchant.id, one, f"the Merchant Token of merchant {one}") for one in merchants
    ]
    for store in stores:
        name = f"the access token of account {store.account_id}, merchant {store.merchant_id}"
        found.append(_Sealed(Store.sealed_token, Store.id, store.id, name))
    for one in webhooks:
        for column, what in ((WebhookEndpoint.sealed_url, "URL"), (WebhookEndpoint.sealed_secret, "secret")):
            found.append(_Sealed(column, WebhookEndpoint.merchant_id, one, f"the webhook's {what} of merchant {one}"))
    return found


def _rotate_one(session: Session, one: _Sealed, keys: Sequence[str], now: datetime, done: Rotation) -> None:
    """Encrypt one text again. If it is replaced in the meantime, start over with the new one."""
    while sealed := _sealed(session, one):
        if _opens(sealed, keys[:1]):
            done.up_to_date += 1
            return
        if not _opens(sealed, keys):
            done.unopened.append(one.name)
            return
        values: dict[str, object] = {one.column.key: seal(unseal(sealed, keys), keys)}
        if one.column is Store.sealed_token:
            # A rejection counts only if the store still has the sealed token that was used. A poll in progress uses the
            # old one: if Big Cartel rejects it, the poll would silently end the store's polls. Changing next_poll_at
            # prevents that, and the next poll discovers the rejection. Longer waits don't change.
            values["next_poll_at"] = case((Store.next_poll_at <= now + LEASE, now), else_=Store.next_poll_at)
        # Merchants don't need this: after a rejection that doesn't count, their orders are still due.
        statement = update(one.column.class_).where(one.key == one.row_id, one.column == sealed).values(values)
        result = session.execute(statement, execution_options={"synchronize_session": False})
        session.commit()
        if cast("CursorResult[tuple[()]]", result).rowcount == 1:
            done.resealed += 1
            return


def _sealed(session: Session, one: _Sealed) -> str:
    """Return the sealed text now, "" if there is none (a disconnected store). Leaves no transaction open."""
    sealed = session.scalar(select(one.column).where(one.key == one.row_id))
    session.commit()
    return sealed or ""


def _opens(sealed: str, keys: Sequence[str]) -> bool:
    try:
        unseal(sealed, keys)
    except (SealError, UnicodeError):
        return False
    return True
