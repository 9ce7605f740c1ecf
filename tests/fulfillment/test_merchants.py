"""Merchants never hold each other up. What stops one names the fix, and fixing it resumes where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.wording.stops import CHECK_CREDENTIALS, RECONNECT

if TYPE_CHECKING:
    from tests.fulfillment.world import World

OTHER, OTHER_ACCOUNT = 817, "1000002"


def _two(world: World) -> tuple[list[str], list[str]]:
    world.add_merchant(OTHER, OTHER_ACCOUNT)
    return (
        world.sandbox.place_orders(count=6, account="1000001"),
        world.sandbox.place_orders(count=6, account=OTHER_ACCOUNT),
    )


def test_rejected_credentials_stop_only_their_merchant(world: World) -> None:
    mine, others = _two(world)
    world.sandbox.put_merchant("816", name="Example Shop", token="another token")

    first = world.cli("sync", "all")
    for _ in range(3):
        world.clock.forward(hours=2)
        world.run()
    second = world.cli("sync", "all")

    assert first.exit_code == second.exit_code == 1
    assert CHECK_CREDENTIALS in first.output
    assert CHECK_CREDENTIALS in second.output
    assert world.sandbox.accepted() == dict.fromkeys(others, 1)
    calls = world.sandbox.calls("fcp", "816")
    assert calls["POST /xml/orders/"] == 1
    assert calls["POST /xml/inventory/"] <= 4, "one check before it stops, then one at each of three turns"
    assert CHECK_CREDENTIALS in world.cli("stores", "list").output
    assert {world.states()[number] for number in mine} == {"ready"}

    token = world.cli("merchants", "add", "--merchant-id", "816", "--name", "Example Shop", "--token-stdin", stdin="x")
    assert token.exit_code == 0
    assert world.sandbox.calls("fcp", "816") == calls
    world.cli(
        "merchants", "add", "--merchant-id", "816", "--name", "Example Shop", "--token-stdin", stdin="another token\n"
    )
    fixed = world.cli("sync", "all")

    assert fixed.exit_code == 0, fixed.output
    assert world.sandbox.accepted() == dict.fromkeys(mine + others, 1)


def test_credentials_rejected_while_tracking_stop_the_merchant(world: World) -> None:
    (number,) = world.sandbox.place_orders(count=1)
    world.run()
    world.sandbox.put_merchant("816", name="Example Shop", token="another token")
    world.sandbox.clear_calls()

    problems = [world.track().problems for _ in range(3)]

    assert all(problem.startswith(CHECK_CREDENTIALS) for (problem,) in problems)
    assert 'The warehouse said: "Invalid MerchantToken"' in problems[1][0]
    assert world.sandbox.calls("fcp") == {"POST /xml/status/": 1, "POST /xml/inventory/": 1}
    assert world.states() == {number: "submitted"}
    world.sweep()
    assert world.sandbox.calls("fcp") == {"POST /xml/status/": 1, "POST /xml/inventory/": 1}


def test_revoked_token_stops_only_its_store(world: World) -> None:
    mine, others = _two(world)
    world.sandbox.put_account("1000001", tokens=["another token"])

    first = world.cli("sync", "all")
    second = world.cli("sync", "all")
    for _ in range(3):
        world.clock.forward(hours=2)
        world.run()

    assert first.exit_code == second.exit_code == 1
    assert RECONNECT in first.output
    assert RECONNECT in second.output
    assert RECONNECT in world.cli("stores", "list").output
    assert sum(world.sandbox.calls("bigcartel", "1000001").values()) == 1
    assert world.sandbox.accepted() == dict.fromkeys(others, 1)

    connected = world.cli(
        *("stores", "connect", "--merchant-id", "816", "--account-id", "1000001", "--start", "all", "--token-stdin"),
        stdin="another token\n",
    )
    assert connected.exit_code == 0, connected.output
    assert world.cli("sync", "all").exit_code == 0
    assert world.sandbox.accepted() == dict.fromkeys(mine + others, 1)


def test_token_revoked_before_orders_are_marked_shipped_is_used_once(world: World) -> None:
    numbers = world.sandbox.place_orders(count=12)
    world.run()
    world.sandbox.ship_all()
    world.sandbox.put_account("1000001", tokens=["another token"])
    world.sandbox.clear_calls()

    world.track()
    tracked = world.track()

    assert RECONNECT in tracked.problems
    assert sum(world.sandbox.calls("bigcartel").values()) == 1
    assert set(world.states().values()) == {"shipped"}

    world.cli(
        *("stores", "connect", "--merchant-id", "816", "--account-id", "1000001", "--start", "all", "--token-stdin"),
        stdin="another token\n",
    )
    world.track()
    assert world.sandbox.patches() == dict.fromkeys(numbers, 1)


FCP_FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 500}),
    ("status", {"status": 503, "retry_after": "1"}),
    ("hang_before", {}),
    ("reset_before", {}),
    ("throttle", {"retry_after": "600"}),
    ("html", {}),
]


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize(("kind", "details"), FCP_FAULTS, ids=[f"{k}-{len(d)}" for k, d in FCP_FAULTS])
def test_failing_warehouse_of_one_merchant_does_not_stop_the_other(
    sqlite_world: World, kind: str, details: dict[str, Any]
) -> None:
    world = sqlite_world
    mine, others = _two(world)
    world.sandbox.fault("any", kind, side="fcp", merchant="816", times=None, **details)

    for _ in range(3):
        world.run(816, "1000001")
        world.run(OTHER, OTHER_ACCOUNT)
        world.clock.forward(seconds=70)

    assert world.sandbox.accepted() == dict.fromkeys(others, 1)
    assert {world.states()[number] for number in others} == {"submitted"}
    calls = sum(world.sandbox.calls("fcp", "816").values())
    assert calls <= 12

    world.sandbox.clear_faults()
    world.run_until_settled(4)
    assert world.sandbox.accepted() == dict.fromkeys(mine + others, 1)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("kind", ["status", "hang", "reset_before", "html", "throttle", "unauthorized"])
def test_failing_store_of_one_merchant_does_not_stop_the_other(sqlite_world: World, kind: str) -> None:
    world = sqlite_world
    mine, others = _two(world)
    world.sandbox.fault("any", kind, side="bigcartel", account="1000001", times=None)

    for _ in range(3 if kind == "hang" else 7):
        world.run(816, "1000001")
        world.run(OTHER, OTHER_ACCOUNT)
    world.sandbox.ship_all()
    world.run(OTHER, OTHER_ACCOUNT)

    assert world.sandbox.accepted() == dict.fromkeys(others, 1)
    assert world.sandbox.patches() == dict.fromkeys(others, 1)
    assert all(number not in world.states() for number in mine)


@pytest.mark.usefixtures("short_timeouts")
def test_unexpected_error_for_one_merchant_does_not_stop_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, others = _two(world)
    from portal.fulfillment.poll import run  # noqa: PLC0415 - only patched here

    real = vars(run)["import_orders"]

    def import_orders(poll: Any) -> Any:
        if poll.store.account_id == "1000001":
            raise ZeroDivisionError
        return real(poll)

    monkeypatch.setattr(run, "import_orders", import_orders)

    result = world.cli("sync", "all")

    assert result.exit_code == 1
    assert "merchant 816: unexpected error" in result.output
    assert world.sandbox.accepted() == dict.fromkeys(others, 1)


def test_lost_token_key_is_reported_without_a_traceback(world: World) -> None:
    from dataclasses import replace  # noqa: PLC0415 - only used here

    from cryptography.fernet import Fernet  # noqa: PLC0415 - only used here

    number = world.sandbox.place_order()
    world.settings = replace(world.settings, token_keys=(Fernet.generate_key().decode(),))

    result = world.cli("sync", "all")
    doctor = world.cli("doctor")
    verify = world.cli("services", "verify", "--merchant-id", "816", "--sku", "MUG-01")

    for one in (result, doctor, verify):
        assert one.exit_code == 1
        assert "TOKEN_KEYS" in one.output
        assert "Traceback" not in one.output
        assert one.exception is None or isinstance(one.exception, SystemExit)
    assert number not in world.states()
