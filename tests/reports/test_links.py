"""Links to other sites."""

from __future__ import annotations

import pytest

from portal.reports import links


@pytest.mark.parametrize(
    ("carrier", "name"),
    [
        ("USPS", "USPS"),
        ("UPS Ground", "UPS"),
        ("Federal Express", "FedEx"),
        ("", None),
        ("UniUni", None),
        ("UPS, USPS", None),
        ("USPS via UPS Mail Innovations", None),
    ],
)
def test_parcel_has_a_link_only_if_its_carrier_is_certain(carrier: str, name: str | None) -> None:
    link = links.tracking(carrier, "9400 1")
    assert (link and link[0]) == name
    assert link is None or link[1].endswith("=9400%201")
