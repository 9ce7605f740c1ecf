"""Malformed orders: wrong types, odd characters, missing numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.jsonapi import parse_json

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def test_orders_without_a_number_are_counted_and_block_no_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    good = world.sandbox.place_order()
    world.sandbox.place_order(number="GONE-000001")
    _change_listed_orders(monkeypatch, lambda entry: entry.pop("id") if entry["id"] == "GONE-000001" else None)

    result = world.cli("sync", "all")

    assert result.exit_code == 1
    assert "1 order without an order number can't be sent" in result.output
    assert world.sandbox.accepted() == {good: 1}


WRONG_VALUES: list[object] = [None, 7, 1.5, True, [], {}, [{}], "", "\x00", "\ud800", {"id": None}]


ODD_FIELDS = (
    *("payment_status", "shipping_address_1", "shipping_city", "shipping_state", "shipping_zip", "shipping_country_id"),
    *("customer_first_name", "customer_last_name", "customer_email", "customer_note", "total"),
    *("created_at", "updated_at", "completed_at"),
)


def test_orders_with_wrong_types_are_held_and_the_others_are_sent(world: World) -> None:
    odd = [world.sandbox.place_order(attributes=dict.fromkeys(ODD_FIELDS, wrong)) for wrong in WRONG_VALUES]
    good = world.sandbox.place_order()

    polled = world.poll()
    world.run()

    assert polled.problem == ""
    assert world.sandbox.accepted() == {good: 1}
    assert world.states() == dict.fromkeys(odd, "held") | {good: "submitted"}
    for number in odd:
        shown = world.cli("orders", "show", number)
        assert shown.exit_code == 0, shown.output
        assert "On hold" in shown.output


def test_unreadable_quantity_is_never_guessed(sqlite_world: World) -> None:
    wrong: list[object] = [None, "three", 0, -1, 2.5, True, [], {}]
    numbers = [sqlite_world.sandbox.place_order(items=[{"attributes": {"quantity": one}}]) for one in wrong]

    sqlite_world.run()

    assert sqlite_world.states() == dict.fromkeys(numbers, "held")
    assert all("unknown_value" in sqlite_world.reasons(number) for number in numbers)
    assert sqlite_world.sandbox.posted() == {}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2999-01-01T00:00:00+14:00"])
def test_impossible_update_time_does_not_stop_polls(world: World, moment: str) -> None:
    world.sandbox.place_order(updated_at=moment)
    assert world.poll().problem == ""

    later = world.sandbox.place_order()
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.accepted().get(later) == 1


ODD_TEXTS = ["Zoë\x00Null", "half \ud83d pair", "\udfff", "tab\tand\nline", "😀 & <b>", "\x0b\x1f bell"]


def test_odd_characters_do_not_damage_the_rest_of_an_address(world: World) -> None:
    numbers = [
        world.sandbox.place_order(first_name=text, address_1=f"1 {text} Street", note=text, email=text)
        for text in ODD_TEXTS
    ]

    world.run()
    world.sandbox.ship_all()
    world.run()

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    for number in numbers:
        address = world.sandbox.received()[number]["address"]["Address1"]
        assert address.startswith("1 ")
        assert address.endswith(" Street")
        assert world.cli("orders", "show", number).exit_code == 0
    assert world.states() == dict.fromkeys(numbers, "completed")


def test_odd_characters_in_an_option_do_not_stop_orders_for_other_options(world: World) -> None:
    odd, plain = [], []
    for product, text in enumerate(("\x00", "\ud800", "a\x00b", "\udfff\udfff"), start=7):
        options = [f"L{text}", "M"]
        world.sandbox.put_product(
            str(product), name=f"Tee {text}", description=f"{text} soft\n\nSKU:TEE-", options=options
        )
        odd.append(world.sandbox.place_order(items=[{"product": str(product), "option": options[0]}]))
        plain.append(world.sandbox.place_order(items=[{"product": str(product), "option": "M"}]))

    polled = world.poll()
    world.run()

    assert polled.problem == ""
    assert all(world.states()[number] == "submitted" for number in plain)
    assert all(world.states()[number] in {"held", "submitted"} for number in odd)
    assert all(world.cli("orders", "show", number).exit_code == 0 for number in odd)


def test_order_with_surrogates_as_raw_bytes_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = world.sandbox.place_order(first_name="MARK1")
    world.sandbox.put_product("1", name="MARK1", description="MARK1 SKU:MUG-01")
    real = parse_json
    monkeypatch.setattr(
        "portal.clients.bigcartel.parse_json", lambda body: real(body.replace(b"MARK1", b"\xed\xa0\x80"))
    )

    polled = world.poll()
    monkeypatch.undo()
    world.submit()

    assert polled.problem == ""
    assert world.sandbox.accepted() == {number: 1}


def _change_listed_orders(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Apply ``change`` to every entry of every order list."""
    real = parse_json

    def parse(body: bytes) -> Any:
        page = real(body)
        for entry in page["data"] if isinstance(page.get("data"), list) else ():
            change(entry)
        return page

    monkeypatch.setattr("portal.clients.bigcartel.parse_json", parse)
