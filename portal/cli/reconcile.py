"""`reconcile`: count every store's orders now, in the foreground, without Redis."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from portal.cli.common import MERCHANT_ID, counted, error_sentences, the_merchant
from portal.clock import utc_now
from portal.current import session, settings
from portal.engine.leases import LEASE, LeaseLostError, LeaseTakenError
from portal.fulfillment.poll import recount
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import RunContext
from portal.models import Store, Trigger

if TYPE_CHECKING:
    from portal.models import StoredReconciliation

LEASE_WAIT = 2 * LEASE.total_seconds() + 10
"""Seconds. A dead worker's lease expires within half a minute; a live worker may need longer to finish."""


@click.command()
@click.option("--merchant-id", type=MERCHANT_ID, help="Only this merchant. Default: all merchants.")
@with_appcontext
def reconcile(merchant_id: int | None) -> None:
    """Count every store's orders now: what Big Cartel lists against what the warehouse has.

    Reads every unshipped order from Big Cartel, as a sync does, asks the warehouse about them, and prints one line per
    store. A store that doesn't match is counted twice, because an order may be on its way during one count.

    The exit status is 0 if everything matches, in the first count or the second. It is 1 if orders are unaccounted for,
    if a store or its warehouse couldn't be asked, or if there is nothing to count, and 2 if the command was called
    wrongly.
    """
    logging.getLogger().setLevel(logging.CRITICAL)
    with error_sentences():
        query = select(Store).order_by(Store.merchant_id, Store.id)
        if merchant_id is not None:
            the_merchant(merchant_id)
            query = query.where(Store.merchant_id == merchant_id)
        stores = session().scalars(query).all()
        session().commit()
        if not stores:
            raise click.ClickException("No store is connected, so there is nothing to count.")
        match = [_reconcile(store) for store in stores]
    sys.exit(0 if all(match) else 1)


def _reconcile(store: Store) -> bool:
    """Count one store, twice if the first count leaves a remainder. Return whether everything matches."""
    called = f"merchant {store.merchant_id}, {store.title}"
    problem = _count(store)
    if not problem and store.reconciliation is not None and recount.remainder(store.reconciliation):
        problem = _count(store)
    found = store.reconciliation
    if problem or found is None:
        click.echo(f"{called}: not counted. {problem}".rstrip())
        return False
    click.echo(f"{called}: {_figures(found)}")
    return not recount.remainder(found) and found["warehouse_asked"]


def _count(store: Store) -> str:
    """Sync and count one store. Return why it couldn't be counted, as a sentence, or ""."""
    recount.ask(session(), [store.id], utc_now())
    session().commit()
    try:
        result = poll_store(
            session(), store.id, settings(), RunContext(trigger=Trigger.PERSON, lease_wait=LEASE_WAIT, say=click.echo)
        )
    except (LeaseTakenError, LeaseLostError):
        session().rollback()
        return "Another worker is syncing this store. Try again in a few minutes."
    session().refresh(store)
    session().commit()
    return result.problem


def _figures(found: StoredReconciliation) -> str:
    waiting = sum(found["waiting"].values())
    parts = [
        f"{counted(found['unshipped_and_paid'], 'order')} unshipped and paid in Big Cartel",
        f"{found['at_the_warehouse']} at the warehouse",
        f"{waiting} waiting",
        f"{found['left_out']} left out",
    ]
    sentence = f"{parts[0]}: {', '.join(parts[1:])}."
    remainder = recount.remainder(found)
    if remainder:
        return f"{sentence} {len(remainder)} unaccounted for: {', '.join(remainder)}"
    if not found["warehouse_asked"]:
        return f"{sentence} The warehouse couldn't be asked, so this is based on its last answers."
    return f"{sentence} Everything matches."
