"""An order is found from the moment it is stored until its buyer's data is purged, by what it is then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select

from portal.actions import buyers
from portal.clients.bigcartel_types import BigCartelAddress
from portal.fulfillment import search_rows
from portal.fulfillment.order_edits import stored_address
from portal.fulfillment.purge import purge
from portal.models import Order, OrderSearch
from portal.rules.search_words import read_query
from tests.fulfillment.test_buyers import completed
from tests.fulfillment.test_privacy import BUYER
from tests.fulfillment.test_work_per_order import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fulfillment.world import World

PERSONAL = ("xanthippe", "quillfeather", "xanthippe@quill.example")


def found(world: World, typed: str) -> set[str]:
    query = read_query(typed)
    with world.session() as session:
        rows = session.execute(select(Order.number, OrderSearch.terms).join(OrderSearch)).all()
    return {row.number for row in rows if query.matches(row.terms.split())}


def fill(world: World) -> int:
    with world.session() as session:
        return sum(search_rows.fill(session))


def test_new_orders_are_found_at_once(world: World) -> None:
    number = world.sandbox.place_order(**BUYER, items=[{"product": "1"}])
    world.sandbox.place_order()
    with statements(world) as ran:
        world.poll()
    assert len([one for one in ran if one.startswith("INSERT INTO order_search")]) == 1
    for typed in (*PERSONAL, number, number.lower().replace("-", ""), "QUILL"):
        assert found(world, typed) == {number}, typed
    assert number in found(world, "mug-01")


def test_an_order_is_found_by_what_it_is_changed_to(world: World) -> None:
    number = world.sandbox.place_order(**BUYER)
    world.poll()
    world.clock.forward(minutes=2)
    world.sandbox.edit_order(number, customer_last_name="Marchbanks")
    world.poll()
    assert found(world, "marchbanks") == {number}
    assert found(world, "quillfeather") == set()


def test_a_change_after_sending_counts_too(world: World) -> None:
    number = world.sandbox.place_order(**BUYER)
    world.run()
    world.clock.forward(minutes=2)
    world.sandbox.edit_order(number, customer_last_name="Marchbanks")
    world.poll()
    assert found(world, "marchbanks") == {number}


def test_a_sent_order_is_found_by_its_tracking_number(world: World) -> None:
    number = completed(world, **BUYER)
    tracking_number = world.order(number).tracking_numbers[0]
    assert found(world, tracking_number) == {number}


def _purge(world: World) -> None:
    world.clock.forward(days=100)
    with world.session() as session:
        sum(purge(session, days=90, now=world.clock()))


def _erase(world: World) -> None:
    with world.session() as session:
        buyers.erase(session, BUYER["email"], actor="ana@fern.example", reason="asked", now=world.clock())


@pytest.mark.parametrize("forget", [_purge, _erase])
def test_a_forgotten_buyer_is_not_found(world: World, forget: Callable[[World], None]) -> None:
    number = completed(world, **BUYER)
    tracking_number = world.order(number).tracking_numbers[0]
    forget(world)
    assert [found(world, typed) for typed in PERSONAL] == [set()] * 3
    assert found(world, number) == found(world, tracking_number) == {number}
    fill(world)
    assert found(world, "quillfeather") == set()


def test_orders_of_an_older_version_are_filled_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_rows, "BATCH", 2)
    monkeypatch.setattr(search_rows, "RECENT", 3)
    numbers = {world.sandbox.place_order(**BUYER) for _ in range(9)}
    world.poll()
    with world.session() as session:
        session.execute(delete(OrderSearch))
        session.commit()
    # A change to an order without a row must not make fill() believe that it came that far.
    world.clock.forward(minutes=2)
    world.sandbox.edit_order(min(numbers), customer_last_name="Marchbanks")
    world.poll()
    assert found(world, "xanthippe") == set()
    with world.session() as session:
        assert next(iter(search_rows.fill(session))) == 2  # and then the job is stopped
    assert fill(world) == 7
    assert found(world, "xanthippe") == numbers
    with statements(world) as ran:
        assert fill(world) == 0
    assert not [one for one in ran if one.startswith(("INSERT", "UPDATE"))]


def test_gaps_that_an_older_version_left_are_filled_in(world: World) -> None:
    numbers = [world.sandbox.place_order(**BUYER) for _ in range(3)]
    world.poll()
    gone = world.order(numbers[1]).id
    with world.session() as session:
        session.execute(delete(OrderSearch).where(OrderSearch.order_id == gone))
        session.commit()
    assert fill(world) == 1
    assert found(world, "xanthippe") == set(numbers)


def test_the_words_go_with_the_order(world: World) -> None:
    world.sandbox.place_order(**BUYER)
    world.poll()
    with world.session() as session:
        session.execute(delete(Order))
        session.commit()
        assert session.scalars(select(OrderSearch.order_id)).all() == []


def test_a_buyer_is_found_by_the_name_that_people_corrected(world: World) -> None:
    number = world.sandbox.place_order(**BUYER)
    world.poll()
    address = stored_address(BigCartelAddress(first_name="Xanthippe", last_name="Quillfether"))
    world.change_order(number, edits={"address": {"address": address, "instead_of": address}})
    with world.session() as session:
        search_rows.refresh(session, [world.order(number).id])
        session.commit()
    assert found(world, "quillfether") == found(world, "quillfeather") == {number}
