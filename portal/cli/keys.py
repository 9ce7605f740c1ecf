"""Commands for the keys that encrypt stored tokens."""

from __future__ import annotations

import click

from portal.actions.keys import rotate
from portal.cli.common import ACTOR, Commands, counted
from portal.clock import utc_now
from portal.current import session, settings


@click.group(cls=Commands)
def keys() -> None:
    """Manage the keys that encrypt stored tokens (TOKEN_KEYS)."""


@keys.command("rotate")
@click.option("--reason", default="requested on the command line", show_default=True, help="Shown in the audit trail.")
def rotate_keys(reason: str) -> None:
    """Re-encrypt every stored token with the first key in TOKEN_KEYS.

    First restart the web processes, the workers and the schedule with the new TOKEN_KEYS. After this command succeeds,
    you can remove the other keys. The exit status is 1 if any token can't be decrypted.
    """
    done = rotate(session(), settings().token_keys, actor=ACTOR, reason=reason, now=utc_now())
    resealed, up_to_date = counted(done.resealed, "token"), counted(done.up_to_date, "token")
    click.echo(f"Re-encrypted with the first key: {resealed}. Already up to date: {up_to_date}.")
    for token in done.unopened:
        remedy = "Add the key that encrypted it to TOKEN_KEYS again, or enter the token again."
        click.echo(f"Error: None of the TOKEN_KEYS decrypts {token}. {remedy}", err=True)
    if done.unopened:
        raise SystemExit(1)
