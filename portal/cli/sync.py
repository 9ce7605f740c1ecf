"""`sync`: do the work of the jobs now, in the foreground, without Redis."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from portal.cli.common import MERCHANT_ID, Commands, counted, the_merchant
from portal.clock import utc_now
from portal.current import session, settings
from portal.engine.leases import LEASE, LeaseLostError, LeaseTakenError
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import RunContext, no_progress
from portal.fulfillment.submit.parcels import count_ready
from portal.fulfillment.submit.run import submit_merchant
from portal.fulfillment.track.run import track_merchant
from portal.models import Merchant, Order, OrderState, Store, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = logging.getLogger(__name__)

LEASE_WAIT = 2 * LEASE.total_seconds() + 10
"""Seconds. A dead worker's lease expires within half a minute; a live worker may need longer to finish."""

for_one_merchant = click.option("--merchant-id", type=MERCHANT_ID, help="Only this merchant. Default: all merchants.")


@click.group(cls=Commands)
def sync() -> None:
    """Sync now: get new orders, send them, track shipments.

    Runs in the foreground, without Redis and without waiting for backoff times. Orders awaiting confirmation are
    checked before new ones are sent. Prints one summary line per store and merchant.

    The exit status is 1 if a later run or a person has to fix something: a service couldn't be reached, credentials
    were rejected, or orders still await confirmation or are still ready to send. Otherwise it is 0. Orders on hold or
    rejected by the warehouse don't make a run fail.
    """


@sync.command("poll")
@for_one_merchant
def sync_poll(merchant_id: int | None) -> None:
    """Get unshipped orders from Big Cartel."""
    _run([_poll], merchant_id)


@sync.command("submit")
@for_one_merchant
def sync_submit(merchant_id: int | None) -> None:
    """Send orders to the warehouse.

    Orders awaiting confirmation are checked first.
    """
    _run([_submit], merchant_id)


@sync.command("track")
@for_one_merchant
def sync_track(merchant_id: int | None) -> None:
    """Check orders at the warehouse and update Big Cartel."""
    _run([_track], merchant_id)


@sync.command("all")
@for_one_merchant
def sync_all(merchant_id: int | None) -> None:
    """Poll, submit and track, in that order."""
    _run([_poll, _submit, _track], merchant_id)


def _run(steps: Sequence[Callable[[int], bool]], merchant_id: int | None) -> None:
    """Run every step for every merchant. A failure for one merchant doesn't stop the others."""
    if merchant_id is not None:
        the_merchant(merchant_id)
        merchant_ids: Sequence[int] = [merchant_id]
    else:
        merchant_ids = session().scalars(select(Merchant.id).order_by(Merchant.id)).all()
    session().commit()
    if not merchant_ids:
        raise click.ClickException("There are no merchants yet. Add one with: flask --app wsgi merchants add")
    went_well = [_guarded(step, one) for one in merchant_ids for step in steps]
    sys.exit(0 if all(went_well) else 1)


def _guarded(step: Callable[[int], bool], merchant_id: int) -> bool:
    try:
        return step(merchant_id)
    except LeaseTakenError:
        _say(
            f"merchant {merchant_id}: skipped, because another worker is still doing this. Try again in a few minutes."
        )
    except LeaseLostError:
        _say(
            f"merchant {merchant_id}: stopped, because this process was paused and another worker took over. "
            f"No order is lost. Try again in a few minutes."
        )
    except OperationalError:
        session().rollback()
        _say(f"merchant {merchant_id}: the database didn't respond in time. No order is lost. Try again.")
    except Exception:
        session().rollback()
        log.exception("sync.failed", extra={"merchant": merchant_id})
        _say(f"merchant {merchant_id}: unexpected error. The log above has the details.")
    return False


def _poll(merchant_id: int) -> bool:
    stores = session().scalars(select(Store).where(Store.merchant_id == merchant_id).order_by(Store.id)).all()
    session().commit()
    if not stores:
        _say(f"merchant {merchant_id}: no store is connected.")
    went_well = True
    for store in stores:
        with _progress(f"Syncing {store.title}", None) as advance:
            result = poll_store(session(), store.id, settings(), _by_person(advance))
        if result.problem:
            _say(f"merchant {merchant_id}, {store.title}: not synced. {result.problem}")
        else:
            parts = [f"{counted(result.read, 'order')} synced", f"{result.new} new ({result.held} on hold)"]
            notable = _notable(released=result.released, closed=result.closed, reopened=result.reopened)
            parts += [f"{count} {what}" for what, count in notable]
            _say(f"merchant {merchant_id}, {store.title}: {', '.join(parts)}.")
        if result.nameless and not result.problem:
            nameless = counted(result.nameless, "order")
            _say(f"    {nameless} without an order number can't be sent. Contact Big Cartel support.")
        went_well = went_well and not result.problem and not result.nameless
        _reconciliation(store)
    return went_well


def _reconciliation(store: Store) -> None:
    session().refresh(store)
    session().commit()
    found = store.reconciliation
    if found is None:
        return
    for what, numbers in (
        ("unaccounted for", found["missing"]),
        ("shipped by the warehouse and complete here, but still unshipped in Big Cartel", found["not_told"]),
    ):
        if numbers:
            _say(f"    {counted(len(numbers), 'order')} {what}: {', '.join(numbers)}")


def _submit(merchant_id: int) -> bool:
    ready = count_ready(session(), merchant_id, utc_now(), ignore_backoff=True)
    session().commit()
    with _progress(f"Sending orders of merchant {merchant_id}", ready) as advance:
        result = submit_merchant(session(), merchant_id, settings(), _by_person(advance))
    parts = [f"{counted(result.accepted, 'order')} sent"]
    notable = _notable(
        rejected_by_the_warehouse=result.rejected,
        put_on_hold=result.held,
        not_sent=result.not_sent,
        awaiting_confirmation=result.unconfirmed,
    )
    parts += [f"{count} {what}" for what, count in notable]
    waiting = count_ready(session(), merchant_id, utc_now(), ignore_backoff=True)
    session().commit()
    if waiting:
        parts.append(f"{waiting} still ready to send")
    _say(f"merchant {merchant_id}: {', '.join(parts)}.{_problem(result.problem)}")
    return not (result.problem or result.not_sent or result.unconfirmed or waiting)


def _track(merchant_id: int) -> bool:
    result = track_merchant(session(), merchant_id, settings(), _by_person())
    parts = [
        f"{counted(result.shipped, 'order')} shipped by the warehouse",
        f"{result.completed} marked as shipped in Big Cartel",
    ]
    notable = _notable(
        canceled_at_the_warehouse=result.cancelled,
        that_the_warehouse_no_longer_has=result.missing,
        not_yet_marked_as_shipped_in_Big_Cartel=result.failed,
    )
    parts += [f"{count} {what}" for what, count in notable]
    open_count = session().scalar(
        select(func.count()).where(Order.merchant_id == merchant_id, Order.state == OrderState.SUBMITTED)
    )
    session().commit()
    parts.append(f"{open_count} still at the warehouse")
    _say(f"merchant {merchant_id}: {', '.join(parts)}.{_problem(' '.join(dict.fromkeys(result.problems)))}")
    return not (result.problems or result.failed or result.missing)


def _notable(**counts: int) -> list[tuple[str, int]]:
    return [(name.replace("_", " "), count) for name, count in counts.items() if count]


def _problem(sentence: str) -> str:
    return f" {sentence}" if sentence else ""


def _by_person(advance: Callable[[int], None] = no_progress) -> RunContext:
    return RunContext(trigger=Trigger.PERSON, lease_wait=LEASE_WAIT, progress=advance, say=_say)


def _say(sentence: str) -> None:
    click.echo(sentence)


@contextmanager
def _progress(label: str, length: int | None) -> Iterator[Callable[[int], None]]:
    """Show progress on a terminal. Elsewhere, only the summary line is printed."""
    if not sys.stdout.isatty() or length == 0:
        yield no_progress
    elif length is None:
        read = 0

        def count_up(count: int) -> None:
            nonlocal read
            read += count
            click.echo(f"\r{label}: {read}", nl=False)

        yield count_up
        click.echo("\r\033[K", nl=False)
    else:
        with click.progressbar(length=length, label=label) as bar:
            yield bar.update
