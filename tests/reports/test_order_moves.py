"""The moves of an order as people read them: what it became, what ended, after how long, why and by whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.models import OrderEvent, OrderState, StoredHold
from portal.reports.order_moves import Move, moves_of
from portal.wording.history import for_how_long

S = OrderState
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_SKU: StoredHold = {"reason": "no_sku", "detail": "Poster"}
PAUSED: StoredHold = {"reason": "paused", "detail": ""}
_Step = tuple[float, OrderState | None, OrderState, list[StoredHold], str, str]
"""Minutes since the start, from, to, holds, reason, actor."""


def _moves(*steps: _Step, accepted_at: datetime | None = None) -> list[Move]:
    events = [
        OrderEvent(
            id=number, at=START + timedelta(minutes=minutes), from_state=from_state, to_state=to_state,
            holds=holds, reason=reason, actor=actor,
        )
        for number, (minutes, from_state, to_state, holds, reason, actor) in enumerate(steps)
    ]  # fmt: skip
    return moves_of(events[::-1], accepted_at=accepted_at)


def _said(*steps: _Step, accepted_at: datetime | None = None) -> list[tuple[str, str]]:
    return [(move.title, move.note) for move in _moves(*steps, accepted_at=accepted_at)]


def test_hold_says_how_long_it_lasted_and_what_ended_it() -> None:
    assert _said(
        (0, None, S.HELD, [NO_SKU], "", ""),
        (5, S.HELD, S.HELD, [NO_SKU, PAUSED], "", ""),
        (8, S.HELD, S.READY, [], "SKU set", "owner@fern.example"),
    ) == [
        ("On hold: Missing or invalid SKU: Poster", ""),
        ("On hold: Missing or invalid SKU: Poster; Sending is paused", ""),
        (
            "On hold for 8 minutes: Missing or invalid SKU: Poster; Sending is paused · SKU set by owner@fern.example",
            "",
        ),
    ]


def test_hold_from_before_events_were_kept_has_no_duration() -> None:
    assert _said((0, S.HELD, S.READY, [], "fixed in Big Cartel", "")) == [
        ("No longer on hold · fixed in Big Cartel", "")
    ]


def test_moves_of_one_moment_are_one() -> None:
    said = _said(
        (0, S.READY, S.CLOSED, [], "Marked as shipped in Big Cartel.", ""),
        (90, S.CLOSED, S.HELD, [], "unshipped in Big Cartel again", ""),
        (90, S.HELD, S.READY, [], "", ""),
    )
    assert said == [
        ("Closed", "Marked as shipped in Big Cartel."),
        ("Ready to send", "Closed for 1 hour 30 minutes · unshipped in Big Cartel again."),
    ]


def test_time_at_the_warehouse_counts_from_when_it_took_the_order() -> None:
    shipped: _Step = (180, S.SUBMITTED, S.SHIPPED, [], "", "")
    assert _said(shipped, accepted_at=START) == [("Shipped", "At the warehouse for 3 hours.")]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3_600, "1 hour"),
        (3_660, "1 hour 1 minute"),
        (86_399, "23 hours 59 minutes"),
        (86_400, "1 day"),
        (183_600, "2 days 3 hours"),
        (-5, "less than a second"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    assert for_how_long(timedelta(seconds=seconds)) == said
