"""The command line as a support person meets it: help, one sentence per error, no secrets, the story of an order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click import Group

from portal import create_app
from portal.extensions import db
from tests.conftest import settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result
    from flask import Flask

    from tests.fulfillment.world import World


@pytest.fixture
def world(small_world: World) -> World:
    """The database makes no difference here."""
    return small_world


OURS = ("users", "merchants", "services", "stores", "sync", "orders", "doctor")


def _commands() -> list[tuple[str, ...]]:
    app = create_app(settings_for("sqlite://"))
    found: list[tuple[str, ...]] = []
    for name in OURS:
        command = app.cli.commands[name]
        found.append((name,))
        if isinstance(command, Group):
            found += [(name, below) for below in command.commands]
    return found


def _fails_in_one_sentence(result: Result) -> None:
    assert result.exit_code in {1, 2}
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit), result.exception
    last = result.output.strip().splitlines()[-1]
    assert last.startswith("Error: "), result.output
    assert last.endswith((".", "add", "upgrade", "'.")), last


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = create_app(settings_for("sqlite://")).test_cli_runner().invoke(args=[*command, "--help"])

    assert result.exit_code == 0
    usage, _, rest = result.output.partition("\n\n")
    assert usage.startswith("Usage:")
    assert len(rest.split("Options:")[0].strip()) > 15


ADD = ("merchants", "add", "--name", "Shop", "--token-stdin")
CONNECT = ("stores", "connect", "--account-id", "55", "--token-stdin", "--merchant-id")
USER = ("users", "create", "--password-stdin", "--role")
WRONG: list[tuple[tuple[str, ...], str, str]] = [
    (("sync", "all", "--merchant-id", "999"), "", "There is no merchant 999"),
    (("sync", "poll", "--merchant-id", "999"), "", "There is no merchant 999"),
    (("merchants", "map", "--merchant-id", "999", "--domestic", "USPS_MEDIA"), "", "There is no merchant 999"),
    (("merchants", "map", "--merchant-id", "816", "--domestic", "NO_SUCH"), "", "NO_SUCH is no domestic service"),
    (("merchants", "map", "--merchant-id", "816", "--domestic", "EPGEPACKT"), "", "EPGEPACKT is no domestic service"),
    (("merchants", "map", "--merchant-id", "816"), "", "Give --domestic"),
    ((*ADD, "--merchant-id", "5"), "", "No Merchant Token came on standard input."),
    ((*ADD, "--merchant-id", "5"), " \n", "No Merchant Token came on standard input."),
    ((*ADD, "--merchant-id", "0"), "x", "0 is not in the range"),
    ((*ADD, "--merchant-id", "99999999999"), "x", "99999999999 is not in the range"),
    ((*ADD, "--merchant-id", "five"), "x", "'five' is not a valid integer"),
    ((*CONNECT, "816", "--start", "all"), "", "No access token came on standard input."),
    ((*CONNECT, "999", "--start", "all"), "x", "There is no merchant 999"),
    ((*CONNECT, "816", "--start", "yesterday"), "x", "yesterday is neither all, nor new, nor a date"),
    ((*CONNECT, "816", "--start", "2026-02-30"), "x", "2026-02-30 is neither all, nor new, nor a date"),
    ((*USER, "merchant", "a@b.example"), "longenough", "A merchant user needs --merchant-id"),
    ((*USER, "support", "nobody"), "long enough", "nobody is not an e-mail address."),
    ((*USER, "support", "a@b.example"), "short", "needs at least 10 characters"),
    ((*USER, "support", "a@b.example"), "", "No password came on standard input."),
    ((*USER, "merchant", "--merchant-id", "999", "a@b.example"), "long enough", "There is no merchant 999"),
    (("orders", "show", "NOPE-1"), "", "There is no order NOPE-1 here."),
    (("orders", "retry", "NOPE-1"), "", "There is no order NOPE-1 here."),
    (("orders", "close", "NOPE-1", "--reason", "x"), "", "There is no order NOPE-1 here."),
    (("orders", "close", "NOPE-1"), "", "Missing option '--reason'."),
    (("services", "verify", "--merchant-id", "999", "--sku", "X"), "", "There is no merchant 999"),
]


@pytest.mark.parametrize(("args", "stdin", "sentence"), WRONG, ids=[f"{a[0]}-{a[1]}-{s[:20]}" for a, _, s in WRONG])
def test_what_goes_wrong_is_one_sentence(small_world: World, args: tuple[str, ...], stdin: str, sentence: str) -> None:
    result = small_world.cli(*args, stdin=stdin)

    _fails_in_one_sentence(result)
    assert sentence in result.output


def test_a_shop_belongs_to_one_merchant(world: World) -> None:
    world.cli("merchants", "add", "--merchant-id", "900", "--name", "Other", "--token-stdin", stdin="t\n")

    result = world.cli(
        *("stores", "connect", "--merchant-id", "900", "--account-id", "1000001", "--start", "all", "--token-stdin"),
        stdin="t\n",
    )

    _fails_in_one_sentence(result)
    assert "is kept here for another merchant" in result.output


def _everything(app: Flask) -> list[Result]:
    runner = app.test_cli_runner()
    return [
        runner.invoke(args=args, input="secret-from-stdin\n")
        for args in (
            ["sync", "all"],
            ["stores", "list"],
            ["orders", "list"],
            ["orders", "show", "X"],
            ["merchants", "add", "--merchant-id", "5", "--name", "x", "--token-stdin"],
            ["users", "create", "a@b.example", "--role", "support", "--password-stdin"],
        )
    ]


def test_a_database_without_tables(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path / 'empty.sqlite3'}"))
    for result in _everything(app):
        _fails_in_one_sentence(result)
        assert "flask --app wsgi db upgrade" in result.output


def test_a_postgresql_database_without_tables(postgres_server: str) -> None:
    app = create_app(settings_for(postgres_server))
    for result in _everything(app):
        _fails_in_one_sentence(result)
        assert "flask --app wsgi db upgrade" in result.output
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/at/all.sqlite3", "sqlite:////etc/passwd", "postgresql://nobody@127.0.0.1:1/none"]
)
def test_a_database_that_does_not_answer(url: str) -> None:
    for result in _everything(create_app(settings_for(url))):
        _fails_in_one_sentence(result)
        assert "The database cannot be used" in result.output
        assert "secret-from-stdin" not in result.output


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

    _fails_in_one_sentence(unclear)
    assert "Say which with --merchant-id." in unclear.output
    assert "merchant 817" in clear.output


def test_one_wrong_number_does_not_keep_the_others_from_being_closed(world: World) -> None:
    first, second = world.sandbox.place_orders(count=2)
    world.poll()

    result = world.cli("orders", "close", first, "NOPE-1", second, "--reason", "gone")

    assert result.exit_code == 1
    assert "There is no order NOPE-1 here." in result.output
    assert set(world.states().values()) == {"closed"}


def test_sync_without_anybody(tmp_path: Path, sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    sync = app.test_cli_runner().invoke(args=["sync", "all"])
    stores = app.test_cli_runner().invoke(args=["stores", "list"])

    _fails_in_one_sentence(sync)
    assert "There is no merchant yet" in sync.output
    assert "No store is connected" in stores.output


@pytest.mark.usefixtures("impatient")
def test_doctor_says_what_is_wrong_part_by_part(world: World) -> None:
    def findings() -> dict[str, str]:
        result = world.cli("doctor")
        assert "Traceback" not in result.output
        assert isinstance(result.exception, SystemExit)
        assert "token-of-the-tests" not in result.output
        lines = [line[7:].partition(": ") for line in result.output.splitlines()]
        assert result.exit_code == (1 if "WRONG" in result.output else 0)
        return {part: problem for part, _, problem in lines}

    well = findings()
    assert well["Database"] == ""
    assert well["Merchant 816, warehouse"] == ""
    assert well["Merchant 816, shipping codes"] == ""
    assert well["Merchant 816, account 1000001"] == ""
    assert "it does not answer" in well["Redis"]
    assert "BIGCARTEL_CLIENT_ID" in well["Big Cartel app credentials"]

    world.sandbox.put_merchant("816", name="Example Shop", token="another")
    world.sandbox.put_account("1000001", tokens=[])
    world.change_merchant(domestic_service="")
    ill = findings()
    assert "Check the Merchant Token" in ill["Merchant 816, warehouse"]
    assert "Reconnect the store" in ill["Merchant 816, account 1000001"]
    assert "DOMESTIC_DEFAULT not mapped" in ill["Merchant 816, shipping codes"]
    assert world.merchant().credentials_refused_at is None

    world.settings = replace(
        world.settings, fcp_api_url="http://127.0.0.1:1/xml", bigcartel_api_url="http://127.0.0.1:1/v1"
    )
    world.forget_app()
    silent = findings()
    assert "did not take the connection" in silent["Merchant 816, warehouse"]
    assert "did not take the connection" in silent["Merchant 816, account 1000001"]


def test_doctor_without_tables_or_database(tmp_path: Path) -> None:
    for url, remedy in (
        (f"sqlite:///{tmp_path / 'empty.sqlite3'}", "db upgrade"),
        ("sqlite:////no/such/folder/at/all.sqlite3", "DATABASE_URL"),
    ):
        settings = replace(settings_for(url), redis_url="redis://127.0.0.1:1/0")
        result = create_app(settings).test_cli_runner().invoke(args=["doctor"])
        assert result.exit_code == 1
        assert isinstance(result.exception, SystemExit)
        assert remedy in next(line for line in result.output.splitlines() if "Database" in line)


def test_doctor_with_redis(sqlite_url: str, redis_url: str) -> None:
    settings = replace(settings_for(sqlite_url), redis_url=redis_url)
    result = create_app(settings).test_cli_runner().invoke(args=["doctor"])

    assert "ok     Redis\n" in result.output
    assert "python -m jobs.worker" in result.output


def test_secrets_that_are_no_text(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    result = app.test_cli_runner().invoke(
        args=["merchants", "add", "--merchant-id", "5", "--name", "x", "--token-stdin"], input=b"\xff\xfe\x80\n"
    )

    _fails_in_one_sentence(result)
