"""Building the FCP request for an order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from portal.clients import fcp
from portal.clients.bigcartel import BigCartelAddress, BigCartelOrder, LineItem, Option
from portal.rules.assessment import Assessment, Line, ProductFacts, Rules, assess
from portal.rules.packing import pack
from portal.rules.shipping import ShippingCode
from tests.rules.texts import any_text

ADDRESS = BigCartelAddress(
    first_name="Ana", last_name="Lee", address_1="1 High St", address_2="Flat 2", city="Washington",
    state="District of Columbia", zip="20001", country_code="US", country_name="United States", phone="555",
    email="ana@example.com",
)  # fmt: skip
ORDER = BigCartelOrder("LMFN-543196", "completed", "unshipped", None, None, ADDRESS, ())
CREDENTIALS = fcp.Credentials(merchant_id="816", merchant_name="Store", merchant_token="not a real one")


def line(sku: str, quantity: int = 1, *, left_out: bool = False) -> Line:
    return Line("1", "Shirt", "", "101", sku, quantity, "description", left_out, ())


def assessed(*lines: Line) -> Assessment:
    return Assessment((), lines, ShippingCode.DOMESTIC_DEFAULT, "USPS_MEDIA")


def test_request_has_the_orders_number_service_address_and_items() -> None:
    request, notes = pack(ORDER, assessed(line("SHIRT-SMALL", 2), line("MUG")))
    assert notes == ()
    assert request == fcp.OrderRequest(
        order_number="LMFN-543196",
        shipping_method="USPS_MEDIA",
        address=fcp.FcpAddress(
            first_name="Ana", last_name="Lee", address1="1 High St", address2="Flat 2", city="Washington", state="DC",
            postal_code="20001", country="US", phone="555", email="ana@example.com",
        ),
        items=(fcp.FcpItem("SHIRT-SMALL", 2), fcp.FcpItem("MUG", 1)),
    )  # fmt: skip


def test_equal_skus_are_merged_and_left_out_items_are_omitted() -> None:
    lines = (line("A", 2), line("B"), line("A", 3), line("", 1, left_out=True), line("C", 4, left_out=True))
    request, _ = pack(ORDER, assessed(*lines))
    assert request.items == (fcp.FcpItem("A", 5), fcp.FcpItem("B", 1))


@pytest.mark.parametrize(
    ("country", "state", "sent"),
    [("US", "Utah", "UT"), ("US", "Utahh", "Utahh"), ("CA", "Washington", "Washington"), ("PR", "Utah", "Utah")],
)
def test_only_us_states_become_two_letters(country: str, state: str, sent: str) -> None:
    request, _ = pack(replace(ORDER, address=replace(ADDRESS, country_code=country, state=state)), assessed())
    assert (request.address.country, request.address.state) == (country, sent)


def test_united_kingdom_is_sent_with_its_iso_code() -> None:
    request, _ = pack(replace(ORDER, address=replace(ADDRESS, country_code="UK")), assessed())
    assert request.address.country == "GB"


def test_invisible_characters_and_placeholders_are_not_sent() -> None:
    address = replace(ADDRESS, first_name="\u202aAna\u202c", zip="20001\u200b", address_2="-", email="a\u200b@b.org ")
    request, notes = pack(replace(ORDER, address=address, number="LMFN\u200b-1"), assessed())
    packed = request.address
    assert (packed.first_name, packed.postal_code, packed.address2, packed.email) == ("Ana", "20001", "", "a@b.org")
    assert request.order_number == "LMFN-1"
    assert notes == ()


def test_line_breaks_and_repeated_spaces_in_an_address_become_one_space() -> None:
    request, notes = pack(replace(ORDER, address=replace(ADDRESS, address_1=" 1  High St\r\n\tRear ")), assessed())
    assert request.address.address1 == "1 High St Rear"
    assert notes == ()


def test_characters_not_allowed_in_xml_are_removed_and_noted_without_buyer_data() -> None:
    address = replace(ADDRESS, first_name="A\x00n\ud800a", city="Wash\x0bington")
    request, notes = pack(replace(ORDER, address=address), assessed(line("A")))
    assert (request.address.first_name, request.address.city) == ("Ana", "Washington")
    assert notes == (
        "We removed 2 characters from the first name because the warehouse's format can't carry them.",
        "We removed 1 character from the city because the warehouse's format can't carry it.",
    )


@given(st.builds(BigCartelAddress, *[any_text] * 11), any_text, any_text)
def test_any_text_survives_the_xml_round_trip(address: BigCartelAddress, number: str, description: str) -> None:
    item = LineItem("1", "101", "Shirt", None, "", 3)
    order = replace(ORDER, number=number, address=address, items=(item,))
    facts = ProductFacts(f"SKU:{description}", (Option("1", "Default"),), gone=False)
    assessment = assess(order, {"101": facts}, Rules("USPS_MEDIA", "EPGEPACKT"))
    request, _ = pack(order, assessment)
    root = etree.fromstring(fcp.submission_xml(request, CREDENTIALS))

    def sent(path: str) -> str:
        return root.findtext(f"OrderList/Order/{path}") or ""

    packed = request.address
    assert sent("OrderNumber") == request.order_number
    assert [sent(f"ShippingAddress/{name}") for name in ("FirstName", "LastName", "Address1", "Address2")] == [
        packed.first_name, packed.last_name, packed.address1, packed.address2,
    ]  # fmt: skip
    assert [sent(f"ShippingAddress/{name}") for name in ("City", "State", "PostalCode", "Country", "Phone")] == [
        packed.city, packed.state, packed.postal_code, packed.country, packed.phone,
    ]  # fmt: skip
    assert sent("ItemList/Item/Sku") == assessment.lines[0].sku
