"""The option's current name, found by its id, ends the SKU; an option that is gone holds the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.models import SkuOverride
from tests.fulfillment.world import BY_PERSON

if TYPE_CHECKING:
    from tests.fulfillment.world import World

pytestmark = pytest.mark.usefixtures("short_timeouts")
SMALL, LARGE = {"id": "50601", "name": "Small"}, {"id": "50602", "name": "Large"}


@pytest.fixture
def world(sqlite_world: World) -> World:
    """SQLite only: the database makes no difference here."""
    world = sqlite_world
    _put(world, SMALL, LARGE)
    return world


def _put(world: World, *options: dict[str, str], description: str = "SKU:SOCK-") -> None:
    world.sandbox.put_product("506", name="Sock", description=description, options=options)


def _skus(world: World, number: str) -> list[str]:
    return [item["sku"] for item in world.sandbox.received()[number]["items"]]


def _place(world: World, option: str, **fields: Any) -> str:
    number: str = world.sandbox.place_order(items=[{"product": "506", "option": option, **fields}])
    return number


def test_renamed_option_is_sent_with_its_current_name(world: World) -> None:
    number = _place(world, "Small")
    _put(world, {**SMALL, "name": "SMALL"}, LARGE)

    world.run()

    assert _skus(world, number) == ["SOCK-SMALL"]
    assert [(line["option"], line.get("option_id")) for line in world.order(number).lines] == [("SMALL", "50601")]


def test_options_that_swapped_their_names_keep_their_ids(world: World) -> None:
    number = _place(world, "Small")
    _put(world, {**SMALL, "name": "Large"}, {**LARGE, "name": "Small"})

    world.run()

    assert _skus(world, number) == ["SOCK-Large"]


def test_option_renamed_while_the_order_waited(world: World) -> None:
    number = _place(world, "Small")
    world.poll()
    world.clock.forward(minutes=6)
    _put(world, {**SMALL, "name": "SMALL"}, LARGE)

    world.submit()

    assert _skus(world, number) == ["SOCK-SMALL"]


@pytest.mark.parametrize("is_waiting", [False, True], ids=["before the first sync", "while it waited"])
@pytest.mark.parametrize("left", [(), (LARGE,), (LARGE, {"id": "50699", "name": "Small"})], ids=len)
def test_option_that_is_gone_holds_the_order(
    world: World, left: tuple[dict[str, str], ...], *, is_waiting: bool
) -> None:
    """Even if another option has its name now: it may be another thing."""
    number = _place(world, "Small")
    if is_waiting:
        world.poll()
        world.clock.forward(minutes=6)
    _put(world, *left, description="SKU:BAG")

    world.run()

    assert (world.states(), world.reasons(number)) == ({number: "held"}, {"option_gone"})
    assert world.sandbox.posted() == {}


def test_restoring_the_option_releases_the_order(world: World) -> None:
    number = _place(world, "Small")
    _put(world, LARGE)
    world.run()
    _put(world, {**SMALL, "name": "S"}, LARGE)
    world.clock.forward(minutes=1)

    world.run()

    assert _skus(world, number) == ["SOCK-S"]


def test_sku_set_by_hand_for_the_option_that_is_gone_releases_the_order(world: World) -> None:
    number = _place(world, "Small")
    _put(world, LARGE)
    world.run()
    with world.session() as session:
        session.add(
            SkuOverride(
                store_id=world.store().id, product_id="506", option_id="50601", sku="OLD-S",
                set_by="x", set_at=world.clock(),
            )
        )  # fmt: skip
        session.commit()
    world.change_merchant()

    world.run()

    assert _skus(world, number) == ["OLD-S"]


def test_rejected_order_is_retried_with_the_renamed_option(world: World) -> None:
    _put(world, SMALL, LARGE, description="SKU:SHIRT-")
    number = _place(world, "Large")
    world.sandbox.fault("submit", "refuse", words="Invalid SKU: SHIRT-Large", order=number)
    world.run()
    assert world.states() == {number: "rejected"}
    world.sandbox.clear_faults()
    _put(world, SMALL, {**LARGE, "name": "LARGE"}, description="SKU:SHIRT-")

    assert world.cli("orders", "retry", number, "--reason", "Renamed.").exit_code == 0
    world.submit(context=BY_PERSON)

    assert _skus(world, number) == ["SHIRT-LARGE"]


def test_retry_of_an_order_whose_option_is_gone_holds_it(world: World) -> None:
    number = _place(world, "Large")
    world.sandbox.fault("submit", "refuse", words="Invalid SKU: SOCK-Large", order=number)
    world.run()
    world.sandbox.clear_faults()
    _put(world, SMALL)

    world.cli("orders", "retry", number, "--reason", "Removed.")

    assert (world.states(), world.reasons(number)) == ({number: "held"}, {"option_gone"})


@pytest.mark.parametrize(
    ("name", "sku"), [("Small", "SOCK-Small"), ("Large", "SOCK-Large"), ("small", ""), ("Medium", "")]
)
def test_item_without_an_option_id_is_found_by_its_exact_name(world: World, name: str, sku: str) -> None:
    """Older answers have no option id. A name that no option has, or only in other letters, is not guessed."""
    number = _place(world, "none of them", attributes={"product_option_name": name})

    world.run()

    assert [line.get("option_id") for line in world.order(number).lines] == [None]
    if sku:
        assert _skus(world, number) == [sku]
    else:
        assert (world.states(), world.reasons(number)) == ({number: "held"}, {"option_gone"})


def test_name_of_two_options_is_not_guessed(world: World) -> None:
    _put(world, SMALL, {**LARGE, "name": "Small"})
    number = _place(world, "none of them", attributes={"product_option_name": "Small"})

    world.run()

    assert (world.states(), world.reasons(number)) == ({number: "held"}, {"option_gone"})


def test_item_without_any_option_of_a_product_without_options_is_sent(world: World) -> None:
    _put(world, description="SKU:SOCK")
    number = _place(world, "none of them", attributes={"product_option_name": ""})

    world.run()

    assert _skus(world, number) == ["SOCK"]
