"""The set-up of a merchant on the command line, and the story of its orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fulfillment.commands import fails_in_one_sentence

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.fixture
def world(small_world: World) -> World:
    """The database makes no difference here."""
    return small_world


def test_a_shop_belongs_to_one_merchant(world: World) -> None:
    world.cli("merchants", "add", "--merchant-id", "900", "--name", "Other", "--token-stdin", stdin="t\n")

    result = world.cli(
        *("stores", "connect", "--merchant-id", "900", "--account-id", "1000001", "--start", "all", "--token-stdin"),
        stdin="t\n",
    )

    fails_in_one_sentence(result)
    assert "is kept here for another merchant" in result.output


def test_the_set_up_from_nothing_keeps_its_secrets(world: World) -> None:
    world.sandbox.put_account("55", tokens=["secret-shop-token"])
    world.sandbox.put_merchant("900", name="Other", token="secret-merchant-token")
    world.sandbox.put_product("9", name="Cup", description="SKU:CUP", account="55")
    number = world.sandbox.place_order(account="55", country="GB", state=None, items=[{"product": "9"}])

    results = [
        world.cli(
            *("merchants", "add", "--merchant-id", "900", "--name", "Other", "--token-stdin"),
            stdin="secret-merchant-token\n",
        ),
        world.cli("merchants", "map", "--merchant-id", "900", "--international", "EPGEPACKT"),
        world.cli(
            *("stores", "connect", "--merchant-id", "900", "--account-id", "55", "--start", "all", "--token-stdin"),
            stdin="secret-shop-token\n",
        ),
        world.cli(
            *("users", "create", "Owner@Shop.example", "--role", "merchant", "--merchant-id", "900"),
            "--password-stdin",
            stdin="secret password\n",
        ),
        world.cli("sync", "all", "--merchant-id", "900"),
        world.cli("stores", "list"),
        world.cli("orders", "list"),
        world.cli("orders", "show", number),
    ]

    assert [result.exit_code for result in results] == [0] * len(results), [one.output for one in results]
    assert "secret" not in "".join(result.output for result in results)
    assert world.sandbox.accepted("900") == {number: 1}
    twice = world.cli(
        *("users", "create", "owner@shop.example", "--role", "support", "--password-stdin"), stdin="x" * 12
    )
    assert "There is a user owner@shop.example already." in twice.output


@pytest.mark.parametrize("start", ["new", "2099-01-01"])
def test_only_orders_from_the_start_on_are_sent(world: World, start: str) -> None:
    old = world.sandbox.place_order(created_at="2026-01-01T00:00:00.000Z")
    connected = world.cli(
        *("stores", "connect", "--merchant-id", "816", "--account-id", "1000001", "--start", start, "--token-stdin"),
        stdin="shop-token-of-the-tests-1000001\n",
    )
    assert connected.exit_code == 0, connected.output

    world.cli("sync", "all")

    assert world.states() == {old: "held"}
    assert world.reasons(old) == {"before_start"}


def test_an_order_tells_its_story(world: World) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "cut_after")
    world.run()
    at_the_warehouse = world.cli("orders", "show", number).output
    world.sandbox.ship([number], tracking=["94001"], carrier="USPS", ship_date="2026-11-20")
    world.sandbox.fault("patch", "status", status=503)
    world.run()
    shipped = world.cli("orders", "show", number).output
    world.clock.forward(minutes=2)
    world.run()
    done = world.cli("orders", "show", number).output

    assert "At the warehouse" in at_the_warehouse
    assert "Shipped on 2026-11-20 by USPS; Big Cartel is being told." in shipped
    assert "Done" in done
    assert "Nothing is left to do." in done
    assert "Tracking: USPS 94001" in done
    assert "1 x Plain Mug: SKU MUG-01 from description" in done
    assert "DOMESTIC_DEFAULT → USPS_MEDIA" in done
    for kind in ("submit (schedule): unknown", "status (schedule): done", "mark_shipped (schedule): done"):
        assert kind in done
    assert "Ada" not in done


def test_the_list_is_filtered(world: World) -> None:
    held = world.sandbox.place_order(payment_status="unpaid")
    sent = world.sandbox.place_order()
    world.run()

    everything = world.cli("orders", "list").output
    only_held = world.cli("orders", "list", "--state", "held").output
    nobody = world.cli("orders", "list", "--merchant-id", "999").output

    assert held in everything
    assert sent in everything
    assert held in only_held
    assert "The payment is not completed" in only_held
    assert sent not in only_held
    assert nobody == "No order matches.\n"


def test_the_same_number_in_two_stores_needs_the_merchant(world: World) -> None:
    world.add_merchant(817, "1000002")
    for account in ("1000001", "1000002"):
        world.sandbox.place_order(account=account, number="SAME-000001", payment_status="unpaid")
    world.cli("sync", "poll")

    unclear = world.cli("orders", "show", "SAME-000001")
    clear = world.cli("orders", "show", "SAME-000001", "--merchant-id", "817")

    fails_in_one_sentence(unclear)
    assert "Say which with --merchant-id." in unclear.output
    assert "merchant 817" in clear.output


def test_one_wrong_number_does_not_keep_the_others_from_being_closed(world: World) -> None:
    first, second = world.sandbox.place_orders(count=2)
    world.poll()

    result = world.cli("orders", "close", first, "NOPE-1", second, "--reason", "gone")

    assert result.exit_code == 1
    assert "There is no order NOPE-1 here." in result.output
    assert set(world.states().values()) == {"closed"}
