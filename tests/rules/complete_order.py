"""An order without holds, and the products and rules to assess it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portal.clients.bigcartel import BigCartelAddress, BigCartelOrder, LineItem, Option
from portal.rules.assessment import Assessment, ProductFacts, Rules

if TYPE_CHECKING:
    from portal.rules.hold_reasons import HoldReason

ADDRESS = BigCartelAddress(
    first_name="Ana", last_name="Lee", address_1="1 High St", city="Salt Lake City", state="Utah", zip="84101",
    country_code="US", country_name="United States", email="ana@example.com",
)  # fmt: skip


SHIRT = LineItem("1", "101", "Shirt", "201", "SMALL", 2)


MUG = LineItem("2", "102", "Mug", "203", "", 1)


ORDER = BigCartelOrder(
    number="LMFN-543196",
    payment_status="completed",
    shipping_status="unshipped",
    placed_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
    updated_at=None,
    address=ADDRESS,
    items=(SHIRT, MUG),
    labels=("Shipping to United States",),
)


SHIRT_FACTS = ProductFacts("Soft. SKU:SHIRT-", (Option("201", "SMALL"), Option("202", "LARGE")), gone=False)


MUG_FACTS = ProductFacts("Holds tea.<br>SKU: MUG", (Option("203", "Default"),), gone=False)


PRODUCTS = {"101": SHIRT_FACTS, "102": MUG_FACTS}


RULES = Rules(domestic_service="USPS_MEDIA", international_service="EPGEPACKT")


def reasons(assessment: Assessment) -> list[HoldReason]:
    return [hold.reason for hold in assessment.holds]
