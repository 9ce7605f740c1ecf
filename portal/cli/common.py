"""Shared by all commands: one-sentence errors, secrets from standard input only, and quiet logs."""

from __future__ import annotations

import logging
import sys
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from portal import current
from portal.actions.stores import CannotConnectError
from portal.crypto import SealError
from portal.engine.leases import LeaseLostError, LeaseTakenError
from portal.fulfillment.clients import BlockedError
from portal.models import Merchant
from portal.models.account import merchant_id_in
from portal.models.base import MAX_ID
from portal.rules.services import CatalogError

ACTOR = "command line"


class MerchantId(click.IntRange):
    """A Merchant Id, spelled in any way that the sign-up page accepts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = super().convert(value if isinstance(value, int) else merchant_id_in(value) or value, param, ctx)
        return number


MERCHANT_ID = MerchantId(1, MAX_ID)


class Commands(AppGroup):
    """A command group that reports expected errors in one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        logging.getLogger().setLevel(logging.ERROR)
        with error_sentences():
            return super().invoke(ctx)


class error_sentences:  # noqa: N801 - used as `with error_sentences()`
    """Turn expected errors into one sentence and exit status 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProgrammingError) or (
            isinstance(error, OperationalError) and "no such" in str(error.orig)
        ):
            raise click.ClickException(
                "The database tables are missing or out of date. Run: flask --app wsgi db upgrade"
            ) from None
        if isinstance(error, OperationalError) or type(error) is DatabaseError:
            raise click.ClickException(
                "Couldn't access the database. Check DATABASE_URL and that the database server is running."
            ) from None
        if isinstance(error, LeaseTakenError):
            raise click.ClickException(
                "Another worker has been doing this for over a minute. Try again in a few minutes."
            ) from None
        if isinstance(error, LeaseLostError):
            raise click.ClickException(
                "This process was paused and another worker took over. Nothing more was changed. Try again."
            ) from None
        if isinstance(error, CannotConnectError | BlockedError | CatalogError | SealError):
            raise click.ClickException(str(error)) from None


def secret_from_stdin(what: str) -> str:
    """Return the first line of standard input, or prompt for it without echo. Secrets are never arguments.

    Raises ClickException when there is none.
    """
    if sys.stdin.isatty():
        text: str = click.prompt(what, hide_input=True)
    else:
        try:
            text = sys.stdin.readline()
            text.encode()  # fails on the surrogates that stand for undecodable bytes in the C locale
        except UnicodeError:
            raise click.ClickException(f"Standard input isn't text. Pipe in the {what} as one line.") from None
    if not (text := text.strip()):
        raise click.ClickException(f"Standard input is empty. Pipe in the {what} as one line.")
    return text


def the_merchant(merchant_id: int) -> Merchant:
    merchant = current.session().get(Merchant, merchant_id)
    if merchant is None:
        raise click.ClickException(f"There is no merchant {merchant_id}. Add it with: flask --app wsgi merchants add")
    return merchant


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
