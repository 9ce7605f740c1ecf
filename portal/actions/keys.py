"""Changing the keys of stored tokens: each token is sealed again with the first of the keys."""

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

KEYS_ROTATED = "tokens sealed with the first key"


@dataclass(slots=True)
class Rotation:
    """What became of the stored tokens."""

    resealed: int = 0
    up_to_date: int = 0
    """Tokens that the first key had sealed already."""
    unopened: list[str] = field(default_factory=list)
    """Whose token none of the keys opens, one text for each row."""


def rotate(session: Session, keys: Sequence[str], *, actor: str, reason: str, now: datetime) -> Rotation:
    """Seal every stored token with the first of ``keys``; one that none of them opens stays as it is. Commits."""
    done = Rotation()
    merchants = session.scalars(select(Merchant.id).order_by(Merchant.id)).all()
    stores = session.execute(select(Store.id, Store.account_id, Store.merchant_id).order_by(Store.id)).all()
    session.commit()
    for merchant_id in merchants:
        _rotate_one(session, Merchant, merchant_id, f"the Merchant Token of merchant {merchant_id}", keys, now, done)
    for store in stores:
        whose = f"the access token of account {store.account_id}, merchant {store.merchant_id}"
        _rotate_one(session, Store, store.id, whose, keys, now, done)
    counts = f"{done.resealed} sealed again, {done.up_to_date} up to date, {len(done.unopened)} not opened"
    record(session, KEYS_ROTATED, merchant_id=None, subject=counts, actor=actor, reason=reason, now=now)
    session.commit()
    return done


def _rotate_one(
    session: Session,
    kind: type[Merchant | Store],
    row_id: int,
    whose: str,
    keys: Sequence[str],
    now: datetime,
    done: Rotation,
) -> None:
    """Seal the token of one row again; if it has been replaced meanwhile, do the same with the new one."""
    while sealed := _sealed(session, kind, row_id):
        if _opens(sealed, keys[:1]):
            done.up_to_date += 1
            return
        if not _opens(sealed, keys):
            done.unopened.append(whose)
            return
        values: dict[str, object] = {"sealed_token": seal(unseal(sealed, keys), keys)}
        if kind is Store:
            # A refusal counts only if the store still has the sealed token that was used. For a poll that is under
            # way it does not any more; moving the time at which that poll would be repeated keeps it from ending the
            # store's polls without a word, and the next poll learns of the refusal. Longer waits stay as they are.
            values["next_poll_at"] = case((Store.next_poll_at <= now + LEASE, now), else_=Store.next_poll_at)
        # A merchant needs no such thing: after a refusal that does not count, its orders are due as before.
        statement = update(kind).where(kind.id == row_id, kind.sealed_token == sealed).values(values)
        result = session.execute(statement, execution_options={"synchronize_session": False})
        session.commit()
        if cast("CursorResult[tuple[()]]", result).rowcount == 1:
            done.resealed += 1
            return


def _sealed(session: Session, kind: type[Merchant | Store], row_id: int) -> str:
    """The row's sealed token as it is now; empty for a disconnected store. No transaction stays open."""
    sealed = session.scalar(select(kind.sealed_token).where(kind.id == row_id))
    session.commit()
    return sealed or ""


def _opens(sealed: str, keys: Sequence[str]) -> bool:
    try:
        unseal(sealed, keys)
    except (SealError, UnicodeError):
        return False
    return True
