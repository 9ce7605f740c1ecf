"""Every command explains itself, reports an error in one sentence and never prints a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click import Group

from portal import create_app
from portal.extensions import db
from tests.conftest import settings_for
from tests.fulfillment.commands import fails_in_one_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result
    from flask import Flask

    from tests.fulfillment.world import World


OURS = ("users", "merchants", "services", "stores", "sync", "orders", "keys", "doctor")


def _commands() -> list[tuple[str, ...]]:
    app = create_app(settings_for("sqlite://"))
    found: list[tuple[str, ...]] = []
    for name in OURS:
        command = app.cli.commands[name]
        found.append((name,))
        if isinstance(command, Group):
            found += [(name, subcommand) for subcommand in command.commands]
    return found


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = create_app(settings_for("sqlite://")).test_cli_runner().invoke(args=[*command, "--help"])

    assert result.exit_code == 0
    usage, _, rest = result.output.partition("\n\n")
    assert usage.startswith("Usage:")
    assert len(rest.split("Options:")[0].strip()) > 15


ADD = ("merchants", "add", "--name", "Shop", "--token-stdin")


CONNECT = ("stores", "connect", "--account-id", "55", "--token-stdin", "--merchant-id")


ODD = "--account-id is not a Big Cartel account ID. It is a number"


USER = ("users", "create", "--password-stdin", "--role")


ERRORS: list[tuple[tuple[str, ...], str, str]] = [
    (("sync", "all", "--merchant-id", "999"), "", "There is no merchant 999"),
    (("sync", "poll", "--merchant-id", "999"), "", "There is no merchant 999"),
    (("merchants", "map", "--merchant-id", "999", "--domestic", "USPS_MEDIA"), "", "There is no merchant 999"),
    (
        ("merchants", "map", "--merchant-id", "816", "--domestic", "NO_SUCH"),
        "",
        "NO_SUCH is not in the catalog of domestic services",
    ),
    (("merchants", "map", "--merchant-id", "816", "--domestic", "EPGEPACKT"), "", "EPGEPACKT is not in the catalog"),
    (("merchants", "map", "--merchant-id", "816"), "", "Add --domestic"),
    ((*ADD, "--merchant-id", "5"), "", "Standard input is empty. Pipe in the Merchant Token"),
    ((*ADD, "--merchant-id", "5"), " \n", "Standard input is empty. Pipe in the Merchant Token"),
    ((*ADD, "--merchant-id", "0"), "x", "0 is not in the range"),
    ((*ADD, "--merchant-id", "99999999999"), "x", "99999999999 is not in the range"),
    ((*ADD, "--merchant-id", "five"), "x", "'five' is not a valid integer"),
    ((*CONNECT, "816", "--start", "all"), "", "Standard input is empty. Pipe in the access token"),
    ((*CONNECT, "999", "--start", "all"), "x", "There is no merchant 999"),
    *(
        (
            ("stores", "connect", "--account-id", odd, "--token-stdin", "--merchant-id", "816", "--start", "all"),
            "x",
            ODD,
        )
        for odd in ("shop", "my-shop_1", "007", "-5", "1.0", "9" * 21, "\uff11", "1/../2", "")
    ),
    ((*CONNECT, "816", "--start", "yesterday"), "x", "yesterday is not all, new or a date"),
    ((*CONNECT, "816", "--start", "2026-02-30"), "x", "2026-02-30 is not all, new or a date"),
    ((*USER, "merchant", "a@b.example"), "longenough", "A merchant user needs --merchant-id"),
    ((*USER, "support", "nobody"), "long enough", "nobody is not an email address."),
    ((*USER, "support", "a@b.example"), "short", "Use at least 10 characters"),
    ((*USER, "support", "a@b.example"), "", "Standard input is empty. Pipe in the password"),
    ((*USER, "merchant", "--merchant-id", "999", "a@b.example"), "long enough", "There is no merchant 999"),
    (("orders", "show", "NOPE-1"), "", "There is no order NOPE-1."),
    (("orders", "retry", "NOPE-1"), "", "There is no order NOPE-1."),
    (("orders", "close", "NOPE-1", "--reason", "x"), "", "There is no order NOPE-1."),
    (("orders", "close", "NOPE-1"), "", "Missing option '--reason'."),
    (("services", "verify", "--merchant-id", "999", "--sku", "X"), "", "There is no merchant 999"),
]


@pytest.mark.parametrize(("args", "stdin", "sentence"), ERRORS, ids=[f"{a[0]}-{a[1]}-{s[:20]}" for a, _, s in ERRORS])
def test_error_is_one_sentence(sqlite_world: World, args: tuple[str, ...], stdin: str, sentence: str) -> None:
    result = sqlite_world.cli(*args, stdin=stdin)

    fails_in_one_sentence(result)
    assert sentence in result.output


def _run_commands(app: Flask) -> list[Result]:
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


def test_missing_tables_are_reported(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path / 'empty.sqlite3'}"))
    for result in _run_commands(app):
        fails_in_one_sentence(result)
        assert "flask --app wsgi db upgrade" in result.output


def test_missing_tables_are_reported_on_postgresql(postgres_server: str) -> None:
    app = create_app(settings_for(postgres_server))
    for result in _run_commands(app):
        fails_in_one_sentence(result)
        assert "flask --app wsgi db upgrade" in result.output
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/at/all.sqlite3", "sqlite:////etc/passwd", "postgresql://nobody@127.0.0.1:1/none"]
)
def test_inaccessible_database_is_reported(url: str) -> None:
    for result in _run_commands(create_app(settings_for(url))):
        fails_in_one_sentence(result)
        assert "Couldn't access the database" in result.output
        assert "secret-from-stdin" not in result.output


def test_commands_say_that_there_are_no_merchants_or_stores(tmp_path: Path, sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    sync = app.test_cli_runner().invoke(args=["sync", "all"])
    stores = app.test_cli_runner().invoke(args=["stores", "list"])

    fails_in_one_sentence(sync)
    assert "There are no merchants yet" in sync.output
    assert "No stores connected" in stores.output


def test_binary_standard_input_is_reported(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    result = app.test_cli_runner().invoke(
        args=["merchants", "add", "--merchant-id", "5", "--name", "x", "--token-stdin"], input=b"\xff\xfe\x80\n"
    )

    fails_in_one_sentence(result)
