"""The keys of stored tokens on the command line."""

from __future__ import annotations

import click

from portal.actions.keys import rotate
from portal.cli.common import ACTOR, Commands
from portal.clock import utc_now
from portal.current import session, settings


@click.group(cls=Commands)
def keys() -> None:
    """The keys (TOKEN_KEYS) with which stored tokens are encrypted."""


@keys.command("rotate")
@click.option("--reason", default="asked for on the command line", show_default=True)
def rotate_keys(reason: str) -> None:
    """Encrypt every stored token again with the first of the TOKEN_KEYS.

    Restart the web processes, workers and the schedule with the new TOKEN_KEYS first. When this command succeeds, no
    token needs the other keys any more. The exit status is 1 when none of the keys opens a token.
    """
    done = rotate(session(), settings().token_keys, actor=ACTOR, reason=reason, now=utc_now())
    click.echo(f"Encrypted again with the first key: {_tokens(done.resealed)}. Up to date: {_tokens(done.up_to_date)}.")
    for whose in done.unopened:
        remedy = "Put the key back that encrypted it, or enter the token again."
        click.echo(f"Error: None of the TOKEN_KEYS opens {whose}. {remedy}", err=True)
    if done.unopened:
        raise SystemExit(1)


def _tokens(count: int) -> str:
    return f"{count} token" if count == 1 else f"{count} tokens"
