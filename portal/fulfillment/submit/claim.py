"""Claim packed orders. Intent and attempt are committed together, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment import attempts, search_rows
from portal.models import AttemptKind, Order, OrderState
from portal.models.states import OrderChange, lock, move

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.fulfillment.submit.context import Submission
    from portal.fulfillment.submit.parcels import Parcel


@dataclass(slots=True)
class Sending:
    """One claimed parcel and its attempt. The thread that makes the call notes when the request leaves."""

    parcel: Parcel
    attempt_id: int
    departed_at: datetime | None = None


def claim(submission: Submission, parcels: Sequence[Parcel]) -> list[Sending]:
    """Claim those of the parcels that are as they were when we assessed them. The caller commits, then sends them."""
    if not parcels:
        return []
    session, now = submission.session, submission.context.clock()
    claims: dict[int, list[OrderChange]] = {}
    for parcel in parcels:
        order, columns = parcel.order, parcel.columns
        change = OrderChange(order.id, {**columns, "claim": submission.lease.owner}, assessed_at=order.assessed_at)
        claims.setdefault(len(columns), []).append(change)
    if len(claims) > 1:
        lock(session, [parcel.order.id for parcel in parcels])
    moved = sum(
        move(
            session,
            some,
            from_state=OrderState.READY,
            to_state=OrderState.SUBMITTING,
            now=now,
            if_not_assessed_since=True,
        )
        for some in claims.values()
    )
    search_rows.refresh(
        session, [change.order_id for some in claims.values() for change in some if "lines" in change.columns]
    )
    if moved != len(parcels):
        parcels = _claimed(submission, parcels)
    opened = attempts.open_attempts(
        session,
        [parcel.order.id for parcel in parcels],
        merchant_id=submission.merchant.id,
        kind=AttemptKind.SUBMIT,
        trigger=submission.context.trigger,
        now=now,
    )
    return [Sending(parcel, attempt_id) for parcel, attempt_id in zip(parcels, opened, strict=True)]


def _claimed(submission: Submission, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Return the parcels whose claim succeeded; another process moved the others after we assessed them."""
    ids = set(
        submission.session.scalars(
            select(Order.id).where(
                Order.id.in_([parcel.order.id for parcel in parcels]),
                Order.state == OrderState.SUBMITTING,
                Order.claim == submission.lease.owner,
            )
        )
    )
    return [parcel for parcel in parcels if parcel.order.id in ids]
