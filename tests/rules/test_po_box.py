"""Which addresses only the post delivers to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.rules.address import carrier_holds
from portal.rules.assessment import assess
from portal.rules.hold_reasons import HoldReason
from portal.rules.po_box import is_military, is_po_box
from tests.rules.complete_order import ADDRESS, ORDER, PRODUCTS, RULES, reasons

BOXES = [
    "P.O. Box 658", "PO Box 658", "P O Box 658", "PO. Box 658", "P.O.Box658", "POBox 658", "POB 658", "pobox658",
    "Post Office Box 9", "Postal Box 9", "post box 9", "P. Box 9", "P.O. Bx 9", "PO Box #9", "P0 Box 9", "p o b 9",
    "PO BOX", "\uff30\uff2f Box 12", "Box 12", "BOX 12B", "Box No. 12", "PO 658", "Caller Box 7", "General Delivery",
    "Suite 3, P.O. Box 12", "GPO Box 1420", "Locked Bag 5", "Private Bag 92", "Private Mail Bag 1", "Postbus 22",
    "Postfach 10 11 12", "Postboks 4", "Boîte postale 12", "BP 123", "B.P. 123", "Casella postale 5", "Apartado 77",
    "Apartado de Correos 77", "Apdo. 77", "Casilla 9", "Caixa Postal 12", "Skrytka pocztowa 3", "Абонентский ящик 5",
    "\u0430/\u044f 15", "私書箱 5", "사서함 12", "郵政信箱 12", "Poste restante",
    "P.O. Drawer 12", "Drawer 12B",
]  # fmt: skip
STREETS = [
    "12 Boxwood Lane", "5 Box Hill", "Boxer St 5", "Unit 4", "Unit 4, 12 Box Lane", "12 Mailbox Road", "1 Post Street",
    "3 Post Office Road", "Old Post Box Cottage", "Via Po 12", "Corso Po 3", "C.P. 06600 Calle 5", "14 Poboxwood Ave",
    "1 Private Road", "7 General Lee Street", "PMB 12, 500 Main Street", "RR 2 Box 15", "9 Apartado Lane",
    "Plaza Casilla 3", "Bag End 1", "APO Street 4", "PSC Tower, 12 Main Street", "12 Unity Box Street",
    "15 Drawer Lane",
]  # fmt: skip
MILITARY = [
    {"address_1": "PSC 3 Box 1200, APO AE 09021", "city": "APO", "state": "AE", "zip": "09021"},
    {"address_1": "PSC 3 Box 1200", "city": "APO", "state": "Armed Forces Europe", "zip": "09021"},
    {"address_1": "Unit 100100 Box 4120", "city": "FPO", "state": "AP", "zip": "96691"},
    {"address_1": "CMR 402 Box 11", "city": "Landstuhl", "state": "", "zip": "66849", "country_code": "DE"},
    {"address_1": "1 High St", "city": "APO AE", "state": "", "zip": "09021"},
    {"address_1": "1 High St", "city": "Somewhere", "state": "AA", "zip": "34002"},
    {"address_1": "1 High St", "city": "DPO", "state": "", "zip": ""},
    {"address_1": "1 High St", "city": "London", "state": "", "zip": "BFPO 61", "country_code": "GB"},
]


@pytest.mark.parametrize("line", BOXES)
def test_box_is_recognized_on_either_line(line: str) -> None:
    assert is_po_box(replace(ADDRESS, address_1=line))
    assert is_po_box(replace(ADDRESS, address_2=line.upper()))


@pytest.mark.parametrize("line", STREETS)
def test_street_is_no_box(line: str) -> None:
    assert not is_po_box(replace(ADDRESS, address_1=line, address_2=line))
    assert not is_military(replace(ADDRESS, address_1=line, address_2=line))


@pytest.mark.parametrize(
    ("line", "country", "expected"),
    [("C.P. 123", "CA", True), ("CP 123", "IT", True), ("C.P. 123", "MX", False), ("PL 12", "FI", True)],
)
def test_abbreviation_counts_where_it_is_used(line: str, country: str, expected: bool) -> None:
    assert is_po_box(replace(ADDRESS, address_1=line, country_code=country)) is expected


@pytest.mark.parametrize("fields", MILITARY)
def test_military_mail_is_recognized(fields: dict[str, str]) -> None:
    assert is_military(replace(ADDRESS, **fields))


@pytest.mark.parametrize(
    ("service", "carrier"),
    [("UPS_GROUND", "UPS"), ("FEDEX_GROUND_ECONOMY", "FedEx"), ("UPS_UNLISTED", "UPS"), ("FedEx Unlisted", "FedEx")],
)
def test_ups_and_fedex_orders_to_boxes_and_the_military_are_held_and_can_be_released(
    service: str, carrier: str
) -> None:
    rules = replace(RULES, domestic_service=service)
    military = replace(ADDRESS, **MILITARY[0])
    for address, kind in ((replace(ADDRESS, address_1="PO Box 9"), "PO boxes"), (military, "military addresses")):
        (hold,) = assess(replace(ORDER, address=address), PRODUCTS, rules).holds
        assert hold.reason is HoldReason.CARRIER_CANNOT_DELIVER
        assert hold.detail == f"{carrier} doesn't deliver to {kind}"
        assert hold.reason.row.releasable


@pytest.mark.parametrize("service", ["USPS_MEDIA", "USPS_UNLISTED", "UPSTART", "BEST_RATE_ECONOMY_LIGHTWEIGHT", ""])
def test_the_post_delivers_to_boxes(service: str) -> None:
    assert list(carrier_holds(replace(ADDRESS, address_1="PO Box 9"), service)) == []


def test_ups_delivers_to_streets() -> None:
    rules = replace(RULES, domestic_service="UPS_GROUND")
    address = replace(ADDRESS, address_1="12 Boxwood Lane")
    assert reasons(assess(replace(ORDER, address=address), PRODUCTS, rules)) == []
