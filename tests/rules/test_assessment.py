"""An order's holds and their wording."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from portal.rules.assessment import assess
from portal.rules.hold_reasons import Hold, HoldReason
from portal.rules.pickup import rate_key
from portal.rules.shipping import ShippingCode
from tests.rules.complete_order import ADDRESS, ORDER, PRODUCTS, RULES, reasons

EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


NAIVE_NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).replace(tzinfo=None)


def test_complete_order_has_no_holds() -> None:
    found = assess(ORDER, PRODUCTS, RULES)
    assert found.holds == ()
    assert [(line.sku, line.quantity, line.source) for line in found.lines] == [
        ("SHIRT-SMALL", 2, "description"),
        ("MUG", 1, "description"),
    ]
    assert (found.shipping_code, found.service) == (ShippingCode.DOMESTIC_DEFAULT, "USPS_MEDIA")


@pytest.mark.parametrize("status", ["unpaid", "pending", "failed", "invalid"])
def test_order_is_held_until_payment_is_completed(status: str) -> None:
    found = assess(replace(ORDER, payment_status=status), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.PAYMENT_NOT_COMPLETED]
    assert status in found.holds[0].sentence


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("completed", []),
        ("unpaid", []),
        ("pending", []),
        ("failed", [HoldReason.PAYMENT_NOT_COMPLETED]),
        ("invalid", [HoldReason.PAYMENT_NOT_COMPLETED]),
        ("refunded", [HoldReason.CANCELED_OR_REFUNDED]),
        ("partially_refunded", [HoldReason.CANCELED_OR_REFUNDED]),
        ("authorized", [HoldReason.UNKNOWN_VALUE]),
        ("", [HoldReason.UNKNOWN_VALUE]),
    ],
)
def test_unpaid_orders_are_sent_if_the_merchant_chose_so(status: str, held: list[HoldReason]) -> None:
    found = assess(replace(ORDER, payment_status=status), PRODUCTS, replace(RULES, submit_unpaid=True))
    assert reasons(found) == held


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("partially_shipped", HoldReason.PARTLY_SHIPPED),
        ("partial", HoldReason.PARTLY_SHIPPED),
        ("shipped", HoldReason.UNKNOWN_VALUE),
        ("cancelled", HoldReason.CANCELED_OR_REFUNDED),
        ("", HoldReason.UNKNOWN_VALUE),
    ],
)
def test_shipping_status_other_than_unshipped_holds_the_order(status: str, reason: HoldReason) -> None:
    assert reasons(assess(replace(ORDER, shipping_status=status), PRODUCTS, RULES)) == [reason]


def test_sign_of_a_cancellation_holds_the_order() -> None:
    found = assess(replace(ORDER, cancellations=("“refund total” is set",)), PRODUCTS, RULES)
    assert [hold.sentence for hold in found.holds] == ["Canceled or refunded: “refund total” is set."]


def test_order_that_the_list_does_not_name_is_held() -> None:
    assert reasons(assess(ORDER, PRODUCTS, RULES, is_listed=False)) == [HoldReason.NOT_LISTED]


def test_label_that_names_a_pickup_holds_the_order() -> None:
    for order in (
        replace(ORDER, labels=("Shipping", "Local pickup")),
        replace(ORDER, discounts=("[LOCALPICKUP] Free pickup",)),
    ):
        assert reasons(assess(order, PRODUCTS, RULES)) == [HoldReason.LOCAL_PICKUP]


def test_marked_rate_is_always_or_never_sent() -> None:
    order = replace(ORDER, labels=("Fall - [Local pickup]",))
    always = replace(RULES, rates={rate_key("local PICKUP"): "always"})
    assert reasons(assess(order, PRODUCTS, always)) == []
    never = replace(RULES, rates={rate_key("Standard"): "never"})
    found = assess(replace(ORDER, labels=("Fall - [Standard]",)), PRODUCTS, never)
    assert [hold.sentence for hold in found.holds] == ["Shipping rate that you never send: “Standard”."]
    assert reasons(assess(order, PRODUCTS, never)) == [HoldReason.LOCAL_PICKUP]


@pytest.mark.parametrize("empty", ["", "  ", "\u200b\xa0", "\x00\n"])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("first_name", "last_name"), "the name is missing"),
        (("address_1",), "the street is missing"),
        (("city",), "the city is missing"),
        (("state",), "the state is missing"),
        (("zip",), "the ZIP code is missing"),
        (("state", "zip"), "the state and the ZIP code are missing"),
    ],
)
def test_incomplete_address_holds_the_order(fields: tuple[str, ...], expected: str, empty: str) -> None:
    gaps: dict[str, Any] = dict.fromkeys(fields, empty)
    found = assess(replace(ORDER, address=replace(ADDRESS, **gaps)), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.ADDRESS_INCOMPLETE]
    assert expected in found.holds[0].sentence


def test_missing_country_is_not_guessed() -> None:
    found = assess(replace(ORDER, address=replace(ADDRESS, country_code="")), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.ADDRESS_INCOMPLETE]
    assert (found.shipping_code, found.service) == (None, "")


@pytest.mark.parametrize("country", ["USA", "usa", "U", "44", "ÜS", "XX", "AN", "EU", "ZZ", "AC"])
def test_invalid_country_code_is_not_guessed(country: str) -> None:
    found = assess(replace(ORDER, address=replace(ADDRESS, country_code=country)), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.UNKNOWN_VALUE]
    assert (found.shipping_code, found.service) == (None, "")


@pytest.mark.parametrize("gap", ["first_name", "last_name", "address_2", "phone", "email", "country_name"])
def test_optional_address_fields_may_be_empty(gap: str) -> None:
    gaps: dict[str, Any] = {gap: ""}
    assert assess(replace(ORDER, address=replace(ADDRESS, **gaps)), PRODUCTS, RULES).holds == ()


def test_state_and_zip_are_optional_outside_the_us() -> None:
    address = replace(ADDRESS, country_code="IE", state="", zip="")
    found = assess(replace(ORDER, address=address), PRODUCTS, RULES)
    assert found.holds == ()
    assert (found.shipping_code, found.service) == (ShippingCode.INTERNATIONAL_DEFAULT, "EPGEPACKT")


def test_territories_follow_the_merchants_setting() -> None:
    order = replace(ORDER, address=replace(ADDRESS, country_code="PR", state=""))
    assert assess(order, PRODUCTS, RULES).service == "EPGEPACKT"
    assert assess(order, PRODUCTS, replace(RULES, territories_domestic=True)).service == "USPS_MEDIA"


@pytest.mark.parametrize("service", ["", " ", "\u200b"])
def test_unmapped_shipping_code_holds_the_order(service: str) -> None:
    found = assess(ORDER, PRODUCTS, replace(RULES, domestic_service=service))
    assert reasons(found) == [HoldReason.NO_MAPPING]
    assert "DOMESTIC_DEFAULT" in found.holds[0].sentence
    assert assess(ORDER, PRODUCTS, replace(RULES, international_service=service)).holds == ()


@pytest.mark.parametrize(
    ("starts_at", "placed_at", "held"),
    [
        (None, datetime(2020, 1, 1, tzinfo=UTC), []),
        (None, None, []),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC), []),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, 11, tzinfo=UTC), [HoldReason.BEFORE_START]),
        (NAIVE_NOON, datetime(2026, 5, 1, 11, tzinfo=UTC), [HoldReason.BEFORE_START]),
        (datetime(2026, 5, 1, 11, tzinfo=UTC), NAIVE_NOON, []),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), None, [HoldReason.UNKNOWN_VALUE]),
        (datetime.max.replace(tzinfo=WEST), datetime.min.replace(tzinfo=EAST), [HoldReason.BEFORE_START]),
    ],
)  # fmt: skip
def test_order_placed_before_the_start_date_is_held(
    starts_at: datetime | None, placed_at: datetime | None, held: list[HoldReason]
) -> None:
    found = assess(replace(ORDER, placed_at=placed_at), PRODUCTS, replace(RULES, starts_at=starts_at))
    assert reasons(found) == held


def test_nothing_is_sent_before_going_live() -> None:
    found = assess(ORDER, PRODUCTS, replace(RULES, live=False, starts_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert reasons(found) == [HoldReason.NOT_LIVE]
    assert "not live yet" in found.holds[0].sentence


def test_pause_and_test_mode_hold_every_order() -> None:
    found = assess(ORDER, PRODUCTS, replace(RULES, paused=True, test_mode=True))
    assert reasons(found) == [HoldReason.PAUSED, HoldReason.TEST_MODE]


def test_each_unreadable_field_holds_the_order_once() -> None:
    order = replace(ORDER, payment_status="", shipping_status="", unreadable=("payment_status", "shipping_status"))
    found = assess(order, PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.UNKNOWN_VALUE, HoldReason.UNKNOWN_VALUE]
    assert [hold.detail for hold in found.holds] == ["payment_status", "shipping_status"]


def test_hold_details_do_not_contain_buyer_data() -> None:
    order = replace(
        ORDER, address=replace(ADDRESS, city="", country_code="USA"), payment_status="odd", labels=("Pickup",)
    )
    texts = " ".join(hold.sentence + hold.remedy for hold in assess(order, {}, RULES).holds)
    for private in ("Ana", "Lee", "High St", "84101", "ana@example.com"):
        assert private not in texts


@pytest.mark.parametrize("reason", HoldReason)
@pytest.mark.parametrize("detail", ["", "Shirt", "Shirt. Fix it."])
def test_every_hold_has_a_sentence_and_a_remedy(reason: HoldReason, detail: str) -> None:
    hold = Hold(reason, detail)
    for text in (hold.sentence, hold.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
        assert not text.endswith("..")
        assert "!" not in text
    assert detail in hold.sentence
