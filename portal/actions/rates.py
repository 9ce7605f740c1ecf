"""Mark shipping rates as always or never sent, where their names misled us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import MarkedRate, RateMark
from portal.models.audit import record
from portal.rules.pickup import rate_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Store

MARKED: Mapping[RateMark | None, str] = {
    RateMark.ALWAYS: "shipping rate marked: always send",
    RateMark.NEVER: "shipping rate marked: never send",
    None: "shipping rate no longer marked",
}
"""The actions in the audit trail."""


def mark_rates(
    session: Session,
    store: Store,
    wanted: Mapping[str, RateMark | None],
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> int:
    """Set the marks of these rates, by name; None removes a mark. Return how many changed. Commits.

    Other rates don't change. Orders that weren't sent are reassessed at the next poll.
    """
    marked = {row.name: row for row in session.scalars(select(MarkedRate).where(MarkedRate.store_id == store.id))}
    changed = 0
    for name, mark in wanted.items():
        row = marked.get(rate_key(name))
        if (row.mark if row is not None else None) is mark:
            continue
        changed += 1
        if row is not None and mark is None:
            session.delete(row)
        elif mark is not None:
            if row is None:
                row = MarkedRate(store_id=store.id, name=rate_key(name))
                session.add(row)
            row.mark, row.set_by, row.set_at = mark, actor, now
        action, merchant_id = MARKED[mark], store.merchant_id
        record(session, action, merchant_id=merchant_id, subject=name, actor=actor, reason=reason, now=now)
    if changed:
        store.merchant.rules_changed_at = now
    session.commit()
    return changed
