"""Commands for orders: list, show, retry, close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from portal.actions.orders import Result, close, is_releasable, release, retry
from portal.cli.common import ACTOR, MERCHANT_ID, Commands
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.reread import reread_orders
from portal.fulfillment.rulebook import stored_hold
from portal.models import Attempt, AuditEntry, Merchant, Note, Order, OrderEvent, OrderState, Store
from portal.reports.order_activity import timeline
from portal.wording.attempts import KIND_LABELS, OUTCOME_LABELS, TRIGGER_LABELS
from portal.wording.states import STATE_LABELS, sentence_of, waits_for_store

if TYPE_CHECKING:
    from collections.abc import Callable

for_merchant = click.option("--merchant-id", type=MERCHANT_ID, help="Only this merchant's orders.")


@click.group(cls=Commands)
def orders() -> None:
    """List, show, retry and close orders."""


@orders.command("list")
@for_merchant
@click.option("--state", type=click.Choice([state.value for state in OrderState]), help="Only orders in this state.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Maximum number of orders."
)
def list_orders(merchant_id: int | None, state: str | None, limit: int) -> None:
    """List the newest orders.

    One line per order: number, merchant, state, and why it is in that state or its status at the warehouse.
    """
    query = select(Order).order_by(Order.id.desc()).limit(limit + 1)
    if merchant_id is not None:
        query = query.where(Order.merchant_id == merchant_id)
    if state is not None:
        query = query.where(Order.state == OrderState(state))
    found = session().scalars(query).all()
    for order in found[:limit]:
        click.echo(f"{order.number:<14} {order.merchant_id:<8} {STATE_LABELS[order.state]:<21} {_short(order)}")
    if len(found) > limit:
        click.echo("More orders match. Raise --limit to see them.", err=True)
    if not found:
        click.echo("No orders match.")


def _short(order: Order) -> str:
    if order.state is OrderState.HELD:
        return "; ".join(stored_hold(hold).sentence for hold in order.holds)
    return order.state_reason or order.fcp_status or ""


@orders.command("show")
@click.argument("number")
@for_merchant
def show_order(number: str, merchant_id: int | None) -> None:
    """Show one order in detail.

    Prints its state, what happens next, its items, its history, its notes and every attempt.
    """
    order = _find(number, merchant_id)
    click.echo(f"{order.number}, merchant {order.merchant_id}: {STATE_LABELS[order.state]}")
    click.echo(sentence_of(order, session().get(Merchant, order.merchant_id)))
    if waits := waits_for_store(order, session().get_one(Store, order.store_id), utc_now()):
        click.echo(waits)
    for stored in order.holds if order.state is OrderState.HELD else ():
        hold = stored_hold(stored)
        click.echo(f"  - {hold.sentence} {hold.remedy}")
    click.echo(f"Shipping: {order.shipping_code or 'no shipping code'} → {order.service or 'no service'}")
    for line in order.lines:
        sku = f"SKU {line['sku']} from {line['source']}" if line["sku"] else "no SKU"
        where = "left out" if line["left_out"] else sku
        click.echo(f"  {line['quantity']} x {line['name']}{' / ' + line['option'] if line['option'] else ''}: {where}")
    if order.tracking_numbers:
        click.echo(f"Tracking: {order.carrier} {', '.join(order.tracking_numbers)}")
    click.echo("\n".join(_history(order)))
    for note in session().scalars(select(Note).where(Note.order_id == order.id).order_by(Note.id)):
        click.echo(f"Note by {note.author}, {note.at:%Y-%m-%d %H:%M} UTC: {note.text or 'removed with the buyer data'}")
    attempts = session().scalars(select(Attempt).where(Attempt.order_id == order.id).order_by(Attempt.id)).all()
    if attempts:
        click.echo("Attempts (times in UTC):")
    for attempt in attempts:
        what = f"{KIND_LABELS[attempt.kind]} ({TRIGGER_LABELS[attempt.trigger]}): {OUTCOME_LABELS[attempt.outcome]}"
        words = f' "{attempt.words}"' if attempt.words else ""
        click.echo(f"  {attempt.started_at:%Y-%m-%d %H:%M:%S} {what}. {attempt.explanation}{words}")


def _history(order: Order) -> list[str]:
    """Return the order's moves and people's decisions, oldest first, each in a line."""
    events = session().scalars(select(OrderEvent).where(OrderEvent.order_id == order.id)).all()
    about = (AuditEntry.merchant_id == order.merchant_id, AuditEntry.subject == order.number)
    moments = timeline(order, (), session().scalars(select(AuditEntry).where(*about)).all(), events)
    lines = [f"  {one.at:%Y-%m-%d %H:%M:%S} {one.title.rstrip('.')}. {one.note}".rstrip() for one in moments[::-1]]
    return ["History (times in UTC):", *lines]


@orders.command("retry")
@click.argument("numbers", nargs=-1, required=True)
@for_merchant
@click.option("--reason", default="requested on the command line", show_default=True, help="Shown in the audit trail.")
def retry_orders(numbers: tuple[str, ...], merchant_id: int | None, reason: str) -> None:
    """Check orders again and send them at the next run.

    Releases a hold that is only a guess, such as a local pickup. Any other hold stays until its cause is fixed.
    """
    _each(numbers, merchant_id, lambda order: _retry(order, reason))


def _retry(order: Order, reason: str) -> Result:
    """Retry the order, or release it if its hold is only a guess: the person who named the order has checked it."""
    if is_releasable(order):
        return release(session(), order, actor=ACTOR, reason=reason, now=utc_now())
    is_fresh = order.id in reread_orders(session(), [order], settings())
    return retry(session(), order, is_fresh=is_fresh, actor=ACTOR, reason=reason, now=utc_now())


@orders.command("close")
@click.argument("numbers", nargs=-1, required=True)
@for_merchant
@click.option("--reason", required=True, help="Why. Shown with the order.")
def close_orders(numbers: tuple[str, ...], merchant_id: int | None, reason: str) -> None:
    """Close orders so they are never sent.

    An order that is at the warehouse, or may be, can't be closed here.
    """
    _each(numbers, merchant_id, lambda order: _close(order, reason))


def _close(order: Order, reason: str) -> Result:
    return close(session(), order, actor=ACTOR, reason=reason, now=utc_now())


def _each(numbers: tuple[str, ...], merchant_id: int | None, act: Callable[[Order], Result]) -> None:
    failed = False
    for number in numbers:
        try:
            result = act(_find(number, merchant_id))
        except click.ClickException as error:
            failed = True
            click.echo(f"Error: {error.message}", err=True)
            continue
        if result.done:
            click.echo(f"{result.order.number}: {_outcome(result.order)}")
        else:
            failed = True
            click.echo(f"Error: {result.sentence}", err=True)
    if failed:
        raise SystemExit(1)


def _outcome(order: Order) -> str:
    match order.state:
        case OrderState.CLOSED:
            return "Closed."
        case OrderState.HELD:
            return f"On hold. {_short(order)}"
        case _:
            return sentence_of(order)


def _find(number: str, merchant_id: int | None) -> Order:
    query = select(Order).where(Order.number == number)
    if merchant_id is not None:
        query = query.where(Order.merchant_id == merchant_id)
    found = session().scalars(query).all()
    if not found:
        raise click.ClickException(
            f"There is no order {number}. Check the number, or run `flask --app wsgi sync poll` to get new orders."
        )
    if len(found) > 1:
        raise click.ClickException(f"More than one store has an order {number}. Add --merchant-id to choose one.")
    return found[0]
