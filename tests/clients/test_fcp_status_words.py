"""What a status means is judged by all its words: it is shipped or canceled only if every one of them fits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.fcp_statuses import StatusKind, kind_of_status, words_of

SHIPPED = """
    Completed|Complete|Shipped|Shipped Complete|Fulfilled|Dispatched|Delivered|In Transit|Out for Delivery
    |Order Shipped|SHIPPED - Tracking Uploaded|Completed - Tracking has been uploaded|OrderCompleted
    |order_shipped|ORDER_COMPLETE|Shipped (USPS)|shipped via UPS|Shipped/Completed|Shipped, in transit
    |Your order has been shipped|All items shipped|Shipped 11/20/2026|Shipped on 2026-11-20 15:00|InTransit
    |IN-TRANSIT|intransit|Status: Shipped|Fully Shipped|SHIPPED!|Shipped in full|Delivered to customer
    |Shipment Complete|shipped & completed|Picked up by carrier|Shipped\u200b|Shipped without tracking
    |Shipped - Invoiced|\uff33hipped|Closed (Shipped)|Delivered, Front Door|Delivered, In/At Mailbox|Completed order
    |ORDERSHIPPED|Shipped Nov 20, 2026|Shipped via USPS Ground Advantage|Shipped (3 packages)|Shipped 2 of 2
    |Shipping completed|Delivered at 3:45 PM
"""
CANCELED = """
    Cancelled|Canceled|Cancelled by merchant|Cancellation|Voided|Void|CANCELLED BY CUSTOMER|Order Cancelled
    |order_canceled|OrderCanceled|CanceledByClient|Canceled - customer request|Cancelled at customer\u2019s request
    |Cancelled (duplicate order)|Order was cancelled|Cancellation confirmed|cancelled on 11/20/2026|Shipment cancelled
    |Cancellation complete|Closed - Cancelled|Cancelled/Closed|Cancelled by EFS|ORDERCANCELLED
"""
OPEN = """
    Pending|In Process|Processing|Back Order|Backordered|BACK-ORDER|On Hold|On Hold until 12/01/2026 8:00 AM|Picking
    |Packed|Printed|Allocated|Received|New|Awaiting shipment|Awaiting Fulfillment|Ready to Ship|Ready to be shipped
    |Partially Shipped|PartiallyShipped|Shipped - Partial|Partial|Partially completed|Not Shipped|NotShipped|Unshipped
    |Incomplete|To be completed|Shipping soon|Not yet shipped|INPROCESS|BACKORDERED|OnHold|Label Created|not complete
    |Order hasn't shipped|Pending Shipment|NOTSHIPPED|On backorder|Out of stock|Packed, not shipped
    |Pending (not completed)|Pending - will be shipped|Pre-Shipment Info Sent to USPS|Order received by warehouse
    |Released to warehouse
"""
UNKNOWN = """
    Cancel requested|Cancellation pending|Cancellation requested|Cancellation denied|Cancel|Ship hold|Will not ship
    |Not cancelled|Shipment exception|Returned|Undeliverable|Gift-wrapping|Shipped and returned|Delivered - returned
    |Pending cancellation|0 shipped|Shipped: 0|1 of 2 shipped|Shipped 1 of 2|Never shipped|Cannot be shipped|Processed
    |Closed|Lost in transit|Delivery failed|Picking complete|Payment complete|Processing complete|Label shipped back
    |Refunded|Do not ship|Shipped back to warehouse|Received by customer|In transit to warehouse|Shipped in error
    |Pending, shipped|Shipped 1/2|Shipped 0 packages|Shipped 0 of 0|Shipped 1 of 12|Item cancelled|Item shipped
    |Delivered to back|Closed - not delivered - lost|Shipped?
    |Shipped: No|Cancelled: No|Cancelled: 0|Deleted|Complete address
"""


def spellings(texts: str) -> list[str]:
    return re.split(r"\n?\s*\|", texts.strip())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, StatusKind.SHIPPED) for status in spellings(SHIPPED)),
        *((status, StatusKind.CANCELED) for status in spellings(CANCELED)),
        *((status, StatusKind.OPEN) for status in ["", " ", "-", *spellings(OPEN)]),
        *((status, StatusKind.UNKNOWN) for status in spellings(UNKNOWN)),
    ],
)
def test_status_is_recognized_by_its_words(status: str, kind: StatusKind) -> None:
    assert kind_of_status(status) is kind
    assert kind_of_status(f"  {status}. ") is kind
    if words_of(status) == words_of(status.upper()):
        assert kind_of_status(status.upper()) is kind_of_status(status.lower()) is kind


CERTAIN = {StatusKind.SHIPPED, StatusKind.CANCELED}
HARMLESS = set(words_of(" ".join(spellings(SHIPPED) + spellings(CANCELED))).split())
AGAINST = (
    "not", "never", "un", "partially", "requested", "pending", "will", "to be", "returned", "no", "1 of 2", "back",
    "awaiting", "error", "failed", "hold", "denied", "soon", "cannot", "when", "unless", "except", "if",
)  # fmt: skip


@given(st.sampled_from(spellings(SHIPPED) + spellings(CANCELED)), st.text(st.characters(categories=["L"]), min_size=1))
def test_any_other_word_makes_a_status_uncertain(status: str, word: str) -> None:
    words = set(words_of(word).split())
    if words and not words & HARMLESS:
        assert kind_of_status(f"{word} {status}") not in CERTAIN
        assert kind_of_status(f"{status} {word}") not in CERTAIN


@pytest.mark.parametrize("word", AGAINST)
@pytest.mark.parametrize("status", ["Shipped", "Completed", "Delivered", "Cancelled", "Voided", "In Transit"])
def test_word_that_speaks_against_it_makes_a_status_uncertain(status: str, word: str) -> None:
    for text in (
        f"{word} {status}",
        f"{status} {word}",
        f"{status} - {word}",
        f"{word}_{status}",
        f"Order {word} {status}",
    ):
        assert kind_of_status(text) not in CERTAIN, text


@given(st.lists(st.sampled_from(sorted(HARMLESS | set(AGAINST))), max_size=8).map(" ".join))
def test_shipped_and_canceled_never_rest_on_a_contrary_word(status: str) -> None:
    if kind_of_status(status) is StatusKind.SHIPPED:
        assert not set(status.split()) & {"cancelled", "canceled", "void", *AGAINST}
    if kind_of_status(status) is StatusKind.CANCELED:
        assert not set(status.split()) & {"shipped", "delivered", *AGAINST}


@pytest.mark.parametrize(
    "piece", ["shipped ", "the ", "cancelled by the ", "not yet ", "is been ", "order ", "11/20/2026 "]
)
def test_long_status_is_judged_quickly(piece: str) -> None:
    assert kind_of_status(piece * 10_000 + "x") not in CERTAIN
