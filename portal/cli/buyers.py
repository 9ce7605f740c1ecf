"""Commands for a buyer's personal data: export, erase."""

from __future__ import annotations

import click

from portal.actions import buyers as actions
from portal.cli.common import ACTOR, Commands
from portal.clock import utc_now
from portal.current import session
from portal.people.accounts import is_address
from portal.wording.actions import emptied_sentence, erased_sentence, still_open_sentence

with_reason = click.option(
    "--reason", default="requested on the command line", show_default=True, help="Shown in the audit trail."
)


class Email(click.ParamType[str]):
    """An email address."""

    name = "email"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_address(value.strip().lower()):
            self.fail(f"{value} is not an email address.", param, ctx)
        return value.strip()


@click.group(cls=Commands)
def buyers() -> None:
    """Export and erase a buyer's personal data."""


@buyers.command("export")
@click.argument("email", type=Email())
@with_reason
def export(email: str, reason: str) -> None:
    """Print everything stored about a buyer as JSON.

    A buyer is known by the email address of their orders, in any case. Orders whose data was deleted can't be found.
    """
    for part in actions.export(session(), email, actor=ACTOR, reason=reason, now=utc_now()):
        click.echo(part, nl=False)


@buyers.command("erase")
@click.argument("email", type=Email())
@with_reason
def erase(email: str, reason: str) -> None:
    """Delete what is stored about a buyer, at once and for good.

    Orders that are still open keep it, because the warehouse needs the address. The exit status is then 1.
    """
    done = actions.erase(session(), email, actor=ACTOR, reason=reason, now=utc_now())
    click.echo(erased_sentence(done.erased))
    if done.texts:
        click.echo(emptied_sentence(done.texts))
    if done.still_open:
        click.echo(f"Error: {still_open_sentence(done.still_open)}", err=True)
        raise SystemExit(1)
