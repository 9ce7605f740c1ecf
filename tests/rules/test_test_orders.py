"""What the warehouse's rejection of a TEST order is about."""

from __future__ import annotations

import pytest

from portal.rules.test_orders import is_about_service


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invalid ShippingMethod: UPS_GROUND", True),
        ("Unknown shipping code", True),
        ("ups_ground is not available for this merchant", True),
        ("We don't ship with this carrier", True),
        ("Invalid SKU: MUG-01", False),
        ("Missing required field: ShippingAddress", False),
        ("Item UPS_GROUNDED not found", False),
        ("Account on hold", False),
        ("", False),
    ],
)
def test_rejection_is_about_the_service_only_if_it_says_so(words: str, *, expected: bool) -> None:
    assert is_about_service(words, "UPS_GROUND") is expected
