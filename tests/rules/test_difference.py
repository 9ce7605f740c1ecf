"""What counts as a change after sending: what the parcel depends on, in people's words, and nothing else."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.clients.bigcartel import BigCartelAddress, BigCartelOrder, LineItem
from portal.rules.difference import Difference, difference, merged
from tests.rules.complete_order import ADDRESS, MUG, ORDER, SHIRT
from tests.rules.texts import any_text

texts = st.one_of(st.sampled_from(["", "US", "Utah", "1 High St", "SMALL", "refunded", "shipped"]), any_text)
counts = st.one_of(st.none(), st.integers(0, 3))
items = st.builds(
    LineItem, id=st.sampled_from("123"), product_id=st.sampled_from([None, "101", "102"]), product_name=texts,
    option_id=st.none(), option_name=texts, quantity=counts, quantity_unshipped=counts,
)  # fmt: skip
orders = st.builds(
    BigCartelOrder,
    number=st.just("A-1"),
    payment_status=texts,
    shipping_status=texts,
    placed_at=st.none(),
    updated_at=st.none(),
    items=st.lists(items, max_size=3, unique_by=lambda item: item.id).map(tuple),
    labels=st.lists(texts, max_size=2).map(tuple),
    cancellations=st.lists(texts, max_size=2).map(tuple),
    address=st.builds(BigCartelAddress, address_1=texts, address_2=texts, state=texts, country_code=texts, zip=texts),
)


@given(orders)
def test_order_does_not_differ_from_itself(order: BigCartelOrder) -> None:
    assert difference(order, order) == ()


@settings(max_examples=50)
@given(orders, orders)
def test_the_way_back_is_the_same_change_reversed(one: BigCartelOrder, other: BigCartelOrder) -> None:
    there, back = difference(one, other), difference(other, one)

    assert len({change.field for change in there}) == len(there)
    assert {(c.field, c.before, c.after) for c in there} == {(c.field, c.after, c.before) for c in back}
    assert merged([*there, *back]) == ()


def _address(**fields: str) -> BigCartelOrder:
    return replace(ORDER, address=replace(ADDRESS, **fields))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (_address(address_1="2 Low Rd"), [("Street", "1 High St", "2 Low Rd")]),
        (_address(zip="84102", city="Provo"), [("City", "Salt Lake City", "Provo"), ("Postal code", "84101", "84102")]),
        (_address(state="Nevada"), [("State", "UT", "NV")]),
        (
            _address(country_code="CA", country_name="Canada", state="UT"),
            [("Country", "United States (US)", "Canada (CA)")],
        ),
        (_address(first_name="Bea"), [("First name", "Ana", "Bea")]),
        (replace(ORDER, items=(replace(SHIRT, quantity=3), MUG)), [("Quantity of Shirt (SMALL)", "2", "3")]),
        (replace(ORDER, items=(replace(SHIRT, option_name="LARGE"), MUG)), [("Option of Shirt", "SMALL", "LARGE")]),
        (replace(ORDER, items=(SHIRT,)), [("Quantity of Mug", "1", "0")]),
        (
            replace(ORDER, items=(SHIRT, MUG, replace(MUG, id="3", product_id="103", product_name="Tea Towel"))),
            [("Quantity of Tea Towel", "0", "1")],
        ),
        (replace(ORDER, items=(SHIRT, replace(MUG, quantity_unshipped=0))), [("Quantity of Mug", "1", "0")]),
        (replace(ORDER, payment_status="refunded"), [("Payment", "completed", "refunded")]),
        (replace(ORDER, shipping_status="shipped"), [("Order status", "unshipped", "shipped")]),
        (replace(ORDER, shipping_status="partially_shipped"), [("Order status", "unshipped", "partially shipped")]),
        (
            replace(ORDER, cancellations=("a refund is part of it",)),
            [("Cancellation or refund", "", "a refund is part of it")],
        ),
        (replace(ORDER, labels=("Express",)), [("Shipping rate", "Shipping to United States", "Express")]),
    ],
)  # fmt: skip
def test_change_is_named_as_people_say_it(after: BigCartelOrder, expected: list[tuple[str, str, str]]) -> None:
    assert [tuple(one) for one in difference(ORDER, after)] == expected


SHIPPED_LINES = tuple(replace(item, quantity_shipped=item.quantity, quantity_unshipped=0) for item in (SHIRT, MUG))


@pytest.mark.parametrize(
    "after",
    [
        replace(ORDER, items=(MUG, SHIRT)),
        replace(ORDER, items=(replace(SHIRT, id="9"), MUG)),
        replace(ORDER, items=(replace(SHIRT, quantity=1), MUG, replace(SHIRT, id="9", quantity=1))),
        replace(ORDER, note="Thanks!"),
        _address(address_1="  1 High\u200b St "),
        _address(state="UT"),
        _address(city=unicodedata.normalize("NFD", ADDRESS.city), phone="n/a"),
        replace(ORDER, labels=(" Shipping to  United States", "Shipping to United States")),
    ],
)  # fmt: skip
def test_what_the_parcel_does_not_depend_on_is_no_change(after: BigCartelOrder) -> None:
    assert difference(ORDER, after) == ()


def test_composed_letters_are_no_change() -> None:
    assert difference(_address(city="Orléans"), _address(city="Orle\u0301ans")) == ()


def test_marking_as_shipped_is_no_change_of_the_items() -> None:
    shipped = replace(ORDER, shipping_status="shipped", items=SHIPPED_LINES)

    assert [one.field for one in difference(ORDER, shipped)] == ["Order status"]


def test_changes_that_follow_each_other_are_merged() -> None:
    changes = [Difference("Street", "A", "B"), Difference("City", "X", "Y"), Difference("Street", "B", "C")]

    assert merged(changes) == (Difference("Street", "A", "C"), Difference("City", "X", "Y"))
    assert merged([*changes, Difference("Street", "C", "A")]) == (Difference("City", "X", "Y"),)


def test_a_country_spelled_in_another_way_is_no_change() -> None:
    assert difference(_address(country_name="United States"), _address(country_name="USA")) == ()


def test_a_product_that_is_called_something_else_is_no_change() -> None:
    assert difference(ORDER, replace(ORDER, items=(replace(SHIRT, product_name="Tee"), MUG))) == ()


def test_option_and_quantity_that_change_together_are_both_named() -> None:
    after = replace(ORDER, items=(replace(SHIRT, option_name="LARGE", quantity=3), MUG))

    assert [tuple(one) for one in difference(ORDER, after)] == [
        ("Quantity of Shirt (SMALL)", "2", "0"),
        ("Quantity of Shirt (LARGE)", "0", "3"),
    ]


@pytest.mark.parametrize("item_id", ["", "1"], ids=["no id", "the same id"])
def test_items_that_their_id_does_not_tell_apart_are_all_counted(item_id: str) -> None:
    before = replace(ORDER, items=(replace(SHIRT, id=item_id), replace(MUG, id=item_id)))
    after = replace(before, items=(replace(SHIRT, id=item_id, quantity=5), replace(MUG, id=item_id)))

    assert [tuple(one) for one in difference(before, after)] == [("Quantity of Shirt (SMALL)", "2", "5")]


def test_two_products_with_the_same_name_are_told_apart() -> None:
    twins = (replace(MUG, product_id="7"), replace(MUG, id="3", product_id="8"))
    before, after = (replace(ORDER, items=tuple(replace(one, quantity=n) for one in twins)) for n in (1, 2))

    assert [tuple(one) for one in difference(before, after)] == [
        ("Quantity of Mug", "1", "2"),
        ("Quantity of Mug (2)", "1", "2"),
    ]


def test_an_item_with_no_name_is_called_so() -> None:
    before, after = (replace(ORDER, items=(replace(MUG, product_name=" ", quantity=n),)) for n in (1, 2))

    assert [one.field for one in difference(before, after)] == ["Quantity of an item with no name"]


def test_a_status_that_speaks_of_a_refund_is_named_once() -> None:
    refunded = replace(ORDER, payment_status="refunded", cancellations=("“payment status” is “refunded”",))

    assert [tuple(one) for one in difference(ORDER, refunded)] == [("Payment", "completed", "refunded")]
