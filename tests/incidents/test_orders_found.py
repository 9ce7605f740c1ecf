"""Which orders an incident is about, whose, since when, and where one incident ends and the next begins."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.models import ChangeAfterSending, IncidentKind, Merchant, Order, OrderState, Store
from portal.rules.hold_reasons import HoldReason
from tests.incidents.portal import FRIDAY, MERCHANT
from tests.incidents.test_look import hold

if TYPE_CHECKING:
    from tests.incidents.portal import Portal

_K = IncidentKind
OTHER = 817
TOWEL = hold(HoldReason.NO_SKU, "Tea Towel.")


@pytest.fixture
def two(sqlite_portal: Portal) -> Portal:
    """A portal with two merchants: one hears of things soon, the other late."""
    sqlite_portal.change(Merchant, alert_hold_hours=12, alert_ageing_days=1)
    sqlite_portal.add_merchant(OTHER, alert_hold_hours=48, alert_ageing_days=5)
    return sqlite_portal


def test_each_merchant_has_its_own_limits_and_its_own_incidents(two: Portal) -> None:
    for merchant in (MERCHANT, OTHER):
        two.add_order(OrderState.HELD, merchant=merchant, holds=TOWEL)
        two.add_order(OrderState.SUBMITTED, merchant=merchant)
    two.look(days=3, hours=1)
    assert {(one.kind, one.merchant_id) for one in two.incidents()} == {
        (_K.ORDERS_ON_HOLD, MERCHANT), (_K.ORDERS_ON_HOLD, OTHER), (_K.ORDERS_AGEING, MERCHANT),
    }  # fmt: skip
    hours = {one.merchant_id: one.title for one in two.incidents(_K.ORDERS_ON_HOLD)}
    assert "more than 12 hours" in hours[MERCHANT]
    assert "more than 48 hours" in hours[OTHER]


def test_only_the_merchant_whose_limit_has_passed_hears_of_it(two: Portal) -> None:
    for merchant in (OTHER, MERCHANT):
        two.add_order(OrderState.HELD, merchant=merchant, holds=TOWEL)
    two.look(hours=13)
    assert [one.merchant_id for one in two.incidents()] == [MERCHANT]


@pytest.mark.parametrize(
    ("state", "columns", "kind"),
    [
        (OrderState.REJECTED, {"state_reason": "Unknown SKU GUIDE-1"}, _K.ORDERS_REJECTED),
        (OrderState.HELD, {"holds": TOWEL}, _K.ORDERS_ON_HOLD),
        (OrderState.READY, {"next_attempt_at": None}, _K.ORDERS_NOT_SENT),
        (OrderState.SHIPPED, {"next_attempt_at": None}, _K.BIG_CARTEL_NOT_TOLD),
        (OrderState.SUBMITTED, {"fcp_missing_since": FRIDAY}, _K.ORDERS_LOST),
        (OrderState.SUBMITTED, {"fcp_status": "Pending"}, _K.ORDERS_AGEING),
        (OrderState.SUBMITTED, {"fcp_status": "Back Order"}, _K.ORDERS_AGEING),
    ],
)
def test_orders_are_listed_oldest_first_and_the_first_of_them_says_since_when(
    two: Portal, state: OrderState, columns: dict[str, Any], kind: IncidentKind
) -> None:
    two.add_order(state, merchant=OTHER, **columns)
    numbers = []
    for _ in range(3):
        numbers.append(two.add_order(state, **columns))
        two.forward(hours=1)
    two.change(Order, Order.number == numbers[0], state_changed_at=FRIDAY + timedelta(hours=5))
    two.look(days=9)
    found = {one.merchant_id: one for one in two.incidents(kind)}
    ours, theirs = found[MERCHANT], found[OTHER]
    assert (ours.orders, ours.order_numbers, theirs.orders) == (3, numbers, 1)
    begins_with_a_state = kind not in {_K.ORDERS_AGEING, _K.ORDERS_LOST}
    assert ours.opened_at == FRIDAY + timedelta(hours=1 if begins_with_a_state else 0)


@pytest.mark.parametrize("state", [OrderState.READY, OrderState.SHIPPED])
def test_an_order_that_was_given_up_counts_from_its_first_failure(sqlite_portal: Portal, state: OrderState) -> None:
    sqlite_portal.add_order(state, next_attempt_at=None, first_failed_at=FRIDAY + timedelta(hours=2))
    sqlite_portal.look(days=4)
    (found,) = sqlite_portal.incidents()
    assert found.opened_at == FRIDAY + timedelta(hours=2)


def test_a_lost_order_counts_from_when_it_was_missed_and_does_not_age(sqlite_portal: Portal) -> None:
    sqlite_portal.add_order(OrderState.SUBMITTED, fcp_missing_since=FRIDAY + timedelta(days=2), first_failed_at=FRIDAY)
    sqlite_portal.look(days=30)
    (found,) = sqlite_portal.incidents()
    assert (found.kind, found.opened_at) == (_K.ORDERS_LOST, FRIDAY + timedelta(days=2))


def test_a_merchant_in_test_mode_expects_no_order_to_be_sent(sqlite_portal: Portal) -> None:
    sqlite_portal.add_order(OrderState.READY, next_attempt_at=None)
    sqlite_portal.change(Merchant, test_mode=True)
    sqlite_portal.look()
    assert sqlite_portal.incidents() == []


def test_shipped_orders_no_longer_wait_at_the_warehouse(sqlite_portal: Portal) -> None:
    for state in (OrderState.SHIPPED, OrderState.COMPLETED, OrderState.CLOSED):
        sqlite_portal.add_order(state)
    sqlite_portal.look(days=30)
    assert sqlite_portal.incidents() == []


def test_business_days_are_the_stores(sqlite_portal: Portal) -> None:
    """Late on Friday in New York is Saturday in UTC: three business days end on Wednesday night, not at its start."""
    sqlite_portal.change(Store, time_zone="Eastern Time (US & Canada)")
    sqlite_portal.forward(hours=16)
    sqlite_portal.add_order(OrderState.SUBMITTED)
    sqlite_portal.look(days=4, hours=23)
    assert sqlite_portal.incidents() == []
    sqlite_portal.look(hours=2)
    assert [one.kind for one in sqlite_portal.incidents()] == [_K.ORDERS_AGEING]


def test_statuses_of_orders_that_age_are_named_once_and_only_if_there_are_any(sqlite_portal: Portal) -> None:
    for status in ("", "In Process", "Pending", "In Process"):
        sqlite_portal.add_order(OrderState.SUBMITTED, fcp_status=status)
    sqlite_portal.look(days=30)
    (found,) = sqlite_portal.incidents()
    assert found.explanation.startswith("Status there: In Process and Pending. ")


def test_the_same_reason_in_another_spelling_is_the_same_incident(sqlite_portal: Portal) -> None:
    for detail in ("Tea Towel.", "TEA TOWEL.", "Mug."):
        sqlite_portal.add_order(OrderState.HELD, holds=hold(HoldReason.NO_SKU, detail))
    sqlite_portal.look(hours=25)
    assert sorted(one.orders for one in sqlite_portal.incidents()) == [1, 2]


@pytest.mark.parametrize("count", [5, 6])
def test_up_to_five_changed_orders_are_incidents_of_their_own(two: Portal, count: int) -> None:
    """What was told before, or concerns somebody else, doesn't count."""
    two.add_change(two.add_order(OrderState.SUBMITTED), "Street")
    two.look()
    begun = two.now
    for number in [two.add_order(OrderState.SUBMITTED) for _ in range(count)]:
        two.add_change(number, "Payment")
        two.forward(minutes=1)
    two.add_change(two.add_order(OrderState.SUBMITTED, merchant=OTHER), "City")
    two.look()
    ours = [one for one in two.incidents() if one.merchant_id == MERCHANT][1:]
    assert len(ours) == (5 if count == 5 else 1)
    assert sum(one.orders for one in ours) == sum(len(one.order_numbers) for one in ours) == count
    assert ours[0].opened_at == begun
    assert [one.orders for one in two.incidents() if one.merchant_id == OTHER] == [1]


def test_changes_of_an_order_are_one_incident_since_the_first(sqlite_portal: Portal) -> None:
    number = sqlite_portal.add_order(OrderState.SUBMITTED, fcp_status="Pending")
    for field in ("Street", "City", "Street"):
        sqlite_portal.add_change(number, field)
        sqlite_portal.forward(minutes=5)
    sqlite_portal.look()
    (found,) = sqlite_portal.incidents()
    assert found.title.endswith(": Street and City")
    assert "Its status there is Pending." in found.explanation
    assert (found.opened_at, found.orders, found.order_numbers) == (FRIDAY, 1, [number])


def test_many_changes_that_are_over_do_not_join_those_that_come_later(sqlite_portal: Portal) -> None:
    for number in [sqlite_portal.add_order(OrderState.SUBMITTED) for _ in range(6)]:
        sqlite_portal.add_change(number, "Payment")
    sqlite_portal.look()
    sqlite_portal.change(ChangeAfterSending, acknowledged_at=sqlite_portal.now)
    sqlite_portal.look()
    number = sqlite_portal.add_order(OrderState.SUBMITTED)
    sqlite_portal.add_change(number, "Street")
    sqlite_portal.look(hours=1)
    assert [one.subject for one in sqlite_portal.incidents()] == [number]


def test_a_rejection_that_repeats_what_we_no_longer_know_of_the_buyer_is_told_without_its_words(
    sqlite_portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its buyer's data was deleted, or there are more different messages than are read."""
    monkeypatch.setattr("portal.incidents.detect.rejected.MAX_READ", 2)
    sqlite_portal.reject("Carrier Ostrander isn't available", document="")
    sqlite_portal.reject("Unknown SKU GUIDE-1")
    sqlite_portal.reject("No stock at Millbrook")
    sqlite_portal.look()
    assert sorted((one.orders, one.title) for one in sqlite_portal.incidents()) == [
        (1, "1 order rejected: the warehouse doesn't know SKU GUIDE-1"),
        (2, "2 orders rejected: the warehouse gave no reason"),
    ]


def test_rejected_orders_of_one_cause_are_listed_oldest_first_whatever_their_words(sqlite_portal: Portal) -> None:
    numbers = [
        *sqlite_portal.reject("Invalid city: Millbrook"),
        *sqlite_portal.reject("Invalid city: Elmhurst", document=document_of_buyer_in("Elmhurst")),
        *sqlite_portal.reject("Invalid city: Millbrook"),
    ]
    sqlite_portal.look()
    assert [one.order_numbers for one in sqlite_portal.incidents()] == [numbers]


def document_of_buyer_in(city: str) -> str:
    """Return an order's document whose buyer lives there."""
    return f'{{"data": {{"id": "A-1", "type": "orders", "attributes": {{"shipping_city": "{city}"}}}}}}'
