"""What the mails about an incident say, whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.incidents.incident_letters import Reader, letter
from portal.models import Incident, IncidentKind, MessageKind
from portal.rules.time_zones import UTC_ZONE

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("12 orders rejected: unknown SKU A", "12 orders rejected: unknown SKU A (Fern & Fable)"),
        ("Fern & Fable: access token rejected", "Fern & Fable: access token rejected"),
    ],
)  # fmt: skip
def test_operator_reads_once_which_merchant_it_is_about(title: str, subject: str) -> None:
    kind = IncidentKind.ORDERS_REJECTED
    incident = Incident(
        kind=kind, title=title, explanation="", subject="", merchant_id=816, order_numbers=[], opened_at=NOW
    )
    reader = Reader(UTC_ZONE, 816, orders=0, outcome="", merchant_name="Fern & Fable")
    assert letter(MessageKind.INCIDENT_OPENED, incident, reader, [], NOW).subject == subject
