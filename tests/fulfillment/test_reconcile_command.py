"""`reconcile`: counts every store in the foreground, and says by its exit status whether everything matches."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from portal.clock import utc_now
from portal.fulfillment.poll import recount
from portal.fulfillment.poll.run import poll_store
from portal.models import Merchant
from tests.fulfillment.commands import fails_in_one_sentence
from tests.outages import database_away

if TYPE_CHECKING:
    from portal.fulfillment.poll.context import PollResult
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


def _completed_but_listed(world: World) -> str:
    """Return the number of an order that Big Cartel lists as unshipped after we marked it as shipped."""
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.run()
    world.sandbox.edit_order(number, shipping_status="unshipped")
    return number


def test_remainder_that_is_gone_in_the_second_count(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = _completed_but_listed(sqlite_world)
    counts = []

    def count(*args: Any, **kwargs: Any) -> PollResult:
        result = poll_store(*args, **kwargs)
        counts.append(recount.remainder(sqlite_world.store().reconciliation or pytest.fail("not counted")))
        sqlite_world.sandbox.edit_order(number, shipping_status="shipped")
        return result

    # As an attribute of its package, the command has the name of its module.
    monkeypatch.setattr(import_module("portal.cli.reconcile"), "poll_store", count)
    result = sqlite_world.cli("reconcile")

    assert counts == [[number], []]
    assert result.exit_code == 0
    assert "Everything matches." in result.output
    assert number not in result.output


def test_order_not_marked_in_big_cartel_is_named(sqlite_world: World) -> None:
    number = _completed_but_listed(sqlite_world)

    result = sqlite_world.cli("reconcile")

    assert result.exit_code == 1
    assert f"1 unaccounted for: {number}" in result.output


@pytest.mark.parametrize("fault", ["unauthorized", "status"], ids=["token revoked", "not answering"])
def test_store_that_can_not_be_counted(sqlite_world: World, fault: str) -> None:
    sqlite_world.sandbox.place_order()
    sqlite_world.sweep()
    sqlite_world.sandbox.fault("orders", fault, side="bigcartel", times=None)

    result = sqlite_world.cli("reconcile")

    assert result.exit_code == 1
    assert "not counted. " in result.output
    assert "Everything matches." not in result.output
    assert "Traceback" not in result.output


def test_disconnected_store(sqlite_world: World) -> None:
    sqlite_world.change_store(sealed_token="")

    result = sqlite_world.cli("reconcile")

    assert result.exit_code == 1
    assert "not counted. " in result.output


def test_warehouse_that_can_not_be_asked(sqlite_world: World) -> None:
    sqlite_world.sandbox.place_order()
    sqlite_world.run()
    sqlite_world.sandbox.fault("status", "status", times=None)

    result = sqlite_world.cli("reconcile")

    assert result.exit_code == 1
    assert "The warehouse couldn't be asked, so this is based on its last answers." in result.output
    assert "Everything matches." not in result.output


def test_one_store_that_does_not_match_decides_and_merchants_can_be_counted_alone(sqlite_world: World) -> None:
    sqlite_world.add_merchant(817, "1000002")
    sqlite_world.change_store(sealed_token="")

    everyone = sqlite_world.cli("reconcile")
    alone = sqlite_world.cli("reconcile", "--merchant-id", "817")

    assert everyone.exit_code == 1
    assert "merchant 817" in everyone.output
    assert "not counted" in everyone.output
    assert alone.exit_code == 0
    assert "merchant 816" not in alone.output


def test_nothing_to_count(sqlite_world: World) -> None:
    fails_in_one_sentence(sqlite_world.cli("reconcile", "--merchant-id", "4"))
    with sqlite_world.session() as session:
        session.add(Merchant(id=4, name="M", sealed_token="", rules_changed_at=utc_now(), created_at=utc_now()))
        session.commit()

    result = sqlite_world.cli("reconcile", "--merchant-id", "4")

    fails_in_one_sentence(result)
    assert result.exit_code == 1
    assert "No store is connected, so there is nothing to count." in result.output


def test_wrong_call(sqlite_world: World) -> None:
    for wrong in (["--merchant-id", "x"], ["--merchant-id", "0"], ["--store", "1"], ["816"]):
        assert sqlite_world.cli("reconcile", *wrong).exit_code == 2, wrong
    unknown = sqlite_world.cli("reconcile", "--merchant-id", "4")
    assert unknown.exit_code == 1
    assert "There is no merchant 4." in unknown.output


def test_database_that_is_away(world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.database.BUSY_SECONDS", 0.05)
    world.sandbox.place_order()
    assert world.cli("reconcile").exit_code == 0
    world.forget_app()

    with database_away(world.settings.database_url, lambda: str(request.getfixturevalue("postgres_server"))):
        result = world.cli("reconcile")

    fails_in_one_sentence(result)
    assert result.exit_code == 1
    assert "Couldn't access the database." in result.output
    world.forget_app()
    assert world.cli("reconcile").exit_code == 0
