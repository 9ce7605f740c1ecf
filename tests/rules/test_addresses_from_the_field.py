"""Addresses as connectors like this one met them: each is held, or sent as it should be."""

# ruff: noqa: RUF001 - buyers write in other scripts
from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from portal.rules.assessment import assess
from portal.rules.hold_reasons import HoldReason
from portal.rules.packing import pack
from tests.rules.complete_order import ADDRESS, ORDER, PRODUCTS, RULES, reasons

INCOMPLETE, DOUBTFUL, UNKNOWN = HoldReason.ADDRESS_INCOMPLETE, HoldReason.ADDRESS_DOUBTFUL, HoldReason.UNKNOWN_VALUE
NO_CARRIER = HoldReason.CARRIER_CANNOT_DELIVER
UPS = replace(RULES, domestic_service="UPS_GROUND")
GERMANY = {"country_code": "DE", "state": "", "zip": "53225"}
JAPAN = {"country_code": "JP", "state": "Tokyo", "zip": "153-0063"}
PSC = {"address_1": "PSC 3 Box 1200", "address_2": "APO AE 09021", "city": "APO", "state": "AE", "zip": "09021"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ({"phone": "\u202a+1 (555) 010-0199\u202c"}, {"phone": "+1 (555) 010-0199"}),
        ({"zip": "49684\u200b", "state": "MI\u200b"}, {"postal_code": "49684", "state": "MI"}),
        ({"last_name": "كريم", "first_name": "\u200fدانا\u200f"}, {"last_name": "كريم", "first_name": "دانا"}),
        ({**GERMANY, "address_1": "Soft\u00adhyphen Str. 5"}, {"address1": "Softhyphen Str. 5"}),
        ({"last_name": "\ufeffByron", "first_name": "\u202eevil"}, {"last_name": "Byron", "first_name": "evil"}),
        ({"email": "a\u200bda@example.com "}, {"email": "ada@example.com"}),
        ({"first_name": "Jose\u0301"}, {"first_name": "José"}),
        ({"address_1": ".", "address_2": "2 Rear Lane"}, {"address1": "2 Rear Lane", "address2": ""}),
        ({"country_code": "HK", "state": "", "zip": ""}, {"country": "HK", "state": "", "postal_code": ""}),
        ({"country_code": "AE", "state": "", "zip": "-"}, {"country": "AE", "postal_code": ""}),
        ({"country_code": "IE", "state": "", "zip": ""}, {"country": "IE"}),
        ({"country_code": "PA", "state": "", "zip": ""}, {"country": "PA"}),
        ({"country_code": "BS", "state": "", "zip": ""}, {"country": "BS"}),
        ({"country_code": "XK", "state": "", "zip": "10000"}, {"country": "XK"}),
        ({"country_code": "UK", "state": "", "zip": "M2 5BQ"}, {"country": "GB"}),
        ({"address_1": "12 Boxwood Lane"}, {"address1": "12 Boxwood Lane"}),
        ({"country_code": "MH", "state": "MH", "zip": "96960"}, {"country": "MH"}),
        ({"state": "Virgin Islands of the U.S.", "zip": "00802"}, {"state": "VI"}),
        (JAPAN | {"zip": "１５３-００６３"}, {"postal_code": "１５３-００６３"}),
    ],
)
def test_address_is_sent_clean(typed: dict[str, str], sent: dict[str, str]) -> None:
    order = replace(ORDER, address=replace(ADDRESS, **typed))
    found = assess(order, PRODUCTS, UPS)
    request, notes = pack(order, found)
    assert (found.holds, notes) == ((), ())
    packed = asdict(request.address)
    assert {name: packed[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("typed", "reason", "words"),
    [
        ({"address_1": "-", "city": "-"}, INCOMPLETE, "the street and the city"),
        ({"first_name": "", "last_name": "\u3164"}, INCOMPLETE, "the name"),
        ({"country_code": "CA", "state": "ON", "zip": ""}, INCOMPLETE, "the postal code"),
        ({"country_code": "CA", "state": "", "zip": "K1A 0B1"}, INCOMPLETE, "the province"),
        ({"country_code": "GB", "zip": ""}, INCOMPLETE, "the postal code"),
        (GERMANY | {"zip": ""}, INCOMPLETE, "the postal code"),
        ({"country_code": "AU", "state": "WA", "zip": ""}, INCOMPLETE, "the postal code"),
        (JAPAN | {"zip": ""}, INCOMPLETE, "the postal code"),
        ({"zip": "4968"}, DOUBTFUL, "the ZIP code"),
        ({"zip": "SW1A 1AA"}, DOUBTFUL, "the ZIP code"),
        ({"zip": "49684"}, DOUBTFUL, "another state"),
        ({"address_1": "High Street"}, DOUBTFUL, "the house number"),
        ({"country_code": "XX"}, UNKNOWN, "“XX”"),
        ({"country_code": "AN"}, UNKNOWN, "“AN”"),
        ({"country_code": "usa"}, UNKNOWN, "“usa”"),
        ({"address_1": "P.O. Box 658"}, NO_CARRIER, "PO boxes"),
        ({"address_1": "Post Office Box 9"}, NO_CARRIER, "PO boxes"),
        (PSC, NO_CARRIER, "military addresses"),
    ],
)
def test_address_is_held(typed: dict[str, str], reason: HoldReason, words: str) -> None:
    found = assess(replace(ORDER, address=replace(ADDRESS, **typed)), PRODUCTS, UPS)
    assert reasons(found) == [reason]
    assert words in found.holds[0].sentence
    assert reason.row.releasable == (reason in {DOUBTFUL, NO_CARRIER})


def test_orders_to_every_territory_follow_the_merchants_setting() -> None:
    for code in ("MH", "FM", "PW", "PR"):
        order = replace(ORDER, address=replace(ADDRESS, country_code=code))
        assert assess(order, PRODUCTS, RULES).service == RULES.international_service
        assert assess(order, PRODUCTS, replace(RULES, territories_domestic=True)).service == RULES.domestic_service
