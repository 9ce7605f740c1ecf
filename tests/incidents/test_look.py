"""What a look finds: one incident for each cause, with the fact first, and nothing that nobody has to know."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.models import ChangeAfterSending, HostName, IncidentKind, Merchant, OrderState, Store
from portal.rules.hold_reasons import HoldReason
from tests.incidents.portal import BUYER, FRIDAY, MERCHANT

if TYPE_CHECKING:
    from tests.incidents.portal import Portal

_K = IncidentKind
SAME_CAUSE = (
    "Invalid SKU: GUIDE-1",
    "invalid sku 'guide-1'.",
    'Order {number}: unknown SKU "GUIDE-1"',
    "Item GUIDE-1 was not found in order {number}",
    "<b>SKU GUIDE-1</b> does not exist!",
)


def hold(reason: HoldReason, detail: str = "") -> list[dict[str, str]]:
    return [{"reason": reason.value, "detail": detail}]


def test_thirty_rejected_orders_with_three_causes_are_three_incidents(portal: Portal) -> None:
    for place in range(10):
        words = SAME_CAUSE[place % len(SAME_CAUSE)]
        portal.reject(words.format(number=f"LMFN-{place}"), number=f"LMFN-{place}")
        portal.reject(f"Address line 1 is required{'.' * (place % 2)}")
        portal.reject("Account On Credit Hold" if place % 2 else "account on credit hold")

    portal.look()

    found = portal.incidents(_K.ORDERS_REJECTED)
    assert {one.title for one in found} == {
        "10 orders rejected: “account on credit hold”",
        "10 orders rejected: “Address line 1 is required”",
        "10 orders rejected: the warehouse doesn't know SKU GUIDE-1",
    }
    assert {len(one.order_numbers) for one in found} == {10}
    unknown = next(one for one in found if "SKU" in one.title)
    assert "Fix the SKU or ask the warehouse to add it. Then retry the orders, or close them." in unknown.explanation


def test_two_unknown_skus_are_two_causes(sqlite_portal: Portal) -> None:
    sqlite_portal.reject("Unknown SKU GUIDE-1")
    sqlite_portal.reject("Unknown SKU GUIDE-10", sku="GUIDE-10")
    sqlite_portal.look()
    assert len(sqlite_portal.incidents()) == 2


def test_titles_name_no_buyer_even_if_the_warehouse_does(sqlite_portal: Portal) -> None:
    """What a message repeats of the order also doesn't split a cause."""
    sqlite_portal.reject("Invalid city: Millbrook")
    sqlite_portal.reject("Invalid city: MILLBROOK")
    sqlite_portal.reject("Postal code 12545 is wrong for Wilhelmina Ostrander, 12 Elmhurst Street (mina@buyer.example)")
    number = sqlite_portal.add_order(OrderState.SUBMITTED)
    sqlite_portal.add_change(number, "Street")

    sqlite_portal.look()

    found = sqlite_portal.incidents()
    assert [one.orders for one in found if "city" in one.title] == [2]
    texts = " ".join(f"{one.title} {one.explanation} {one.key}" for one in found).casefold()
    for value in (*BUYER.values(), "elmhurst", "mina@"):
        assert value.casefold() not in texts or value == "NY"


def test_host_that_fails_is_one_incident_for_all_merchants(portal: Portal) -> None:
    portal.add_merchant(817)
    portal.add_order(OrderState.READY)
    portal.set_host(HostName.WAREHOUSE, "The warehouse returned an error (HTTP 503).")

    portal.look()

    (incident,) = portal.incidents()
    assert (incident.kind, incident.merchant_id, incident.subject, incident.orders) == (_K.HOST_FAILING, None, "fcp", 1)
    assert incident.title == "The warehouse's system isn't working"
    assert "HTTP" not in incident.explanation
    assert "Nothing is lost" in incident.explanation


def test_merchant_whose_calls_fail_alone_is_its_own_incident_while_orders_wait(sqlite_portal: Portal) -> None:
    sqlite_portal.change(Merchant, fcp_failing_since=FRIDAY, fcp_error="The warehouse returned an error (HTTP 500).")
    sqlite_portal.look()
    assert sqlite_portal.incidents() == []

    sqlite_portal.add_order(OrderState.UNCONFIRMED)
    sqlite_portal.look()
    (incident,) = sqlite_portal.incidents()
    assert (incident.kind, incident.merchant_id) == (_K.HOST_FAILING, MERCHANT)

    sqlite_portal.set_host(HostName.WAREHOUSE, "It failed.")
    sqlite_portal.look()
    assert [one.merchant_id for one in sqlite_portal.incidents()] == [None], "one cause, one incident"


def test_account_problems(portal: Portal) -> None:
    store_id = portal.add_store(reconnect_needed_at=FRIDAY, next_poll_at=None)
    portal.change(Merchant, credentials_refused_at=FRIDAY, credentials_refused_words="Invalid MerchantToken")
    portal.look()
    found = {one.kind: one for one in portal.incidents()}
    assert found.keys() == {_K.CREDENTIALS_REJECTED, _K.RECONNECT_NEEDED}
    assert found[_K.RECONNECT_NEEDED].subject == str(store_id)
    assert "Invalid MerchantToken" in found[_K.CREDENTIALS_REJECTED].explanation


def test_store_that_is_not_synced(portal: Portal) -> None:
    store_id = portal.add_store(poll_error="Big Cartel returned an error (HTTP 500).")
    portal.forward(minutes=9)
    portal.change(Store, Store.id != store_id, last_polled_at=portal.now)
    portal.look()
    assert portal.incidents() == []
    portal.look(minutes=1)
    (incident,) = portal.incidents()
    assert (incident.kind, incident.subject) == (_K.STORE_NOT_SYNCED, str(store_id))
    assert incident.title == "Store 2 hasn't been synced for more than 10 minutes"
    assert "HTTP" not in incident.explanation


def test_no_store_is_late_only_because_big_cartel_failed_for_all(portal: Portal) -> None:
    portal.set_host(HostName.BIG_CARTEL, "Big Cartel returned an error.")
    portal.look(minutes=30)
    assert [one.kind for one in portal.incidents()] == [_K.HOST_FAILING]
    portal.set_host(HostName.BIG_CARTEL, "")
    portal.change(Store, poll_error="Big Cartel returned an error.")
    for _ in range(4):
        portal.look(seconds=15)
        assert portal.incidents() == []
    portal.look(minutes=11)
    assert [one.kind for one in portal.incidents()] == [_K.STORE_NOT_SYNCED], "it still isn't synced"


def test_remainder_counts_once_two_counts_agree(sqlite_portal: Portal) -> None:
    counted: dict[str, Any] = {"at": FRIDAY.isoformat(), "missing": ["A-1", "A-2"], "not_told": ["A-3"]}
    sqlite_portal.change(Store, reconciliation=counted)
    sqlite_portal.look()
    assert sqlite_portal.incidents() == []
    sqlite_portal.change(Store, reconciliation={**counted, "confirmed": ["A-1", "A-3"]})
    sqlite_portal.look()
    (incident,) = sqlite_portal.incidents()
    assert incident.title == "Store 1: 2 orders unaccounted for: A-1 and A-3"
    assert incident.order_numbers == ["A-1", "A-3"]


@pytest.mark.parametrize(
    ("holds", "hours", "found"),
    [
        (hold(HoldReason.NO_SKU, "Tea Towel."), 25, 1),
        (hold(HoldReason.NO_SKU, "Tea Towel."), 23, 0),
        (hold(HoldReason.PAYMENT_NOT_COMPLETED), 99, 0),
        (hold(HoldReason.PAUSED), 99, 0),
        (hold(HoldReason.TEST_MODE), 99, 0),
        (hold(HoldReason.BEFORE_START), 99, 0),
        (hold(HoldReason.NO_SKU, "Tea Towel.") + hold(HoldReason.PAYMENT_NOT_COMPLETED), 99, 0),
        (hold(HoldReason.NO_SKU, "Tea Towel.") + hold(HoldReason.ADDRESS_INCOMPLETE, "City"), 99, 2),
    ],
)
def test_orders_on_hold_for_long(portal: Portal, holds: list[dict[str, str]], hours: int, found: int) -> None:
    for _ in range(2):
        portal.add_order(OrderState.HELD, holds=holds)
    portal.look(hours=hours)
    on_hold = portal.incidents(_K.ORDERS_ON_HOLD)
    assert len(on_hold) == found
    if found == 1:
        assert on_hold[0].title == "2 orders on hold for more than 24 hours: missing or invalid SKU: Tea Towel"


def test_orders_that_were_given_up_or_lost(portal: Portal) -> None:
    portal.add_order(OrderState.READY, next_attempt_at=None)
    portal.add_order(OrderState.SHIPPED, next_attempt_at=None)
    portal.add_order(OrderState.SUBMITTED, fcp_missing_since=FRIDAY)
    portal.add_order(OrderState.READY)
    portal.add_order(OrderState.SHIPPED)
    portal.add_order(OrderState.SUBMITTED)
    portal.look()
    assert {one.kind: one.orders for one in portal.incidents()} == {
        _K.ORDERS_NOT_SENT: 1, _K.BIG_CARTEL_NOT_TOLD: 1, _K.ORDERS_LOST: 1,
    }  # fmt: skip
    portal.change(Merchant, paused=True)
    portal.look()
    assert {one.kind for one in portal.incidents()} == {_K.BIG_CARTEL_NOT_TOLD, _K.ORDERS_LOST}


def test_orders_that_age_at_the_warehouse_count_business_days(portal: Portal) -> None:
    """Sent on Friday noon, three business days end on Wednesday noon. Back orders are a cause of their own."""
    portal.add_order(OrderState.SUBMITTED, fcp_status="Pending")
    waiting = portal.add_order(OrderState.SUBMITTED, fcp_status="BackOrder")
    portal.look(days=4, hours=23)
    assert portal.incidents() == []
    portal.look(hours=2)
    assert set(portal.titles()) == {
        "1 order at the warehouse for more than 3 business days, not shipped yet",
        "1 order on back order at the warehouse for more than 3 business days",
    }
    (explanation,) = [one.explanation for one in portal.incidents() if "back order" in one.title]
    assert waiting in explanation


def test_change_after_sending_is_an_incident_of_the_order_until_it_is_seen_to(portal: Portal) -> None:
    number = portal.add_order(OrderState.SUBMITTED, fcp_status="Pending")
    portal.add_change(number, "Street", "Quantity of Tea Towel")
    portal.look()
    (incident,) = portal.incidents()
    assert incident.title == f"Order {number} changed in Big Cartel after it was sent: Street and Quantity of Tea Towel"
    assert incident.subject == number
    portal.change(ChangeAfterSending, acknowledged_at=portal.now)
    portal.look()
    assert portal.incidents() == []


def test_many_changes_at_once_are_one_incident_until_the_last_is_seen_to(sqlite_portal: Portal) -> None:
    """Neither the first incident nor the common one closes only because their number passes a limit."""
    first = sqlite_portal.add_order(OrderState.SUBMITTED)
    sqlite_portal.add_change(first, "Street")
    sqlite_portal.look()
    numbers = [sqlite_portal.add_order(OrderState.SUBMITTED) for _ in range(6)]
    for number in numbers:
        sqlite_portal.add_change(number, "Payment")
    sqlite_portal.look()
    assert [one.orders for one in sqlite_portal.incidents()] == [1, 6]
    sqlite_portal.change_orders(*numbers[1:], state=OrderState.SHIPPED, next_attempt_at=sqlite_portal.now)
    sqlite_portal.look()
    assert [one.orders for one in sqlite_portal.incidents()] == [1, 1]
    assert sqlite_portal.incidents(is_open=False) == []


def test_products_on_sale_without_a_usable_sku_and_shipments_that_cannot_be_checked(sqlite_portal: Portal) -> None:
    sqlite_portal.change(Store, unusable_skus=3, products_refreshed_at=FRIDAY)
    sqlite_portal.change(Merchant, tracking_error="The warehouse returned an error (HTTP 404).")
    sqlite_portal.look()
    assert {one.title for one in sqlite_portal.incidents()} == {
        "Store 1: 3 products on sale without a usable SKU",
        "We can't check which orders the warehouse has shipped",
    }


def test_store_that_is_not_live_yet_has_no_incidents_about_orders_or_products(portal: Portal) -> None:
    portal.change(Store, live=False, unusable_skus=3, products_refreshed_at=FRIDAY, reconciliation={
        "at": FRIDAY.isoformat(), "missing": ["A-1"], "not_told": [], "confirmed": ["A-1"],
    })  # fmt: skip
    portal.reject("Unknown SKU GUIDE-1")
    portal.add_order(OrderState.READY, next_attempt_at=None)
    portal.add_order(OrderState.HELD, holds=hold(HoldReason.NO_SKU, "Tea Towel."))
    portal.add_change(portal.add_order(OrderState.SUBMITTED), "Street")
    portal.set_host(HostName.WAREHOUSE, "It failed.")
    portal.look(days=30)
    assert portal.incidents(is_open=None) == []


def test_statements_depend_on_neither_merchants_nor_orders(portal: Portal) -> None:
    def fill(merchant: int) -> None:
        portal.reject("Unknown SKU GUIDE-1", count=2, merchant=merchant)
        portal.add_order(OrderState.HELD, merchant=merchant, holds=hold(HoldReason.NO_SKU, "Tea Towel."))
        portal.add_order(OrderState.READY, merchant=merchant, next_attempt_at=None)
        portal.add_change(portal.add_order(OrderState.SUBMITTED, merchant=merchant), "Street")
        portal.change(Store, unusable_skus=1, products_refreshed_at=FRIDAY)
        portal.change(Merchant, tracking_error="It failed.")

    fill(MERCHANT)
    portal.forward(days=8)
    portal.look()
    few = portal.statements()
    for merchant in range(1, 13):
        portal.add_merchant(merchant, store={"last_polled_at": portal.now})
        fill(merchant)
        fill(merchant)
    portal.forward(days=8)
    portal.change(Store, last_polled_at=portal.now + timedelta(days=1))
    portal.look()
    assert portal.statements() <= few
