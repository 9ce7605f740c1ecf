"""What an attempt was and how it ended, in words for people; the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import AttemptKind, AttemptOutcome, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.models import Attempt

KIND_LABELS: Mapping[AttemptKind, str] = {
    AttemptKind.SUBMIT: "Submission",
    AttemptKind.STATUS: "Status check",
    AttemptKind.MARK_SHIPPED: "Telling Big Cartel",
}
OUTCOME_LABELS: Mapping[AttemptOutcome, str] = {
    AttemptOutcome.OPEN: "No answer yet",
    AttemptOutcome.DONE: "Done",
    AttemptOutcome.NOT_SENT: "Not reached",
    AttemptOutcome.UNKNOWN: "No clear answer",
    AttemptOutcome.REFUSED: "Refused",
    AttemptOutcome.DUPLICATE: "There already",
    AttemptOutcome.UNAUTHORIZED: "Credentials refused",
    AttemptOutcome.NOT_FOUND: "Not found",
    AttemptOutcome.INTERRUPTED: "Interrupted",
}
TRIGGER_LABELS: Mapping[Trigger, str] = {
    Trigger.SCHEDULE: "by the schedule",
    Trigger.PERSON: "asked for by a person",
}
OUTCOME_COLORS: Mapping[AttemptOutcome, str] = {
    AttemptOutcome.OPEN: "info",
    AttemptOutcome.DONE: "success",
    AttemptOutcome.NOT_SENT: "warning",
    AttemptOutcome.UNKNOWN: "warning",
    AttemptOutcome.REFUSED: "danger",
    AttemptOutcome.DUPLICATE: "info",
    AttemptOutcome.UNAUTHORIZED: "danger",
    AttemptOutcome.NOT_FOUND: "warning",
    AttemptOutcome.INTERRUPTED: "warning",
}


def duration(attempt: Attempt) -> str:
    """How long the call took; empty while it is out."""
    if attempt.finished_at is None:
        return ""
    seconds = max((attempt.finished_at - attempt.started_at).total_seconds(), 0.0)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
