"""What the morning note says: the figures in its subject, and each thing that needs attention with its page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from portal.incidents.morning_letter import MOST_INCIDENTS, Morning, letter
from portal.models import Incident, IncidentKind, Merchant, OrderState
from portal.reports.day_figures import DayFigures
from portal.reports.overview import OpenOrders
from portal.rules.hold_reasons import HoldReason

_K = IncidentKind
DAY = date(2026, 11, 26)
HOME = "/m/816"


def morning(
    *, placed: int = 0, sent: int = 0, shipped: int = 0, half_within: timedelta | None = None,
    orders: OpenOrders | None = None, incidents: int | list[Incident] = 0,
) -> Morning:  # fmt: skip
    listed = [problem(number) for number in range(incidents)] if isinstance(incidents, int) else incidents
    figures = DayFigures(DAY, placed, sent, shipped, half_within)
    return Morning(Merchant(id=816, name="Fern"), "Eastern Time", figures, orders or OpenOrders(), listed)


def problem(number: int = 0, kind: IncidentKind = _K.STORE_NOT_SYNCED, **columns: Any) -> Incident:
    return Incident(kind=kind, **{"title": f"Problem {number}", "subject": str(number), "orders": 0} | columns)


def items(made: Morning) -> list[tuple[str, str]]:
    return [(item.text, item.path) for item in letter(made).items]


@pytest.mark.parametrize(
    ("made", "subject"),
    [
        (morning(placed=9, sent=5, shipped=3), "5 orders sent"),
        (morning(placed=1), "1 order placed, none sent"),
        (morning(shipped=3), "3 orders shipped"),
        (morning(sent=1, incidents=2), "1 order sent, 2 open incidents"),
        (morning(sent=1, orders=OpenOrders(to_fix=1), incidents=2), "1 order sent, 1 needs attention"),
        (morning(orders=OpenOrders(to_fix=1)), "1 order needs attention"),
        (morning(orders=OpenOrders(to_fix=2), incidents=1), "2 orders need attention"),
        (morning(incidents=1), "1 open incident"),
    ],
)
def test_the_subject_has_the_facts(made: Morning, subject: str) -> None:
    assert letter(made).subject == subject
    assert not made.is_empty


def test_a_quiet_day_without_problems_is_empty() -> None:
    assert morning().is_empty


def test_the_note_names_its_merchant_its_day_and_whose_clock_counts() -> None:
    made = letter(morning(placed=1, sent=1, half_within=timedelta(minutes=4)))
    assert made.heading == "Fern: Thursday, November 26"
    assert made.paragraphs == [
        (
            "Yesterday, 1 order was placed, 1 was sent to the warehouse, "
            "and 0 were shipped and marked as shipped in Big Cartel."
        ),
        "The order reached the warehouse 4 minutes after its purchase.",
        "The day is in Eastern Time.",
        "Nothing needs attention now.",
    ]
    assert (made.button, made.path) == ("View dashboard", "/m/816/")
    several = letter(morning(sent=2, half_within=timedelta(minutes=4), incidents=1)).paragraphs
    assert several[1] == "Half of the orders reached the warehouse within 4 minutes of their purchase."
    assert several[-1] == "What needs attention now is listed below."


def test_the_orders_of_the_day_are_linked_if_there_are_any() -> None:
    link = f"{HOME}/orders?from_day=2026-11-26&to_day=2026-11-26"
    assert items(morning(placed=2)) == [("2 orders placed yesterday", link)]
    assert items(morning(sent=1)) == []


def test_up_to_twenty_incidents_are_listed_and_the_rest_counted() -> None:
    found = items(morning(incidents=MOST_INCIDENTS + 3))
    assert found[0] == ("Problem 0", f"{HOME}/connection/0")
    assert len(found) == 21
    assert found[-1] == ("3 more open incidents", f"{HOME}/incidents")


@pytest.mark.parametrize(
    ("orders", "kind", "state"),
    [
        (OpenOrders({OrderState.REJECTED: 3}), _K.ORDERS_REJECTED, "rejected"),
        (OpenOrders({OrderState.READY: 3}, not_sent=3), _K.ORDERS_NOT_SENT, "ready"),
        (OpenOrders({OrderState.SHIPPED: 3}, not_told=3), _K.BIG_CARTEL_NOT_TOLD, "shipped"),
        (OpenOrders({OrderState.SUBMITTED: 3}, lost=3), _K.ORDERS_LOST, "submitted"),
    ],
)
def test_orders_are_counted_until_incidents_are_about_all_of_them(
    orders: OpenOrders, kind: IncidentKind, state: str
) -> None:
    of_kind = [problem(number, kind, orders=number) for number in (1, 2)]
    assert len(items(morning(orders=orders, incidents=of_kind))) == 2
    others = [*of_kind[1:], problem(9, orders=9)]
    counted = items(morning(orders=orders, incidents=others))[-1]
    assert counted[0].startswith("3 orders: ")
    assert counted[1] == f"{HOME}/orders?state={state}"


def test_a_page_with_more_orders_than_the_count_is_not_its_page() -> None:
    """Orders at the warehouse are many, and the lost ones few."""
    ((_, path),) = items(morning(orders=OpenOrders({OrderState.SUBMITTED: 30}, lost=2)))
    assert path == f"{HOME}/incidents"


def test_orders_on_hold_are_listed_by_what_the_merchant_has_to_fix() -> None:
    holds = {HoldReason.NO_SKU: 2, HoldReason.PAYMENT_NOT_COMPLETED: 7}
    assert items(morning(orders=OpenOrders({OrderState.HELD: 9}, holds, to_fix=2))) == [
        ("2 orders on hold: Missing or invalid SKU", f"{HOME}/orders?state=held&hold=no_sku")
    ]
    assert items(morning(orders=OpenOrders({OrderState.HELD: 9}, holds, to_fix=0))) == []
