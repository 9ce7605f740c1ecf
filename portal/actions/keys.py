"""Rotate the keys that encrypt stored tokens: encrypt each token again with the first key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, case, select, update

from portal.crypto import SealError, seal, unseal
from portal.engine.leases import LEASE
from portal.models import Merchant, Store
from portal.models.audit import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

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
    merchants = session.scalars(select(Merchant.id).order_by(Merchant.id)).all()
    stores = session.execute(select(Store.id, Store.account_id, Store.merchant_id).order_by(Store.id)).all()
    session.commit()
    for merchant_id in merchants:
        _rotate_one(session, Merchant, merchant_id, f"the Merchant Token of merchant {merchant_id}", keys, now, done)
    for store in stores:
        name = f"the access token of account {store.account_id}, merchant {store.merchant_id}"
        _rotate_one(session, Store, store.id, name, keys, now, done)
    counts = f"{done.resealed} re-encrypted, {done.up_to_date} up to date, {len(done.unopened)} not decrypted"
    record(session, KEYS_ROTATED, merchant_id=None, subject=counts, actor=actor, reason=reason, now=now)
    session.commit()
    return done


def _rotate_one(
    session: Session,
    kind: type[Merchant | Store],
    row_id: int,
    name: str,
    keys: Sequence[str],
    now: datetime,
    done: Rotation,
) -> None:
    """Encrypt one row's token again. If it is replaced in the meantime, start over with the new one."""
    while sealed := _sealed(session, kind, row_id):
        if _opens(sealed, keys[:1]):
            done.up_to_date += 1
            return
        if not _opens(sealed, keys):
            done.unopened.append(name)
            return
        values: dict[str, object] = {"sealed_token": seal(unseal(sealed, keys), keys)}
        if kind is Store:
            # A rejection counts only if the store still has the sealed token that was used. A poll in progress uses the
            # old one: if Big Cartel rejects it, the poll would silently end the store's polls. Changing next_poll_at
            # prevents that, and the next poll discovers the rejection. Longer waits don't change.
            values["next_poll_at"] = case((Store.next_poll_at <= now + LEASE, now), else_=Store.next_poll_at)
        # Merchants don't need this: after a rejection that doesn't count, their orders are still due.
        statement = update(kind).where(kind.id == row_id, kind.sealed_token == sealed).values(values)
        result = session.execute(statement, execution_options={"synchronize_session": False})
        session.commit()
        if cast("CursorResult[tuple[()]]", result).rowcount == 1:
            done.resealed += 1
            return


def _sealed(session: Session, kind: type[Merchant | Store], row_id: int) -> str:
    """Return the row's current sealed token, "" for a disconnected store. Leaves no transaction open."""
    sealed = session.scalar(select(kind.sealed_token).where(kind.id == row_id))
    session.commit()
    return sealed or ""


def _opens(sealed: str, keys: Sequence[str]) -> bool:
    try:
        unseal(sealed, keys)
    except (SealError, UnicodeError):
        return False
    return True
