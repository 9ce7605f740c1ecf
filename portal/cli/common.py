"""What the commands share: one sentence per error, secrets from standard input only, quiet logs."""

from __future__ import annotations

import logging
import sys
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from portal import current
from portal.actions.stores import ConnectionRefusedByRuleError
from portal.crypto import SealError
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.clients import BlockedError
from portal.models import Merchant
from portal.models.base import GREATEST_ID
from portal.rules.services import CatalogError

ACTOR = "command line"
MERCHANT_ID = click.IntRange(1, GREATEST_ID)


class Commands(AppGroup):
    """A group whose commands end with one sentence where something expected goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        logging.getLogger().setLevel(logging.ERROR)
        with sentences():
            return super().invoke(ctx)


class sentences:  # noqa: N801 - a context manager, read as a phrase
    """Turn expected errors into one sentence and exit status 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProgrammingError) or (
            isinstance(error, OperationalError) and "no such" in str(error.orig)
        ):
            raise click.ClickException(
                "The database has no tables, or old ones. Run: flask --app wsgi db upgrade"
            ) from None
        if isinstance(error, OperationalError) or type(error) is DatabaseError:
            raise click.ClickException(
                "The database cannot be used. Check DATABASE_URL, and that the server runs."
            ) from None
        if isinstance(error, LeaseTakenError):
            raise click.ClickException(
                "Another worker has been at work on the same thing for over a minute. Try again later."
            ) from None
        if isinstance(error, ConnectionRefusedByRuleError | BlockedError | CatalogError | SealError):
            raise click.ClickException(str(error)) from None


def secret_from_stdin(what: str) -> str:
    """The first line of standard input. A terminal is asked without echo; nothing is ever an argument."""
    if sys.stdin.isatty():
        text: str = click.prompt(what, hide_input=True)
    else:
        try:
            text = sys.stdin.readline()
        except UnicodeDecodeError:
            raise click.ClickException(f"What came on standard input is no text, so it cannot be a {what}.") from None
    if not (text := text.strip()):
        raise click.ClickException(f"No {what} came on standard input.")
    return text


def the_merchant(merchant_id: int) -> Merchant:
    merchant = current.session().get(Merchant, merchant_id)
    if merchant is None:
        raise click.ClickException(f"There is no merchant {merchant_id}. Add it with: flask --app wsgi merchants add")
    return merchant
