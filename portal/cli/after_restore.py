"""`after-restore`: what to run once between restoring a backup and starting the workers."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from portal.actions.after_restore import check_before_sending, stop_messages
from portal.cli.common import ACTOR, counted, error_sentences
from portal.clock import utc_now
from portal.current import queue_health, session, settings
from portal.engine.leases import LEASE
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import RunContext
from portal.models import Merchant, Store, Trigger


@click.command("after-restore")
@with_appcontext
def after_restore() -> None:
    """Make sure that no order is sent twice after a backup was restored.

    Run it before you start the workers. It syncs every store, and has the warehouse asked about every order that would
    be sent: it may have been sent after the backup was made. It also gives up messages that were due at that time.
    Sends nothing itself, and does no harm when it is run again. The exit status is 1 if a store or a merchant's orders
    could not be checked.
    """
    with error_sentences():
        health = queue_health()
        if health is not None and health["workers"]:
            raise click.ClickException(
                "A worker is running and may be sending orders. Stop the workers first. "
                "A worker that was killed counts as running for 50 seconds."
            )
        click.echo(f"{counted(stop_messages(session()), 'message')} not sent again.")
        stores = session().scalars(select(Store).order_by(Store.id)).all()
        merchants = session().scalars(select(Merchant).order_by(Merchant.id)).all()
        session().commit()
        went_well = [_sync(store) for store in stores] + [_check(merchant) for merchant in merchants]
    if not all(went_well):
        raise SystemExit(1)


def _sync(store: Store) -> bool:
    """Read what the store has placed since the backup, so that these orders are checked, too."""
    context = RunContext(trigger=Trigger.PERSON, lease_wait=2 * LEASE.total_seconds())
    result = poll_store(session(), store.id, settings(), context)
    outcome = f"not synced. {result.problem}" if result.problem else f"{counted(result.new, 'new order')}."
    click.echo(f"merchant {store.merchant_id}, {store.title}: {outcome}")
    return not result.problem


def _check(merchant: Merchant) -> bool:
    done = check_before_sending(session(), merchant, settings(), actor=ACTOR, now=utc_now())
    click.echo(f"merchant {merchant.id}: {counted(done.to_check, 'order')} to be checked with the warehouse.")
    if done.found:
        click.echo(f"    On hold or rejected here, but at the warehouse: {', '.join(done.found)}")
    if done.problem:
        click.echo(f"    Orders on hold or rejected were not checked. {done.problem}")
    return not done.try_again
