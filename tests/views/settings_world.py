"""Helpers for the tests of the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, Merchant, Store
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World

HOME = "/m/816/settings"
URLS = (
    HOME,
    f"{HOME}/sending/pause",
    f"{HOME}/sending/resume",
    f"{HOME}/test-mode/on",
    f"{HOME}/test-mode/off",
    f"{HOME}/credentials",
    f"{HOME}/colleagues",
    f"{HOME}/audit-trail",
    f"{HOME}/alerts",
)


CHANGES: tuple[tuple[str, dict[str, str]], ...] = (
    (HOME, {"submit_unpaid": "y"}),
    (f"{HOME}/sending/pause", {}),
    (
        f"{HOME}/alerts",
        {"alert_hold_hours": "48", "alert_ageing_days": "3", "alert_sync_minutes": "10", "morning_note": "y"},
    ),
    (f"{HOME}/test-mode/on", {}),
    (f"{HOME}/credentials", {"merchant_name": "Fern & Fable", "merchant_token": "right-token"}),
    (f"{HOME}/colleagues", {"email": "new@fern.example"}),
)


def merchant(app: Flask) -> Merchant:
    with app.app_context():
        return db.session.get_one(Merchant, 816)


def trail(app: Flask) -> list[tuple[str, str, str, str]]:
    """Return (actor, action, subject, reason) of the audit trail, newest first, without the fixtures' entries."""
    with app.app_context():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.actor != "test").order_by(AuditEntry.id.desc())
        )
        return [(entry.actor, entry.action, entry.subject, entry.reason) for entry in entries]


def is_rechecked(app: Flask, world: World, woken: list[Call]) -> bool:
    """Return whether the store's orders are to be assessed again now."""
    with app.app_context():
        polled_now = db.session.get_one(Store, world.store_id).next_poll_at
        assert polled_now is not None
        is_due = polled_now <= utc_now()
    recent = merchant(app).rules_changed_at > utc_now() - timedelta(minutes=1)
    return is_due and recent and Call(JobName.POLL, (world.store_id,)) in woken
