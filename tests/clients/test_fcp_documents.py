"""Writing and reading the FCP's XML."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from portal.clients.errors import UnexpectedAnswer
from portal.clients.fcp import Credentials, FcpAddress, FcpItem, OrderRequest, submission_xml, xml_text
from portal.clients.fcp_documents import (
    error_words,
    failure_words,
    inventory_xml,
    parse_answer,
    read_statuses,
    status_xml,
    verdict,
)
from tests.clients.conftest import payload_bytes

CREDENTIALS = Credentials("816", "Example & Sons", "tok3n")
ORDER = OrderRequest(
    order_number="5550001112222",
    shipping_method="USPS_MEDIA",
    address=FcpAddress(
        first_name="Test",
        last_name="Buyer",
        address1="100 Example St",
        city="Chicago",
        state="Illinois",
        postal_code="60601",
        country="US",
    ),
    items=(FcpItem("00-1111", 1),),
)
XML_CHARACTERS = st.characters(exclude_categories=["Cs"])


def shape(element: Any) -> Any:
    """Return element names and texts, without comments and whitespace between elements."""
    children = [shape(child) for child in element if isinstance(child.tag, str)]
    return (element.tag, children or (element.text or "").strip())


def test_submission_matches_the_minimal_body_of_a_public_client() -> None:
    credentials = Credentials("MERCHANT_ID", "MERCHANT_NAME", "REDACTED")
    expected = etree.fromstring(payload_bytes("fcp_submit_request_minimal").split(b"\n", 1)[1])
    built = submission_xml(ORDER, credentials)
    assert built.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    assert shape(etree.fromstring(built)) == shape(expected)


def test_submission_has_the_element_order_of_the_full_example() -> None:
    address = FcpAddress("A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K")
    order = OrderRequest("1001", "EPGEPACKT", address, (FcpItem("X", 2), FcpItem("Y", 3)))
    ours = [element.tag for element in etree.fromstring(submission_xml(order, CREDENTIALS)).iter()]
    example = etree.fromstring(payload_bytes("fcp_submit_request_full").split(b"\n", 1)[1])
    theirs = [element.tag for element in example.iter() if isinstance(element.tag, str)]
    left_out = {"ReferenceNumber", "ShippingOptions", "Insurance", "CashOnDelivery", "DeclaredValue"}
    left_out |= {"SignatureRequired", "Comments"}
    billing = theirs.index("BillingAddress")
    theirs = [tag for tag in theirs[:billing] + theirs[billing + 12 :] if tag not in left_out]
    assert ours == [*theirs, "Item", "Sku", "Quantity"]


def test_version_is_test_for_a_test_order() -> None:
    assert etree.fromstring(submission_xml(ORDER, CREDENTIALS, test=True)).findtext("Version") == "TEST"
    assert etree.fromstring(submission_xml(ORDER, CREDENTIALS)).findtext("Version") == "0.6"


def test_inventory_request_matches_the_documentation() -> None:
    credentials = Credentials("{{CLIENT_ID}}", "not sent", "{{CLIENT_TOKEN}}")
    built = etree.fromstring(inventory_xml(["00-1111", "00-1112", "00-1113"], credentials))
    assert shape(built) == shape(etree.fromstring(payload_bytes("fcp_inventory_request")))


def test_status_request_lists_the_order_numbers() -> None:
    root = etree.fromstring(status_xml(["A-1", "B-2"], CREDENTIALS))
    assert [element.text for element in root.iter("OrderNumber")] == ["A-1", "B-2"]
    assert [child.tag for child in root] == ["MerchantId", "MerchantToken", "Orders"]


@given(st.text(min_size=1))
def test_any_text_survives_a_round_trip(text: str) -> None:
    clean, dropped = xml_text(text)
    assert dropped == len(text) - len(clean)
    order = OrderRequest(text, clean, FcpAddress(first_name=text, email=clean), (FcpItem(text, 1),))
    root = etree.fromstring(submission_xml(order, Credentials(text, clean, text)))
    for path in (
        "MerchantId",
        "MerchantName",
        "MerchantToken",
        ".//OrderNumber",
        ".//ShippingMethod",
        ".//FirstName",
        ".//Email",
        ".//Sku",
    ):
        assert (root.findtext(path) or "") == clean


@given(st.text(XML_CHARACTERS))
def test_only_characters_that_xml_cannot_hold_are_dropped(text: str) -> None:
    allowed = "".join(
        letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff")
    )
    assert xml_text(text) == (allowed, len(text) - len(allowed))


def test_dropped_characters_are_counted() -> None:
    assert xml_text("a\x00b\x0bc\ud800d\ufffe\u00e9\U0001f600") == ("abcd\u00e9\U0001f600", 4)


BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><R><Status>&b;</Status></R>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n ",
        b"Fatal error: line 7",
        b"<html><body><br></body></html>",
        b'{"Status": "Success"}',
        b"<OrderSubmitResponse><Status>Success</Status><OrderId>90",
        b"<R><Status>Success</Status></R><R/>",
        b"<R><Status>\x0bSuccess</Status></R>",
        b"<R><Status>&undefined;</Status></R>",
        BOMB,
        BOMB.decode().encode("utf-16"),
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><R><Status>Success</Status></R>',
        b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><R><Status>&f;</Status></R>',
        b'<?xml version="1.0" encoding="no-such-code"?><R/>',
        b"<a>" * 5000,
        b"<R>" + b"x" * (1024 * 1024) + b"</R>",
    ],
)
def test_malformed_body_is_an_unexpected_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_answer(body)
    assert error_words(body) == ""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<R><Status>Success</Status></R>", True),
        ("<R><Status> SUCCESS\n</Status></R>", True),
        ('<R xmlns="https://fcp.example.com/xml"><Status>success</Status></R>', True),
        ('<f:R xmlns:f="urn:x"><f:Status>Success</f:Status></f:R>', True),
        ("\n \n<?xml version='1.0'?><R><Status>Success</Status><Error/></R>", True),
        ("<R><Status><!-- c --><![CDATA[Success]]></Status></R>", True),
        ("<R><Orders><Order><Status>Success</Status></Order></Orders></R>", True),
        ("<R><Status>Failure</Status></R>", False),
        ("<R><Status>Error</Status><Error>x</Error></R>", False),
        ("<R><Errors><Error>x</Error></Errors></R>", False),
        ("<R><Status>Success</Status><Error>but</Error></R>", None),
        ("<R><Status>Success</Status><Order><Status>Failure</Status></Order></R>", None),
        ("<R><Status>Pending</Status></R>", None),
        ("<R><Status/></R>", None),
        ("<R><OrderStatus>Success</OrderStatus></R>", None),
        ("<html><body><p>Success</p></body></html>", None),
    ],
)
def test_verdict_is_success_failure_or_neither(body: str, expected: bool | None) -> None:
    assert verdict(parse_answer(body.encode())) is expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<R><Error>Invalid SKU: X</Error></R>", "Invalid SKU: X"),
        ("<R><Errors><Error>One</Error><Error>Two</Error><Error>One</Error></Errors></R>", "One; Two"),
        ("<R><Description>No such\n  code</Description></R>", "No such code"),
        ("<R><Message>A</Message><ErrorDescription>B</ErrorDescription></R>", "A; B"),
        ("<R><Error>A</Error><Description>B</Description></R>", "A; B"),
        ("<R><Error><Code>7</Code><Text>Bad</Text></Error></R>", "7 Bad"),
        ("<R><Errors>Plain</Errors></R>", "Plain"),
        ('<R xmlns="urn:x"><Error>Spaced</Error></R>', "Spaced"),
        ("<R><Status>Failure</Status></R>", ""),
    ],
)
def test_failure_words_are_extracted(body: str, words: str) -> None:
    assert failure_words(parse_answer(body.encode())) == words


def order_xml(inner: str, *, namespace: str = "") -> Any:
    return parse_answer(
        f"<OrderStatusResponse {namespace}><Status>Success</Status><Orders><Order>"
        f"<OrderNumber>A-1</OrderNumber>{inner}</Order></Orders></OrderStatusResponse>".encode()
    )


@pytest.mark.parametrize("namespace", ["", 'xmlns="https://fcp.efulfillmentservice.com/xml/status"'])
def test_order_status_is_read_in_any_namespace(namespace: str) -> None:
    root = order_xml(
        "<OrderId>901234</OrderId><OrderStatus> Completed </OrderStatus><ShipDate>2026-11-20</ShipDate>"
        "<Carrier>USPS</Carrier><ShippingMethod>USPS_MEDIA</ShippingMethod>"
        "<TrackingNumbers><TrackingNumber>9400</TrackingNumber></TrackingNumbers>",
        namespace=namespace,
    )
    status = read_statuses(root, ["A-1"])["A-1"]
    assert (status.order_id, status.status, status.is_shipped) == ("901234", "Completed", True)
    assert (status.ship_date, status.carrier) == (date(2026, 11, 20), "USPS")
    assert status.tracking_numbers == ("9400",)


@pytest.mark.parametrize(
    ("inner", "numbers"),
    [
        ("", ()),
        ("<TrackingNumbers/>", ()),
        ("<TrackingNumbers><TrackingNumber>1;2; 3 ;</TrackingNumber></TrackingNumbers>", ("1", "2", "3")),
        ("<TrackingNumbers>1,2</TrackingNumbers>", ("1", "2")),
        ("<TrackingNumber>2</TrackingNumber><TrackingNumber>1;2</TrackingNumber>", ("2", "1")),
        ("<TrackingNumber>9400 1000</TrackingNumber>", ("9400 1000",)),
    ],
)
def test_tracking_numbers_are_split(inner: str, numbers: tuple[str, ...]) -> None:
    root = order_xml(f"<OrderStatus>Shipped</OrderStatus>{inner}")
    assert read_statuses(root, ["A-1"])["A-1"].tracking_numbers == numbers


@pytest.mark.parametrize("word", ["Pending", "In Process", "Back Order", "On Hold", "Gift-wrapping"])
def test_other_status_word_is_passed_through_as_not_shipped(word: str) -> None:
    status = read_statuses(order_xml(f"<OrderStatus>{word}</OrderStatus>"), ["A-1"])["A-1"]
    assert (status.status, status.is_shipped, status.is_cancelled) == (word, False, False)


@pytest.mark.parametrize("day", ["", "20/11/2026", "soon", "2026-13-01"])
def test_unreadable_ship_date_is_none(day: str) -> None:
    root = order_xml(f"<OrderStatus>Completed</OrderStatus><ShipDate>{day}</ShipDate>")
    assert read_statuses(root, ["A-1"])["A-1"].ship_date is None


@pytest.mark.parametrize(
    "inner", ["<OrderStatus>Not Found</OrderStatus>", "<OrderStatus>Unknown</OrderStatus>", "<Error>No such</Error>"]
)
def test_entry_that_reports_the_order_as_unknown_is_left_out(inner: str) -> None:
    assert read_statuses(order_xml(inner), ["A-1"]) == {}


def test_orders_that_were_not_requested_are_left_out() -> None:
    assert read_statuses(order_xml("<OrderStatus>Completed</OrderStatus>"), ["A-2"]) == {}


def test_order_without_a_status_is_an_unexpected_answer() -> None:
    with pytest.raises(UnexpectedAnswer):
        read_statuses(order_xml(""), ["A-1"])


@given(st.binary(max_size=200) | st.text("<>/ !DOCTYPE[]&;StausErorOd", max_size=80).map(str.encode))
def test_parser_raises_only_unexpected_answer(body: bytes) -> None:
    try:
        root = parse_answer(body)
    except UnexpectedAnswer:
        return
    verdict(root)
    failure_words(root)
