"""Commands for Big Cartel stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from sqlalchemy import func, select

from portal.actions.stores import connect_store, go_live
from portal.cli.common import ACTOR, MERCHANT_ID, Commands, secret_from_stdin, the_merchant
from portal.clients.bigcartel_oauth import read_account_id
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.poll.read import EARLIEST
from portal.fulfillment.products import read_account
from portal.models import Order, Store
from portal.rules.time_zones import find_zone, zone_named
from portal.wording.states import STATE_LABELS

if TYPE_CHECKING:
    from datetime import date


class Start(click.ParamType[str]):
    """all, new or a date."""

    name = "all|new|YYYY-MM-DD"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in {"all", "new"}:
            try:
                day = _day(value)
            except ValueError:
                self.fail(f"{value} is not all, new or a date like 2026-11-23.", param, ctx)
            if day < EARLIEST.date():
                self.fail(f"Big Cartel had no orders as early as {value}. Check the year.", param, ctx)
        return value


def _day(text: str) -> date:
    """Raise ValueError if the text isn't a date."""
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()


@click.group(cls=Commands)
def stores() -> None:
    """Connect and list Big Cartel stores."""


@stores.command("connect")
@click.option("--merchant-id", type=MERCHANT_ID, required=True, help="The merchant this store belongs to.")
@click.option("--account-id", required=True, help="The store's account ID in Big Cartel.")
@click.option(
    "--start",
    type=Start(),
    metavar=Start.name,
    help="Which orders to send: all unshipped orders, only new ones, or those placed on or after a date "
    "in the store's time zone. A store that is already live keeps its current choice if you leave this out.",
)
@click.option("--token-stdin", is_flag=True, required=True, help="Read the access token from standard input.")
def connect(merchant_id: int, account_id: str, start: str | None, token_stdin: bool) -> None:
    """Connect a store and start sending its orders.

    A connected store gets the new access token and resumes where it stopped. If it sends only new orders, it keeps its
    original start time, so orders placed in the meantime are sent too.
    """
    del token_stdin
    the_merchant(merchant_id)
    if not (account_id := read_account_id(account_id)):
        raise click.ClickException(
            "--account-id is not a Big Cartel account ID. It is a number like 1000001 and is shown after Connect."
        )
    known = session().scalar(select(Store).where(Store.account_id == account_id, Store.live))
    if start is None and known is None:
        raise click.ClickException("Choose which orders to send: --start all, --start new or --start YYYY-MM-DD.")
    token = secret_from_stdin("access token")
    now = utc_now()
    store, _ = connect_store(
        session(),
        merchant_id,
        account_id=account_id,
        token=token,
        settings=settings(),
        now=now,
        actor=ACTOR,
    )
    if not (store.name and store.time_zone):
        read_account(session(), store, settings())
    if start not in {None, "all", "new"} and find_zone(store.time_zone) is None:
        click.echo("The store's time zone couldn't be read from Big Cartel, so the date is in UTC.", err=True)
    starts_at = _starts_at(start, store, now)
    if not store.live or starts_at != store.starts_at:
        go_live(session(), store, starts_at=starts_at, now=now, actor=ACTOR)
    which = "All unshipped orders"
    if starts_at is not None:
        which = f"Orders placed from {zone_named(store.time_zone).in_words(starts_at)} onward"
    click.echo(f"Connected account {store.account_id} to merchant {merchant_id}. {which} will be sent.")


def _starts_at(start: str | None, store: Store, now: datetime) -> datetime | None:
    match start:
        case None:
            return store.starts_at
        case "all":
            return None
        case "new":
            return store.starts_at if store.live and store.starts_at is not None else now
        case day:
            return zone_named(store.time_zone).start_of(_day(day))


@stores.command("list")
def list_stores() -> None:
    """List the connected stores.

    Shows each store's last sync, its orders by state, and any problem with Big Cartel or the warehouse.
    """
    counts = {
        (store_id, state): count
        for store_id, state, count in session().execute(
            select(Order.store_id, Order.state, func.count()).group_by(Order.store_id, Order.state)
        )
    }
    found = session().scalars(select(Store).order_by(Store.merchant_id, Store.id)).all()
    for store in found:
        synced = f"last synced {store.last_polled_at:%Y-%m-%d %H:%M:%S} UTC" if store.last_polled_at else "never synced"
        states = ", ".join(
            f"{counts[store.id, state]} {label.lower()}"
            for state, label in STATE_LABELS.items()
            if (store.id, state) in counts
        )
        # `make run` looks for "merchant 816 " in this line.
        click.echo(f"merchant {store.merchant_id}  {store.title}  {synced}  orders: {states or 'none'}")
        for problem in filter(None, (store.poll_error, store.merchant.fcp_error)):
            click.echo(f"    {problem}")
    if not found:
        click.echo("No stores connected. Connect one with: flask --app wsgi stores connect")
