"""Save when a merchant's state becomes an incident, and whether its people get the morning note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.models.audit import record
from portal.wording.counts import count_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Merchant

HOLD_HOURS = (1, 720)
AGEING_DAYS = (1, 60)
SYNC_MINUTES = (5, 1440)
"""The smallest and largest thresholds that may be set."""


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """The fields have the names of the merchant's columns, which explain them."""

    alert_hold_hours: int
    alert_ageing_days: int
    alert_sync_minutes: int
    morning_note: bool


def save_alerts(
    session: Session, merchant: Merchant, choice: AlertChoice, *, actor: str, reason: str, now: datetime
) -> bool:
    """Save the choice with an audit entry that names what changed. Return whether anything did; commits."""
    changed = []
    if merchant.alert_hold_hours != choice.alert_hold_hours:
        merchant.alert_hold_hours = choice.alert_hold_hours
        changed.append(f"on hold for longer than {count_of(choice.alert_hold_hours, 'hour')}")
    if merchant.alert_ageing_days != choice.alert_ageing_days:
        merchant.alert_ageing_days = choice.alert_ageing_days
        changed.append(f"at the warehouse for longer than {count_of(choice.alert_ageing_days, 'business day')}")
    if merchant.alert_sync_minutes != choice.alert_sync_minutes:
        merchant.alert_sync_minutes = choice.alert_sync_minutes
        changed.append(f"not synced for longer than {count_of(choice.alert_sync_minutes, 'minute')}")
    if merchant.morning_note != choice.morning_note:
        merchant.morning_note = choice.morning_note
        changed.append(f"morning note: {'on' if choice.morning_note else 'off'}")
    if changed:
        subject = ", ".join(changed)
        record(session, "alerts changed", merchant_id=merchant.id, subject=subject, actor=actor, reason=reason, now=now)
    session.commit()
    return bool(changed)
