"""What a webhook is told about an incident, and how Slack shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from portal.messages import events
from portal.models import Incident, IncidentKind, MessageKind

BEGAN = datetime(2026, 11, 28, 7, tzinfo=timezone(timedelta(hours=-5)))
NOW = datetime(2026, 11, 28, 14, 0, 0, 123_456, tzinfo=UTC)


def event(kind: MessageKind, **columns: Any) -> dict[str, Any]:
    incident = Incident(
        id=7, kind=IncidentKind.ORDERS_REJECTED, merchant_id=816, title="2 orders rejected", explanation="Fix it.",
        orders=41, order_numbers=["A-1", "A-2"], opened_at=BEGAN, outcome="41 orders sent.", **columns,
    )  # fmt: skip
    told = events.Told(orders=2, outcome="2 orders sent.", path="/x")
    found = json.loads(events.of_incident(incident, kind, told, text="Words", url="https://p.example/x", now=NOW))
    assert isinstance(found, dict)
    return found


def test_an_event_says_what_its_reader_may_know() -> None:
    """Of an outage that many share, the orders and the outcome are the reader's own. Times are in UTC."""
    assert event(MessageKind.INCIDENT_OPENED) == {
        "type": "incident.opened", "timestamp": "2026-11-28T14:00:00Z",
        "data": {
            "incident_id": 7, "kind": "orders_rejected", "merchant_id": 816, "title": "2 orders rejected",
            "explanation": "Fix it.", "orders": 2, "order_numbers": ["A-1", "A-2"],
            "opened_at": "2026-11-28T12:00:00Z", "closed_at": None, "outcome": "2 orders sent.", "text": "Words",
            "url": "https://p.example/x",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name"),
    [(MessageKind.INCIDENT_CLOSED, "incident.closed"), (MessageKind.INCIDENT_REMINDER, "incident.reminder")],
)
def test_the_type_says_what_has_happened(kind: MessageKind, name: str) -> None:
    found = event(kind, closed_at=NOW)
    assert (found["type"], found["data"]["closed_at"]) == (name, "2026-11-28T14:00:00Z")


def test_slack_shows_one_line_of_subject_and_no_more_than_it_takes() -> None:
    def words(subject: str, text: str) -> str:
        told = events.of_test(merchant_id=816, title="", text=text, url="https://p.example/", now=NOW)
        shown: str = json.loads(events.as_slack(told, subject))["text"]
        return shown.rpartition("\n")[0]

    assert words("Two\nlines", " Text \n") == "Two lines\nText"
    assert words("", "Text") == "Text"
    assert words("Subject", "") == "Subject"
    assert len(words("Subject", "a" * 9_000)) == events.SLACK_CHARS == 3_000
