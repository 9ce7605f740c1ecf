"""Links to other sites."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from portal.reports import links
from tests.conftest import ROOT

DATA: list[dict[str, Any]] = json.loads((ROOT / "tests/payloads/tracking_numbers.json").read_text("utf-8"))["numbers"]
HOSTS = {
    "Amazon": "track.amazon.com",
    "Canada Post": "www.canadapost-postescanada.ca",
    "Canpar": "www.canpar.com",
    "DHL": "www.dhl.com",
    "FedEx": "www.fedex.com",
    "GOFO Express": "www.gofoexpress.com",
    "Landmark Global LTN": "track.landmarkglobal.com",
    "LaserShip": "www.ontrac.com",
    "Old Dominion Freight Line": "www.odfl.com",
    "OnTrac": "www.ontrac.com",
    "Purolator": "www.purolator.com",
    "Spee-Dee Delivery": "www.speedeedelivery.com",
    "UPS": "www.ups.com",
    "United States Postal Service": "tools.usps.com",
    "Yodel": "www.yodel.co.uk",
    "YunExpress": "www.yuntrack.com",
}
NO_PAGE = {"DPD", "S10 International Standard"}


@pytest.mark.parametrize(
    ("carrier", "name"),
    [
        ("USPS", "USPS"),
        ("U.S. Postal Service", "USPS"),
        ("US Postal Service", "USPS"),
        ("United States Postal Service®", "USPS"),
        ("U S P S", "USPS"),
        ("U.S.P.S.", "USPS"),
        ("USPS™ Ground Advantage", "USPS"),
        ("USPS_MEDIA", "USPS"),
        ("USPS (U.S. Postal Service)", "USPS"),
        ("ups", "UPS"),
        ("UPS Ground", "UPS"),
        ("U.P.S.", "UPS"),
        ("United Parcel Service", "UPS"),
        ("UPS SurePost", "UPS"),
        ("FedEx2Day", "FedEx"),
        ("FEDEX_GROUND", "FedEx"),
        ("Fed-Ex Home Delivery", "FedEx"),
        ("Federal Express", "FedEx"),
        ("DHL", "DHL"),
        ("DHL Express", "DHL Express"),
        ("DHL eCommerce", "DHL eCommerce"),
        ("dhl_ecommerce", "DHL eCommerce"),
        ("OnTrac", "OnTrac"),
        ("LASERSHIP", "OnTrac"),
        ("UniUni Standard", "UniUni"),
        ("Amazon Logistics", "Amazon"),
        ("", None),
        ("SaverShip Standard", None),
        ("Groups", None),
        ("post-ups", None),
        ("Local pick-ups", None),
        ("UPS, USPS", None),
        ("USPS/UPS", None),
        ("USPS via UPS Mail Innovations", None),
        ("FedEx SmartPost / USPS", None),
        ("DHL Express, DHL eCommerce", None),
    ],
)
def test_parcel_has_a_link_only_if_its_carrier_is_certain(carrier: str, name: str | None) -> None:
    link = links.tracking(carrier, "9400 1")
    assert (link and link[0]) == name
    assert link is None or "94001" in link[1]


@pytest.mark.parametrize("one", DATA, ids=lambda one: one["kind"])
def test_every_number_of_a_carrier_leads_to_its_own_page(one: dict[str, Any]) -> None:
    courier = one["courier"]
    for spelling in (courier, courier.upper(), courier.replace(" ", "_"), courier.lower()):
        for number in one["valid"]:
            link = links.tracking(spelling, number)
            assert (urlsplit(link[1]).hostname if link else None) == HOSTS.get(courier)
            assert link is None or quote("".join(number.split())) in link[1]
        for number in one["invalid"]:
            link = links.tracking(spelling, number)
            assert link is None or urlsplit(link[1]).hostname == HOSTS[courier]
    assert (courier in HOSTS) is (courier not in NO_PAGE)


@pytest.mark.parametrize(
    "number", ["", "n/a", "USPS 9400 1000", "USPS: 9400", "https://tools.usps.com/go?tLabels=9400"]
)
def test_text_that_is_more_than_a_number_has_no_link(number: str) -> None:
    assert links.tracking("USPS", number) is None
