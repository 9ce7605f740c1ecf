"""What holds an order, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.clients.bigcartel import BigCartelAddress, BigCartelOrder, LineItem, Option
from portal.rules.assessment import Assessment, ProductFacts, Rules, assess
from portal.rules.hold_reasons import Hold, HoldReason
from portal.rules.packing import pack
from portal.rules.shipping import ShippingCode
from tests.rules.texts import any_text, descriptions

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
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
NAIVE_NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).replace(tzinfo=None)
RULES = Rules(domestic_service="USPS_MEDIA", international_service="EPGEPACKT")


def reasons(assessment: Assessment) -> list[HoldReason]:
    return [hold.reason for hold in assessment.holds]


def test_a_complete_order_is_free_to_go() -> None:
    found = assess(ORDER, PRODUCTS, RULES)
    assert found.holds == ()
    assert [(line.sku, line.quantity, line.source) for line in found.lines] == [
        ("SHIRT-SMALL", 2, "description"),
        ("MUG", 1, "description"),
    ]
    assert (found.shipping_code, found.service) == (ShippingCode.DOMESTIC_DEFAULT, "USPS_MEDIA")


@pytest.mark.parametrize("status", ["unpaid", "pending", "failed", "invalid"])
def test_payment_must_be_completed(status: str) -> None:
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
        ("refunded", [HoldReason.UNKNOWN_VALUE]),
        ("", [HoldReason.UNKNOWN_VALUE]),
    ],
)
def test_unpaid_orders_go_where_the_merchant_asks_for_it(status: str, held: list[HoldReason]) -> None:
    found = assess(replace(ORDER, payment_status=status), PRODUCTS, replace(RULES, submit_unpaid=True))
    assert reasons(found) == held


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("partially_shipped", HoldReason.PARTLY_SHIPPED),
        ("partial", HoldReason.PARTLY_SHIPPED),
        ("shipped", HoldReason.UNKNOWN_VALUE),
        ("cancelled", HoldReason.UNKNOWN_VALUE),
        ("", HoldReason.UNKNOWN_VALUE),
    ],
)
def test_any_other_shipping_status_holds(status: str, reason: HoldReason) -> None:
    assert reasons(assess(replace(ORDER, shipping_status=status), PRODUCTS, RULES)) == [reason]


def test_an_item_that_is_shipped_already_holds() -> None:
    order = replace(ORDER, items=(replace(SHIRT, quantity_shipped=1), MUG))
    assert reasons(assess(order, PRODUCTS, RULES)) == [HoldReason.PARTLY_SHIPPED]


@pytest.mark.parametrize(
    ("label", "is_pickup"),
    [
        ("Pickup", True),
        ("Free local pick up", True),
        ("LOCAL PICK-UP - [Saturday]", True),
        ("Pick\xa0up in Berlin", True),
        ("Pick\u2013up", True),
        ("Store pickups", True),
        ("Collect in person", True),
        ("Collection from the studio", True),
        ("Click & Collect", True),
        ("Local delivery", True),
        ("Shipping to United States", False),
        ("Standard (with tracking)", False),
        ("Pickupville express", False),
        ("Recollections edition", False),
        ("International delivery", False),
        ("", False),
    ],
)
def test_local_pickup_shows_in_a_label(label: str, is_pickup: bool) -> None:
    found = assess(replace(ORDER, labels=("Shipping", label)), PRODUCTS, RULES)
    assert reasons(found) == ([HoldReason.LOCAL_PICKUP] if is_pickup else [])


@pytest.mark.parametrize("empty", ["", "  ", "\u200b\xa0", "\x00\n"])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("first_name", "last_name"), "the name is missing"),
        (("address_1",), "the street is missing"),
        (("city",), "the city is missing"),
        (("state",), "the state is missing"),
        (("zip",), "the ZIP code is missing"),
        (("state", "zip"), "the state and the ZIP code are missing"),
    ],
)
def test_the_warehouse_needs_a_complete_address(fields: tuple[str, ...], said: str, empty: str) -> None:
    gaps: dict[str, Any] = dict.fromkeys(fields, empty)
    found = assess(replace(ORDER, address=replace(ADDRESS, **gaps)), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.ADDRESS_INCOMPLETE]
    assert said in found.holds[0].sentence


def test_without_a_country_nothing_is_guessed() -> None:
    found = assess(replace(ORDER, address=replace(ADDRESS, country_code="")), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.ADDRESS_INCOMPLETE]
    assert (found.shipping_code, found.service) == (None, "")


@pytest.mark.parametrize("country", ["USA", "U", "44", "us", "ÜS", "US\n"])
def test_a_country_that_is_no_code_is_not_guessed(country: str) -> None:
    found = assess(replace(ORDER, address=replace(ADDRESS, country_code=country)), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.UNKNOWN_VALUE]
    assert (found.shipping_code, found.service) == (None, "")


@pytest.mark.parametrize("gap", ["first_name", "last_name", "address_2", "phone", "email", "country_name"])
def test_one_name_is_enough_and_some_fields_are_never_needed(gap: str) -> None:
    gaps: dict[str, Any] = {gap: ""}
    assert assess(replace(ORDER, address=replace(ADDRESS, **gaps)), PRODUCTS, RULES).holds == ()


def test_abroad_neither_state_nor_zip_is_needed() -> None:
    address = replace(ADDRESS, country_code="IE", state="", zip="")
    found = assess(replace(ORDER, address=address), PRODUCTS, RULES)
    assert found.holds == ()
    assert (found.shipping_code, found.service) == (ShippingCode.INTERNATIONAL_DEFAULT, "EPGEPACKT")


def test_territories_take_the_service_of_their_setting() -> None:
    order = replace(ORDER, address=replace(ADDRESS, country_code="PR", state=""))
    assert assess(order, PRODUCTS, RULES).service == "EPGEPACKT"
    assert assess(order, PRODUCTS, replace(RULES, territories_domestic=True)).service == "USPS_MEDIA"


@pytest.mark.parametrize("service", ["", " ", "\u200b"])
def test_no_service_for_the_code_holds(service: str) -> None:
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
def test_orders_before_the_start_wait(
    starts_at: datetime | None, placed_at: datetime | None, held: list[HoldReason]
) -> None:
    found = assess(replace(ORDER, placed_at=placed_at), PRODUCTS, replace(RULES, starts_at=starts_at))
    assert reasons(found) == held


def test_nothing_goes_before_the_merchant_chose_a_start() -> None:
    found = assess(ORDER, PRODUCTS, replace(RULES, live=False, starts_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert reasons(found) == [HoldReason.NOT_LIVE]
    assert "not live yet" in found.holds[0].sentence


def test_pause_and_test_mode_hold_everything() -> None:
    found = assess(ORDER, PRODUCTS, replace(RULES, paused=True, test_mode=True))
    assert reasons(found) == [HoldReason.PAUSED, HoldReason.TEST_MODE]


def test_every_unreadable_field_holds_once_by_its_name() -> None:
    order = replace(ORDER, payment_status="", shipping_status="", unreadable=("payment_status", "shipping_status"))
    found = assess(order, PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.UNKNOWN_VALUE, HoldReason.UNKNOWN_VALUE]
    assert [hold.detail for hold in found.holds] == ["payment_status", "shipping_status"]


@pytest.mark.parametrize(
    ("item", "products", "reason", "said"),
    [
        (SHIRT, {}, HoldReason.UNKNOWN_VALUE, "the product Shirt (SMALL) is not read yet"),
        (replace(SHIRT, product_id=None), PRODUCTS, HoldReason.PRODUCT_GONE, "Shirt (SMALL)"),
        (SHIRT, {"101": replace(SHIRT_FACTS, gone=True)}, HoldReason.PRODUCT_GONE, "Shirt (SMALL)"),
        (SHIRT, {"101": replace(SHIRT_FACTS, description="Soft.")}, HoldReason.NO_SKU, "Add “SKU:”"),
        (SHIRT, {"101": replace(SHIRT_FACTS, description="sku:A")}, HoldReason.NO_SKU, "has “sku:”"),
        (SHIRT, {"101": replace(SHIRT_FACTS, override="A\ue000")}, HoldReason.NO_SKU, "U+E000"),
        (replace(SHIRT, option_name=""), PRODUCTS, HoldReason.NO_SKU, "names none of them"),
        (replace(SHIRT, quantity=None), PRODUCTS, HoldReason.UNKNOWN_VALUE, "the quantity of Shirt (SMALL)"),
        (replace(MUG, product_name="\u200b", quantity=None), PRODUCTS, HoldReason.UNKNOWN_VALUE, "without a name"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_item(
    item: LineItem, products: dict[str, ProductFacts], reason: HoldReason, said: str
) -> None:
    found = assess(replace(ORDER, items=(item,)), products, RULES)
    assert reasons(found) == [reason]
    assert said in found.holds[0].sentence


@pytest.mark.parametrize(
    ("facts", "sku"),
    [
        (replace(SHIRT_FACTS, override="TEE-"), "TEE-SMALL"),
        (replace(SHIRT_FACTS, description="", override=" TEE-\u200b"), "TEE-SMALL"),
        (replace(SHIRT_FACTS, option_overrides={"201": "T1"}), "T1"),
        (replace(SHIRT_FACTS, override="TEE-", option_overrides={"201": "T1"}), "T1"),
        (replace(SHIRT_FACTS, override="TEE-", option_overrides={"202": "T2"}), "TEE-SMALL"),
        (replace(SHIRT_FACTS, gone=True, override="TEE-"), "TEE-SMALL"),
        (replace(SHIRT_FACTS, gone=True, option_overrides={"201": "T1"}), "T1"),
    ],
)
def test_a_sku_set_by_hand_wins(facts: ProductFacts, sku: str) -> None:
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": facts}, RULES)
    assert found.holds == ()
    assert [(line.sku, line.source) for line in found.lines] == [(sku, "override")]


@pytest.mark.parametrize("override", ["", " ", "\u200b"])
def test_an_empty_override_is_none(override: str) -> None:
    facts = replace(SHIRT_FACTS, override=override, option_overrides={"201": override})
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": facts}, RULES)
    assert [(line.sku, line.source) for line in found.lines] == [("SHIRT-SMALL", "description")]


def test_an_item_with_an_option_that_no_longer_exists_takes_the_name_on_the_order() -> None:
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": replace(SHIRT_FACTS, options=())}, RULES)
    assert [line.sku for line in found.lines] == ["SHIRT-SMALL"]


def test_an_item_without_a_marker_is_left_out_where_the_merchant_asks_for_it() -> None:
    products = PRODUCTS | {"102": replace(MUG_FACTS, description="Holds tea.")}
    assert reasons(assess(ORDER, products, RULES)) == [HoldReason.NO_SKU]
    found = assess(ORDER, products, replace(RULES, ignore_items_without_sku=True))
    assert found.holds == ()
    assert [(line.sku, line.left_out) for line in found.lines] == [("SHIRT-SMALL", False), ("", True)]


@pytest.mark.parametrize("description", ["sku: MUG", "SKU:", "SKU:A\nB", "SKU:A\ue000", "x" * 200_000])
def test_an_item_with_a_broken_sku_is_never_left_out(description: str) -> None:
    products = PRODUCTS | {"102": replace(MUG_FACTS, description=description)}
    found = assess(ORDER, products, replace(RULES, ignore_items_without_sku=True))
    assert reasons(found) == [HoldReason.NO_SKU]
    assert not any(line.left_out for line in found.lines)


@pytest.mark.parametrize("gone", [{}, {"102": replace(MUG_FACTS, gone=True, description="")}])
def test_an_unknown_product_is_never_left_out(gone: dict[str, ProductFacts]) -> None:
    rules = replace(RULES, ignore_items_without_sku=True)
    found = assess(replace(ORDER, items=(MUG,)), gone, rules)
    assert found.holds != ()
    assert not found.lines[0].left_out


def test_an_order_with_nothing_to_send_says_so() -> None:
    assert reasons(assess(replace(ORDER, items=()), PRODUCTS, RULES)) == [HoldReason.NOTHING_TO_SHIP]
    products = {"102": replace(MUG_FACTS, description="Holds tea.")}
    rules = replace(RULES, ignore_items_without_sku=True)
    found = assess(replace(ORDER, items=(MUG,)), products, rules)
    assert reasons(found) == [HoldReason.NOTHING_TO_SHIP]


def test_items_that_cannot_be_read_are_not_called_nothing() -> None:
    found = assess(replace(ORDER, items=(), unreadable=("items",)), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.UNKNOWN_VALUE]


def test_what_is_only_worth_a_look_does_not_hold() -> None:
    found = assess(ORDER, PRODUCTS | {"101": replace(SHIRT_FACTS, description="SKU:SHIRT")}, RULES)
    assert found.holds == ()
    assert found.lines[0].sku == "SHIRTSMALL"
    assert "hyphen" in found.lines[0].problems[0]


def test_no_detail_names_the_buyer() -> None:
    order = replace(
        ORDER, address=replace(ADDRESS, city="", country_code="USA"), payment_status="odd", labels=("Pickup",)
    )
    said = " ".join(hold.sentence + hold.remedy for hold in assess(order, {}, RULES).holds)
    for private in ("Ana", "Lee", "High St", "84101", "ana@example.com"):
        assert private not in said


@pytest.mark.parametrize("reason", HoldReason)
@pytest.mark.parametrize("detail", ["", "Shirt", "Shirt. Mend it."])
def test_every_hold_says_what_it_means_and_what_to_do(reason: HoldReason, detail: str) -> None:
    hold = Hold(reason, detail)
    for text in (hold.sentence, hold.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
        assert not text.endswith("..")
        assert "!" not in text
    assert detail in hold.sentence


ids = st.sampled_from(["101", "102", "103", "201", "203"])
statuses = st.one_of(st.sampled_from(["completed", "unpaid", "unshipped", "partially shipped"]), any_text)
words = st.one_of(st.sampled_from(["Ana", "US", "PR", "GB", "Utah"]), any_text)
moments = st.one_of(st.none(), st.datetimes(timezones=st.one_of(st.none(), st.timezones())))
orders = st.builds(
    BigCartelOrder,
    number=words,
    payment_status=statuses,
    shipping_status=statuses,
    placed_at=moments,
    updated_at=st.none(),
    address=st.builds(BigCartelAddress, *[words] * 11),
    items=st.lists(
        st.builds(
            LineItem, any_text, st.one_of(st.none(), ids), words, st.one_of(st.none(), ids), words,
            st.one_of(st.none(), st.integers(1, 10**9)), st.integers(-1, 2),
        ),
        max_size=4,
    ).map(tuple),
    labels=st.lists(any_text, max_size=2).map(tuple),
    unreadable=st.lists(st.one_of(st.sampled_from(["items", "placed_at"]), any_text), max_size=2).map(tuple),
)  # fmt: skip
facts = st.builds(
    ProductFacts,
    description=st.one_of(descriptions, st.just("SKU:A")),
    options=st.lists(st.builds(Option, ids, words), max_size=3).map(tuple),
    gone=st.booleans(),
    override=st.one_of(st.just(""), any_text),
    option_overrides=st.dictionaries(ids, any_text, max_size=2),
)
rules = st.builds(
    Rules, words, words, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), moments,
    st.booleans(),
)  # fmt: skip


@settings(max_examples=300)
@given(orders, st.dictionaries(ids, facts, max_size=3), rules)
def test_no_order_makes_it_raise_and_none_goes_without_all_it_needs(
    order: BigCartelOrder, products: dict[str, ProductFacts], given_rules: Rules
) -> None:
    found = assess(order, products, given_rules)
    for hold in found.holds:
        (hold.sentence + hold.remedy).encode()
        assert "\x00" not in hold.detail
    for line in found.lines:
        assert not (line.left_out and line.sku)
        (line.name + line.option + "".join(line.problems)).encode()
    request, _ = pack(order, found)
    if not found.holds:
        assert found.service
        assert request.items
        assert request.address.country
        assert all(line.left_out or (line.sku and line.quantity > 0) for line in found.lines)
