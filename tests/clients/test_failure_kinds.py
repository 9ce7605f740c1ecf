"""What a failure's message is about. The FCP's messages are not published, so the table holds many wordings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.failure_kinds import Kind, kind_of, names_the_cause

VALUES = ("LMFN-543196", "USPS_MEDIA", "SHIRT-SMALL", "LOCK-01", "System-Error", "BUSY TIMEOUT")

BUSY = [
    "System under maintenance",
    "The system is down for scheduled maintenance. Please try again later.",
    "Closed for maintenance until 6:00 AM",
    "MAINTENANCE MODE",
    "Maintenance",
    "Server busy",
    "The server is too busy to process your request",
    "We are busy right now, please come back later",
    "Busy",
    "System at capacity",
    "The order system is over capacity",
    "Server capacity exceeded",
    "The server is under heavy load",
    "High traffic, please resubmit",
    "System overloaded",
    "Too many requests",
    "TooManyRequests",
    "Too many concurrent connections",
    "Too many login attempts, try again in 5 minutes",
    "Rate limit exceeded",
    "rate_limit_exceeded",
    "Rate limit exceeded for shipping endpoint",
    "Request limit exceeded",
    "Limit exceeded",
    "API quota per minute exceeded",
    "Your quota of 60 orders per minute was reached",
    "Request was throttled. Expected available in 12 seconds.",
    "Deadlock found when trying to get lock; try restarting transaction",
    "Transaction (Process ID 58) was deadlocked on lock resources with another process",
    "deadlock",
    "Lock wait timeout exceeded",
    "Record is locked",
    "The record is currently locked by another user",
    "Order record is locked, please retry",
    "Merchant record is locked, try again",
    "Could not obtain lock on table orders",
    "Could not acquire an exclusive lock",
    "Order is locked by another process",
    "Request timed out",
    "Timeout expired. The timeout period elapsed prior to completion of the operation.",
    "Execution Timeout Expired",
    "Connection timed out while saving order LMFN-543196",
    "Time-out",
    "Gateway Timeout",
    "Processing of the order timed out",
    "SKU lookup timed out",
    "Timed out while validating the address",
    "Lock timeout while reading item SHIRT-SMALL",
    "Temporarily unavailable",
    "Service Unavailable",
    "Service&amp;nbsp;unavailable",
    "Service&nbsp;unavailable",
    "<b>Service</b> unavailable<br/>",
    "SERVICE_UNAVAILABLE",
    "ServiceUnavailable",
    "The service is currently not available",
    "This service is temporarily out of service",
    "Out of service",
    "FCP is offline",
    "Offline",
    "The warehouse system isn't responding: system not responding",
    "Host unreachable",
    "Inventory service unavailable",
    "SKU lookup service is unavailable",
    "Address validation service unavailable, SHIRT-SMALL not checked",
    "Address verification is temporarily unavailable",
    "Item service is down",
    "Internal error",
    "INTERNAL SERVER ERROR",
    "InternalError",
    "Internal processing error",
    "An unexpected error occurred",
    "Unexpected error while saving items",
    "Unknown error",
    "Unknown error while saving the items",
    "An error occurred while processing your request",
    "Something went wrong",
    "System error",
    "A system error has occurred. Order LMFN-543196 was not saved.",
    "Database error",
    "Database is down",
    "Could not connect to database",
    "Unable to connect to the SQL server",
    "Failed to open connection to the order database",
    "Can't reach inventory system",
    "Error connecting to the database while checking SKU SHIRT-SMALL",
    "Invalid response from address validation server",
    "Connection refused",
    "Connection was reset by peer",
    "Lost connection to MySQL server during query",
    "Access denied for user 'fcp'@'localhost' (using password: YES)",
    "Cannot open database requested by the login. The login failed.",
    "System.Data.SqlClient.SqlException: deadlock victim",
    "System.NullReferenceException: Object reference not set to an instance of an object.",
    "Operation is not valid due to the current state of the object.",
    "Out of memory",
    "Disk full",
    "503",
    "Error 503",
    "HTTP 502 Bad Gateway",
    "Try again",
    "Try again later",
    "Try later",
    "Please try your request again",
    "Please retry later",
    "Retry later",
    "Please resubmit",
    "PLEASE RESUBMIT THE ORDER",
    "Order not accepted, please resubmit in a few minutes",
    "Order could not be processed at this time",
    "We are not accepting orders at this time",
    "The order was not processed. Please try again.",
    "login service unavailable",
    "Login is temporarily unavailable",
    "authentication server timed out, try again",
    "Authentication service unavailable",
    "Authentication failed due to an internal error",
    "Merchant token check timed out",
    "Could not validate MerchantToken: database unavailable",
    "Invalid token: authentication service unavailable",
    "Merchant Id 816: too many requests",
    "Order not imported; system busy",
    "Invalid SKU: SHIRT-SMALL; the server is overloaded",
    "Could not check for duplicate order number: database timeout",
    "Could not check for duplicate order number",
    "Duplicate order check timed out",
    "Timeout while checking whether order number already exists",
    "Unable to verify that order number LMFN-543196 is unique",
    "Order may already exist; service busy",
    "Our system is already at capacity, order not accepted",
]
CREDENTIALS = [
    "Invalid MerchantToken",
    "INVALID MERCHANT TOKEN",
    "invalid efs_merchant_id or efs_merchant_token",
    "merchant_id is unknown",
    "MerchantName does not match",
    "Authentication failed",
    "Authentication failed, please try again",
    "Unauthorized",
    "Unauthorized; try again",
    "Access denied",
    "Bad credentials. No items were imported.",
    "Invalid token: session expired, please log in again and try again",
    "Invalid token",
    "Token expired, please retry",
    "Wrong login or password. Try again.",
    "System error: invalid merchant token",
    "Merchant account is already suspended",
    "Merchant account on credit hold",
    "Merchant account is locked, try again later",
    "Invalid merchant id. Do not resubmit.",
]
DUPLICATE = [
    "Duplicate OrderNumber",
    "DUPLICATE ORDER NUMBER: LMFN-543196",
    "Duplicate order number; service busy",
    "Duplicate order number, service busy",
    "Service busy. Order LMFN-543196 already exists.",
    "Order LMFN-543196 already exists, please try again with another number",
    "System error: duplicate order number",
    "Failed validation: duplicate order number",
    "Internal error. Order number has already been used.",
    "Duplicate order check failed: order number LMFN-543196 already exists",
    "Error: OrderNumber must be unique",
    "Please check that the order number is unique and try again",
    "Merchant Id 816: duplicate order number",
]
MAYBE_DUPLICATE = [
    "Order not accepted: the requested ship date has already passed.",
    "Duplicate. Please try again.",
    "Order LMFN-543196 may already exist",
    "Order cannot be accepted: your account has previously been suspended",
]
REQUEST = [
    "",
    "Rejected",
    "Invalid SKU: SHIRT-SMALL",
    "SKU LOCK-01 not found",
    "SKU SYSTEM-ERROR not found",
    "BUSY TIMEOUT is not in stock",
    "Invalid item: Maintenance Kit",
    "Item 'Deadlock Tee' not found",
    "Unknown product: Busy Bee Mug",
    "SKU for Busy Bee Mug not found",
    "Item temporarily unavailable",
    "Item SHIRT-SMALL is currently unavailable. Please try again later.",
    "Product is out of service",
    "product out of stock, try again later",
    "Items are temporarily out of stock; retry later",
    "Item is backordered. Please resubmit when it is in stock.",
    "Quantity limit exceeded",
    "Weight limit exceeded",
    "Item exceeds box capacity",
    "Too many items in order",
    "Invalid address: try again",
    "Invalid address. Please try again.",
    "Invalid address: 12 Maintenance Road",
    "Address not found: 503 Busy Street",
    "State must be 2 letters, please correct and try again",
    "Invalid State. Please resubmit.",
    "PostalCode is required, please retry",
    "Please correct the order and resubmit",
    "Please resubmit with a different order number",
    "Please resubmit the order with a valid address",
    "Please check the order and try again",
    "System error: Invalid SKU SHIRT-SMALL",
    "Internal error: postal code not found",
    "Unexpected error: SKU does not exist",
    "An error occurred: invalid ShippingMethod USPS_MEDIA",
    "Exception: Country is required",
    "Database error: item not found",
    "Service unavailable for this address",
    "Shipping service unavailable",
    "Service not available to this country",
    "Carrier service not available for zip 49684",
    "Shipping method temporarily unavailable",
    "This product cannot be shipped at this time",
    "Order is on lock",
    "Order is on hold",
    "Order is on credit hold, try again later",
    "Order is locked",
    "Order rejected. Do not retry this order.",
    "Warehouse account is already over its credit limit",
    "Order exceeds authorization limit",
    "Invalid SKU: SHIRT-SMALL. The system will be down on Sunday.",
    "Invalid SKU: SHIRT-SMALL. Maintenance is scheduled for Sunday.",
    "Duplicate SKU in ItemList",
    "Failed to send confirmation e-mail",
    "Order does not exist",
    "Closed today",
]
TABLE = [
    *((words, Kind.BUSY) for words in BUSY),
    *((words, Kind.CREDENTIALS) for words in CREDENTIALS),
    *((words, Kind.DUPLICATE) for words in DUPLICATE),
    *((words, Kind.MAYBE_DUPLICATE) for words in MAYBE_DUPLICATE),
    *((words, Kind.REQUEST) for words in REQUEST),
]


@pytest.mark.parametrize(("words", "kind"), TABLE)
def test_kind_of_a_message(words: str, kind: Kind) -> None:
    assert kind_of(words, VALUES, duplicates=True) is kind


@pytest.mark.parametrize(("words", "kind"), [row for row in TABLE if not re.search("[a-z][A-Z]|&", row[0])])
def test_case_does_not_change_the_kind(words: str, kind: Kind) -> None:
    assert kind_of(words.upper(), [value.upper() for value in VALUES], duplicates=True) is kind


@pytest.mark.parametrize("words", [*DUPLICATE, *MAYBE_DUPLICATE])
def test_order_number_is_looked_for_only_on_request(words: str) -> None:
    assert kind_of(words, VALUES) in {Kind.REQUEST, Kind.BUSY, Kind.CREDENTIALS}


@pytest.mark.parametrize(
    ("words", "is_named"),
    [
        ("Invalid SKU: SHIRT-SMALL", True),
        ("System error: invalid PostalCode", True),
        ("SKU lookup service is unavailable", False),
        ("Timed out while validating the address", False),
        ("Database is down", False),
    ],
)
def test_cause_is_named_only_if_a_person_can_fix_it(words: str, *, is_named: bool) -> None:
    assert names_the_cause(words) is is_named


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_has_a_kind(words: str, values: list[str]) -> None:
    assert kind_of(words, values, duplicates=True) in Kind
    names_the_cause(words)


@given(st.lists(st.sampled_from(["try again ", "order ", "duplicate ", "service is ", "could not ", "check "])))
def test_long_messages_are_read_quickly(words: list[str]) -> None:
    kind_of("".join(words)[:1000], duplicates=True)
