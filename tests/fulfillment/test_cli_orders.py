"""Setting up a merchant and following its orders on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fulfillment.commands import fails_in_one_sentence

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.fixture
def world(sqlite_world: World) -> World:
    """SQLite only: the database makes no difference here."""
    return sqlite_world


def test_store_cannot_be_connected_to_a_second_merchant(world: World) -> None:
    world.cli("merchants", "add", "--merchant-id", "900", "--name", "Other", "--token-stdin", stdin="t\n")

    result = world.cli(
        *("stores", "connect", "--merchant-id", "900", "--account-id", "1000001", "--start", "all", "--token-stdin"),
        stdin="t\n",
    )

    fails_in_one_sentence(result)
    assert "belongs to another merchant" in result.output


def test_setup_from_scratch_never_prints_secrets(world: World) -> None:
    world.sandbox.put_account("55", tokens=["secret-store-token"])
    world.sandbox.put_merchant("900", name="Other", token="secret-merchant-token")
    world.sandbox.put_product("9", name="Cup", description="SKU:CUP", account="55")
    number = world.sandbox.place_order(account="55", country="GB", state=None, zip="M2 5BQ", items=[{"product": "9"}])

    results = [
        world.cli(
            *("merchants", "add", "--merchant-id", "900", "--name", "Other", "--token-stdin"),
            stdin="secret-merchant-token\n",
        ),
        world.cli("merchants", "map", "--merchant-id", "900", "--international", "EPGEPACKT"),
        world.cli(
            *("stores", "connect", "--merchant-id", "900", "--account-id", "55", "--start", "all", "--token-stdin"),
            stdin="secret-store-token\n",
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
    assert "A user with the email owner@shop.example already exists." in twice.output


@pytest.mark.parametrize("start", ["new", "2099-01-01"])
def test_orders_placed_before_the_start_are_held(world: World, start: str) -> None:
    old = world.sandbox.place_order(created_at="2026-01-01T00:00:00.000Z")
    connected = world.cli(
        *("stores", "connect", "--merchant-id", "816", "--account-id", "1000001", "--start", start, "--token-stdin"),
        stdin="store-token-of-the-tests-1000001\n",
    )
    assert connected.exit_code == 0, connected.output

    world.cli("sync", "all")

    assert world.states() == {old: "held"}
    assert world.reasons(old) == {"before_start"}


def test_show_follows_an_order_to_completion(world: World) -> None:
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
    assert "Shipped on 2026-11-20 by USPS. We're updating Big Cartel." in shipped
    assert "Complete" in done
    assert "marked as shipped in Big Cartel." in done
    assert "Tracking: USPS 94001" in done
    assert "1 x Plain Mug: SKU MUG-01 from description" in done
    assert "DOMESTIC_DEFAULT → USPS_MEDIA" in done
    for kind in (
        "Send order (automatic): Unclear answer",
        "Status check (automatic): Succeeded",
        "Update Big Cartel (automatic): Succeeded",
    ):
        assert kind in done
    assert "Ada" not in done


def test_list_filters_by_state_and_merchant(world: World) -> None:
    held = world.sandbox.place_order(payment_status="unpaid")
    sent = world.sandbox.place_order()
    world.run()

    everything = world.cli("orders", "list").output
    only_held = world.cli("orders", "list", "--state", "held").output
    newest = world.cli("orders", "list", "--limit", "1")
    no_orders = world.cli("orders", "list", "--merchant-id", "999").output

    assert held in everything
    assert sent in everything
    assert held in only_held
    assert "Payment not completed" in only_held
    assert sent not in only_held
    assert sent in newest.stdout
    assert held not in newest.stdout
    assert newest.stderr == "More orders match. Raise --limit to see them.\n"
    assert no_orders == "No orders match.\n"


def test_number_in_two_stores_needs_the_merchant(world: World) -> None:
    world.add_merchant(817, "1000002")
    for account in ("1000001", "1000002"):
        world.sandbox.place_order(account=account, number="SAME-000001", payment_status="unpaid")
    world.cli("sync", "poll")

    ambiguous = world.cli("orders", "show", "SAME-000001")
    unique = world.cli("orders", "show", "SAME-000001", "--merchant-id", "817")

    fails_in_one_sentence(ambiguous)
    assert "Add --merchant-id to choose one." in ambiguous.output
    assert "merchant 817" in unique.output


def test_unknown_number_does_not_stop_the_other_orders_from_closing(world: World) -> None:
    first, second = world.sandbox.place_orders(count=2)
    world.poll()

    result = world.cli("orders", "close", first, "NOPE-1", second, "--reason", "gone")

    assert result.exit_code == 1
    assert "There is no order NOPE-1." in result.output
    assert set(world.states().values()) == {"closed"}
