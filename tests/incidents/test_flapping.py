"""A service that fails and recovers again and again is told as rarely as possible, and in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.models import HostName, IncidentEvent, Message, MessageKind, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.incidents.portal import Portal

OPENED, CLOSED, REMINDER = MessageKind.INCIDENT_OPENED, MessageKind.INCIDENT_CLOSED, MessageKind.INCIDENT_REMINDER
EVERY = 15
"""Seconds between two looks."""
BACK = 12 * 60
"""Seconds after which whatever is to be told of an end was."""


def play(portal: Portal, *pattern: float) -> list[tuple[MessageKind, float]]:
    """Let the warehouse fail and answer in turns, for these seconds each. Return what was told, and after how long."""
    portal.settings = replace(portal.settings, operator_email="operator@portal.example")
    start = portal.now
    for number, seconds in enumerate(pattern):
        portal.set_host(HostName.WAREHOUSE, "" if number % 2 else "It failed.")
        for _ in range(int(seconds / EVERY)):
            portal.look()
            portal.forward(seconds=EVERY)
    return [(one.kind, (one.created_at - start).total_seconds()) for one in messages(portal)]


def messages(portal: Portal) -> Iterable[Message]:
    with portal.session() as session:
        return session.scalars(select(Message).order_by(Message.id)).all()


def minutes(*pattern: float) -> list[float]:
    return [60 * part for part in pattern]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param([30, BACK], [], id="blip"),
        pytest.param([30, 300, 30, BACK], [], id="two blips minutes apart"),
        pytest.param([30, 90, 30, BACK], [], id="two blips that don't add up to two minutes"),
        pytest.param([105, 150, 105, 150, 105, BACK], [], id="long blips, each minutes after the last"),
        pytest.param([180, BACK], [(OPENED, 120), (CLOSED, 240)], id="outage"),
        pytest.param([180, 30, 180, BACK], [(OPENED, 120), (CLOSED, 990)], id="outage with a gap"),
        pytest.param([*minutes(*[1] * 19), BACK], [(OPENED, 240), (CLOSED, 1740)], id="a minute each"),
        pytest.param([*[30, 30] * 19, 30, BACK], [(OPENED, 240), (CLOSED, 1770)], id="half a minute each"),
        pytest.param([*[45, 15] * 19, 45, BACK], [(OPENED, 150), (CLOSED, 1785)], id="seldom there"),
        pytest.param(minutes(6, 1.5, 6, 12), [(OPENED, 120), (CLOSED, 420), (OPENED, 570), (CLOSED, 1410)], id="twice"),
        pytest.param(
            minutes(*[6, 1.5] * 5, 6, 12),
            [(OPENED, 120), (CLOSED, 420), (OPENED, 570), (CLOSED, 3210)],
            id="six times, told no more often than twice",
        ),
        pytest.param(
            minutes(20, 1.5, 20, 12),
            [(OPENED, 120), (CLOSED, 1260), (OPENED, 1410), (CLOSED, 2550)],
            id="two long outages, each told as soon as it is over",
        ),
        pytest.param(minutes(3, 20, 3, 12), [(OPENED, 120), (CLOSED, 240), (OPENED, 1500), (CLOSED, 1620)], id="apart"),
        pytest.param([30, 60, *minutes(34, 12)], [(OPENED, 180), (CLOSED, 2190)], id="blip before an outage"),
    ],
)
def test_what_comes_and_goes_is_told(
    sqlite_portal: Portal, pattern: list[float], expected: list[tuple[MessageKind, float]]
) -> None:
    assert play(sqlite_portal, *pattern) == expected


@pytest.mark.parametrize("gap", [60, 300], ids=["just before", "a while before"])
def test_blip_before_an_outage_does_not_count_towards_its_length_and_orders(sqlite_portal: Portal, gap: float) -> None:
    portal = sqlite_portal
    play(portal, 30)
    early = portal.add_order(OrderState.READY)
    play(portal, *[0, gap])
    portal.change_orders(early, state=OrderState.SUBMITTED, submitted_at=portal.now)
    number = portal.add_order(OrderState.READY)
    portal.forward(seconds=EVERY)
    play(portal, *minutes(34))
    portal.change_orders(number, state=OrderState.SUBMITTED, submitted_at=portal.now)
    play(portal, 0, *minutes(3))
    *_, closing = messages(portal)
    assert "Back after 34 minutes: 1 order sent, the oldest waited 34 minutes." in closing.text


def test_second_outage_counts_its_own_orders_until_its_end_is_told(sqlite_portal: Portal) -> None:
    portal = sqlite_portal
    play(portal, *minutes(6, 1.5, 6))
    numbers = [portal.add_order(OrderState.READY, first_seen_at=portal.now) for _ in range(2)]
    portal.forward(seconds=EVERY)
    play(portal, 0, 30)
    portal.change_orders(*numbers, state=OrderState.SUBMITTED, submitted_at=portal.now)
    play(portal, 0, BACK)
    *_, closing = messages(portal)
    assert closing.kind is CLOSED
    assert "Back after 6 minutes: 2 orders sent" in closing.text


def test_going_on_after_a_gap_keeps_the_start_that_was_told(sqlite_portal: Portal) -> None:
    play(sqlite_portal, *minutes(6, 1.5, 6), 30, *minutes(6, 12))
    *_, closing = messages(sqlite_portal)
    assert "Back after 12 minutes" in closing.text


def test_end_is_told_however_much_else_has_happened_since(sqlite_portal: Portal) -> None:
    portal = sqlite_portal
    play(portal, *minutes(3))
    portal.set_host(HostName.WAREHOUSE, "")
    portal.look()
    portal.reject("One cause", count=1)
    portal.look()
    with portal.session() as session:
        incident = portal.incidents()[0]
        session.add_all(
            IncidentEvent(incident_id=incident.id, at=portal.now, sentence="It changed.") for _ in range(2500)
        )
        session.commit()
    portal.look(minutes=2)
    assert CLOSED in {one.kind for one in messages(portal)}
