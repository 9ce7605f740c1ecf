"""The command line as a support person meets it: help, one sentence per error, no secrets."""

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
            found += [(name, below) for below in command.commands]
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

    fails_in_one_sentence(result)
    assert sentence in result.output


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
        fails_in_one_sentence(result)
        assert "flask --app wsgi db upgrade" in result.output


def test_a_postgresql_database_without_tables(postgres_server: str) -> None:
    app = create_app(settings_for(postgres_server))
    for result in _everything(app):
        fails_in_one_sentence(result)
        assert "flask --app wsgi db upgrade" in result.output
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/at/all.sqlite3", "sqlite:////etc/passwd", "postgresql://nobody@127.0.0.1:1/none"]
)
def test_a_database_that_does_not_answer(url: str) -> None:
    for result in _everything(create_app(settings_for(url))):
        fails_in_one_sentence(result)
        assert "The database cannot be used" in result.output
        assert "secret-from-stdin" not in result.output


def test_sync_without_anybody(tmp_path: Path, sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    sync = app.test_cli_runner().invoke(args=["sync", "all"])
    stores = app.test_cli_runner().invoke(args=["stores", "list"])

    fails_in_one_sentence(sync)
    assert "There is no merchant yet" in sync.output
    assert "No store is connected" in stores.output


def test_secrets_that_are_no_text(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    result = app.test_cli_runner().invoke(
        args=["merchants", "add", "--merchant-id", "5", "--name", "x", "--token-stdin"], input=b"\xff\xfe\x80\n"
    )

    fails_in_one_sentence(result)
