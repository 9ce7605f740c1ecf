"""`reconcile`: counts every store in the foreground, and says by its exit status whether everything matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def test_stores_that_match(sqlite_world: World) -> None:
    sqlite_world.sandbox.place_orders(count=2)
    sqlite_world.run()

    result = sqlite_world.cli("reconcile")

    assert result.exit_code == 0, result.output
    assert "2 orders unshipped and paid in Big Cartel: 2 at the warehouse" in result.output
    assert "Everything matches." in result.output


def test_order_that_nobody_accounts_for_is_named(sqlite_world: World) -> None:
    number = sqlite_world.sandbox.place_order()
    sqlite_world.run()
    sqlite_world.change_order(number, submitted_at=sqlite_world.order(number).first_seen_at.replace(year=2020))
    sqlite_world.sandbox.forget(number)

    result = sqlite_world.cli("reconcile", "--merchant-id", "816")

    assert result.exit_code == 1
    assert f"1 unaccounted for: {number}" in result.output
    counts = sqlite_world.store().reconciliation
    assert counts is not None
    assert counts.get("confirmed") == [number]


def test_store_that_can_not_be_counted(sqlite_world: World) -> None:
    sqlite_world.change_store(sealed_token="")

    result = sqlite_world.cli("reconcile")

    assert result.exit_code == 1
    assert "not counted" in result.output


def test_wrong_call(sqlite_world: World) -> None:
    assert sqlite_world.cli("reconcile", "--merchant-id", "x").exit_code == 2
    assert sqlite_world.cli("reconcile", "--merchant-id", "4").exit_code == 1
