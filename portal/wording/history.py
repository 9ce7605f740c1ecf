"""Why an order moved, as its history says it: phrases that follow "On hold for 8 minutes · "."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models.audit import RELEASED, RETRIED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

DONE: Mapping[str, str] = {RETRIED: "retried", RELEASED: "released"}
"""What a person did, by the action in the audit trail."""

FIXED_IN_BIG_CARTEL = "fixed in Big Cartel"
CHANGED_IN_BIG_CARTEL = "changed in Big Cartel"
MARKED_BY_PERSON = "marked as shipped in Big Cartel"
UNSHIPPED_AGAIN = "unshipped in Big Cartel again"
NOT_CANCELED = "no longer canceled at the warehouse"
SHIPPED_AFTER_ALL = "shipped by the warehouse after all"
FOUND = "found at the warehouse"
SENT_AGAIN = "not at the warehouse, so we send it again"
SYNCED_LATE = "it should have been here since an earlier sync, so it was looked up before sending it"
WORKER_STOPPED = "our worker stopped before the warehouse answered"
RESTORED = "a backup was restored, so we ask the warehouse first"
SKU_SET = "SKU set"
SETTINGS_CHANGED = "settings changed"


def why(reason: str, actor: str) -> str:
    """Return the reason with the person behind it: "released by owner@example.com"."""
    return " by ".join(filter(None, (reason, actor)))


def for_how_long(duration: timedelta) -> str:
    """Return a duration as people say it, in its two largest units, rounded down: "8 minutes", "2 days 3 hours"."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < 1:
        return "less than a second"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return _joined((days, "day"), (hours % 24, "hour"))
    if hours:
        return _joined((hours, "hour"), (minutes % 60, "minute"))
    return _joined((minutes, "minute")) if minutes else _joined((seconds, "second"))


def _joined(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts if number)
