"""The answer that a merchant or support can send to a buyer, in each state of an order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from portal.models import Order, OrderState
from portal.reports.buyer_answer import answer_to_buyer
from portal.rules.hold_reasons import HoldReason

TODAY = date(2026, 11, 28)
USPS_PAGE = "https://tools.usps.com/go/TrackConfirmAction?tLabels="


def answer(state: OrderState, *, first_name: str = "Zoë", **columns: Any) -> str:
    holds = [{"reason": reason, "detail": ""} for reason in columns.pop("reasons", ())]
    defaults: dict[str, Any] = {
        "carrier": "",
        "shipped_on": "",
        "tracking_numbers": [],
        "fcp_status": "",
        "fcp_missing_since": None,
    }
    order = Order(number="HAXB-286540", state=state, holds=holds, **(defaults | columns))
    return answer_to_buyer(order, first_name=first_name, shop="Fern & Fable", today=TODAY)


def test_parcel_that_left() -> None:
    shipped = answer(
        OrderState.COMPLETED, shipped_on="2026-11-24", carrier="USPS Priority Mail", tracking_numbers=["9400 1118"]
    )
    assert shipped == (
        "Hi Zoë,\n\nYour order HAXB-286540 left our warehouse on November 24 with USPS.\n"
        f"Tracking number: 9400 1118\n{USPS_PAGE}94001118\n\nFern & Fable"
    )


def test_several_parcels() -> None:
    shipped = answer(OrderState.SHIPPED, carrier="Acme Vans", tracking_numbers=["A-1", "A-2"])
    assert shipped.split("\n\n")[1] == (
        "Your order HAXB-286540 left our warehouse with Acme Vans.\n"
        "It comes in 2 parcels. Their tracking numbers:\nA-1\nA-2"
    )


def test_a_date_of_another_year_names_it() -> None:
    assert " on December 30, 2025." in answer(OrderState.COMPLETED, shipped_on="2025-12-30")


def test_without_the_buyers_name() -> None:
    assert answer(OrderState.READY, first_name="").startswith("Hi,\n\n")


@pytest.mark.parametrize("state", sorted(OrderState))
def test_only_an_order_that_left_is_said_to_have_left(state: OrderState) -> None:
    has_left = state in {OrderState.SHIPPED, OrderState.COMPLETED}
    assert ("left our warehouse" in answer(state, reasons=["no_sku"])) is has_left


@pytest.mark.parametrize(
    "unclear",
    [
        {"fcp_status": "Zorblat"},
        {"fcp_status": "Canceled"},
        {"fcp_status": "Pending", "fcp_missing_since": datetime(2026, 11, 27, tzinfo=UTC)},
    ],
)
def test_nothing_is_said_while_a_person_has_to_look(unclear: dict[str, Any]) -> None:
    assert answer(OrderState.SUBMITTED, **unclear) == ""
    assert answer(OrderState.SUBMITTED, fcp_status="Pending") != ""


def test_back_order_is_out_of_stock() -> None:
    assert "out of stock" in answer(OrderState.SUBMITTED, fcp_status="Back Order")


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (["payment_not_completed"], "not its payment yet"),
        (["payment_not_completed", "no_sku"], "checking a detail"),
        (["address_incomplete", "no_sku"], "send us the full address"),
        (["canceled_or_refunded"], ""),
        (["canceled_or_refunded", "payment_not_completed"], ""),
        (["local_pickup"], ""),
    ],
)
def test_hold(reasons: list[str], words: str) -> None:
    held = answer(OrderState.HELD, reasons=reasons)
    assert words in held if words else held == ""


@pytest.mark.parametrize("reason", sorted(HoldReason))
def test_words_of_ours_stay_with_us(reason: HoldReason) -> None:
    held = answer(OrderState.HELD, reasons=[reason])
    assert not any(word in held for word in ("hold", "SKU", "FCP", "Big Cartel"))
