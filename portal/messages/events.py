"""What a webhook is told: the event that is stored with the message, and how Slack shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from portal.models import MessageKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from portal.models import Incident

TYPES: Mapping[MessageKind, str] = {
    MessageKind.INCIDENT_OPENED: "incident.opened",
    MessageKind.INCIDENT_CLOSED: "incident.closed",
    MessageKind.INCIDENT_REMINDER: "incident.reminder",
    MessageKind.TEST: "test",
}
LINK_WORDS = "Open in the portal"
SLACK_CHARS = 3_000
"""Longest text of a message for Slack, before its link."""


@dataclass(frozen=True, slots=True)
class Told:
    """What depends on who is told: of an outage that many share, each merchant is told its own numbers."""

    orders: int
    outcome: str
    path: str


def of_incident(incident: Incident, kind: MessageKind, told: Told, *, text: str, url: str, now: datetime) -> str:
    """Return the event about an incident as it is now, as JSON. It names no buyer."""
    data = {
        "incident_id": incident.id,
        "kind": incident.kind.value,
        "merchant_id": incident.merchant_id,
        "title": incident.title,
        "explanation": incident.explanation,
        "orders": told.orders,
        "order_numbers": list(incident.order_numbers),
        "opened_at": _iso(incident.opened_at),
        "closed_at": _iso(incident.closed_at) if incident.closed_at else None,
        "outcome": told.outcome,
        "text": text,
        "url": url,
    }
    return _event(kind, data, now)


def of_test(*, merchant_id: int | None, title: str, text: str, url: str, now: datetime) -> str:
    """Return the event of a test message, as JSON."""
    return _event(MessageKind.TEST, {"merchant_id": merchant_id, "title": title, "text": text, "url": url}, now)


def as_slack(event: str, subject: str) -> str:
    """Return a Slack message for the event, as JSON: the subject, the text, and a link.

    Slack, Mattermost, Rocket.Chat, Google Chat and Discord (with "/slack" after its URL) read this format.
    """
    data = json.loads(event)["data"]
    lines = [" ".join(subject.split()), data["text"].strip()]
    words = escape("\n".join(line for line in lines if line)[:SLACK_CHARS])
    return json.dumps({"text": f"{words}\n<{_in_link(data['url'])}|{LINK_WORDS}>"})


def escape(text: str) -> str:
    """Escape the characters that start Slack's own markup, such as a mention of everybody.

    Source: docs.slack.dev, "Formatting message text": only &, < and > are to be escaped.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_link(url: str) -> str:
    return escape(url.replace("|", "%7C"))


def _event(kind: MessageKind, data: Mapping[str, Any], now: datetime) -> str:
    return json.dumps({"type": TYPES[kind], "timestamp": _iso(now), "data": data}, separators=(",", ":"))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
