"""What the mails about an incident say: the fact first, then what it means, since when, and where the fix is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from portal.incidents.kinds import KINDS, MERCHANT, fix_path
from portal.messages.letters import Item, Letter
from portal.models import MessageKind
from portal.wording.counts import count_of, length
from portal.wording.incidents import NOTHING_TO_DO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.models import Incident
    from portal.rules.time_zones import TimeZone

LISTED = 10
"""Orders, or other open incidents, that a mail lists."""
DASHBOARD, SUPPORT_PAGE = f"/m/{MERCHANT}/", "/support/incidents"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a mail is written: the people of a merchant, or the operator."""

    zone: TimeZone
    merchant_id: int | None
    """Whose pages the links lead to; None if the operator is told of something that concerns no single merchant."""
    orders: int
    """How many of the reader's orders are affected."""
    outcome: str
    """How the incident ended for the reader; empty while it is open."""
    merchant_name: str = ""
    """Only for the operator: which merchant it is about; empty if none."""


def letter(kind: MessageKind, incident: Incident, reader: Reader, others: Sequence[Incident], now: datetime) -> Letter:
    """Write the mail of this kind about the incident; ``others`` are the incidents that are open besides it."""
    is_named = reader.merchant_name in incident.title  # a store often has its merchant's name
    title = incident.title if is_named else f"{incident.title} ({reader.merchant_name})"
    began = reader.zone.in_sentence(incident.opened_at, now)
    match kind:
        case MessageKind.INCIDENT_CLOSED:
            ended_at = incident.closed_at or now
            lasted = length(ended_at - incident.opened_at)
            return Letter(
                subject=f"Resolved: {title}",
                heading=f"Resolved: {title}",
                paragraphs=[
                    reader.outcome or f"It lasted {lasted}.",
                    f"It began on {began} and ended on {reader.zone.in_sentence(ended_at, now)}.",
                    "What is still open is listed below." if others else "Nothing else needs your attention.",
                ],
                items=[Item(other.title, _path(other, reader)) for other in others[:LISTED]],
                button="View dashboard" if reader.merchant_id else "View support page",
                path=DASHBOARD.format(merchant=reader.merchant_id) if reader.merchant_id else SUPPORT_PAGE,
            )
        case MessageKind.INCIDENT_REMINDER:
            title = f"Still open after {length(now - incident.opened_at)}: {title}"
            promise = "We'll email you when it's over. To stop the daily reminder, acknowledge the incident."
        case _:
            promise = "We'll email you when it's over, and once a day until then."
    affected = f"{count_of(reader.orders, 'order')} affected. " if reader.orders else ""
    return Letter(
        subject=title,
        heading=title,
        paragraphs=[*filter(None, [_explanation(incident, reader)]), f"Since {began}. {affected}{promise}"],
        items=_order_items(incident),
        button=KINDS[incident.kind].button if _has_fix(incident, reader) else "View support page",
        path=_path(incident, reader),
    )


def _explanation(incident: Incident, reader: Reader) -> str:
    """Return what it means. Whoever operates the portal isn't told to sit back."""
    is_operator = reader.merchant_id is None or bool(reader.merchant_name)
    return incident.explanation.removesuffix(NOTHING_TO_DO).strip() if is_operator else incident.explanation


def _has_fix(incident: Incident, reader: Reader) -> bool:
    return reader.merchant_id is not None or "{merchant}" not in KINDS[incident.kind].path


def _path(incident: Incident, reader: Reader) -> str:
    if not _has_fix(incident, reader):
        return SUPPORT_PAGE
    return fix_path(incident.kind, merchant=reader.merchant_id or MERCHANT, subject=incident.subject)


def _order_items(incident: Incident) -> list[Item]:
    """Return the orders' numbers with links. Of what concerns every merchant, nobody reads others' numbers."""
    if incident.merchant_id is None:
        return []
    return [
        Item(f"Order {number}", f"/m/{incident.merchant_id}/orders/{quote(number, safe='')}")
        for number in incident.order_numbers[:LISTED]
    ]
