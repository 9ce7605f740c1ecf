"""`sync`: the jobs' own work, now, in the foreground, without Redis."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from portal.cli.common import MERCHANT_ID, Commands, the_merchant
from portal.clock import utc_now
from portal.current import session, settings
from portal.engine.leases import LEASE, LeaseTakenError
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
"""A dead worker's lease ends within half a minute, a living one's job may take longer."""

for_one_merchant = click.option("--merchant-id", type=MERCHANT_ID, help="Only this merchant; otherwise all.")


@click.group(cls=Commands)
def sync() -> None:
    """Poll, submit and track now, in the foreground, without Redis and without waiting for back-off times.

    What is in doubt is settled first. One line per store and merchant says what happened. The exit status is 1 when
    something went wrong that a later run or a person has to mend (a service that does not answer, refused credentials,
    an order without a clear answer or that waits to be sent again), else 0. Orders on hold or refused by the warehouse
    are no failure of the run.
    """


@sync.command("poll")
@for_one_merchant
def sync_poll(merchant_id: int | None) -> None:
    """Read the unshipped orders of every store from Big Cartel."""
    _run([_poll], merchant_id)


@sync.command("submit")
@for_one_merchant
def sync_submit(merchant_id: int | None) -> None:
    """Settle what is in doubt, then submit what is ready to the FCP."""
    _run([_submit], merchant_id)


@sync.command("track")
@for_one_merchant
def sync_track(merchant_id: int | None) -> None:
    """Ask the FCP for open orders and set the shipped ones to shipped in Big Cartel."""
    _run([_track], merchant_id)


@sync.command("all")
@for_one_merchant
def sync_all(merchant_id: int | None) -> None:
    """Poll, submit and track, in this order."""
    _run([_poll, _submit, _track], merchant_id)


def _run(steps: Sequence[Callable[[int], bool]], merchant_id: int | None) -> None:
    """Every step for every merchant; what goes wrong for one does not keep the others waiting."""
    if merchant_id is not None:
        the_merchant(merchant_id)
        merchant_ids: Sequence[int] = [merchant_id]
    else:
        merchant_ids = session().scalars(select(Merchant.id).order_by(Merchant.id)).all()
    session().commit()
    if not merchant_ids:
        raise click.ClickException("There is no merchant yet. Add one with: flask --app wsgi merchants add")
    went_well = [_guarded(step, one) for one in merchant_ids for step in steps]
    sys.exit(0 if all(went_well) else 1)


def _guarded(step: Callable[[int], bool], merchant_id: int) -> bool:
    try:
        return step(merchant_id)
    except LeaseTakenError:
        _say(f"merchant {merchant_id}: another worker is still at work on this; nothing was done. Try again later.")
    except OperationalError:
        session().rollback()
        _say(f"merchant {merchant_id}: the database did not answer in time. Nothing is lost; try again.")
    except Exception:
        session().rollback()
        log.exception("sync.failed", extra={"merchant": merchant_id})
        _say(f"merchant {merchant_id}: something unexpected went wrong; the log above has the details.")
    return False


def _poll(merchant_id: int) -> bool:
    stores = session().scalars(select(Store).where(Store.merchant_id == merchant_id).order_by(Store.id)).all()
    session().commit()
    if not stores:
        _say(f"merchant {merchant_id}: no store is connected.")
    went_well = True
    for store in stores:
        with _progress(f"Reading orders of {store.title}", None) as advance:
            result = poll_store(session(), store.id, settings(), _by_person(advance))
        if result.problem:
            _say(f"merchant {merchant_id}, {store.title}: not read. {result.problem}")
        else:
            parts = [f"{result.read} read", f"{result.new} new", f"{result.held} of them on hold"]
            parts += [f"{count} {what}" for what, count in _notable(released=result.released, closed=result.closed)]
            _say(f"merchant {merchant_id}, {store.title}: {', '.join(parts)}.")
        if result.nameless and not result.problem:
            _say(f"    {result.nameless} orders came without a number and cannot be taken. Tell Big Cartel's support.")
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
        ("not accounted for", found["missing"]),
        ("shipped by the warehouse, done here, and still unshipped in Big Cartel", found["not_told"]),
    ):
        if numbers:
            _say(f"    {len(numbers)} orders {what}: {', '.join(numbers)}")


def _submit(merchant_id: int) -> bool:
    ready = count_ready(session(), merchant_id, utc_now(), ignore_backoff=True)
    session().commit()
    with _progress(f"Submitting for merchant {merchant_id}", ready) as advance:
        result = submit_merchant(session(), merchant_id, settings(), _by_person(advance))
    parts = [f"{result.accepted} submitted"]
    notable = _notable(
        refused_by_the_warehouse=result.rejected,
        put_on_hold=result.held,
        not_sent=result.not_sent,
        without_a_clear_answer=result.unconfirmed,
    )
    parts += [f"{count} {what}" for what, count in notable]
    waiting = count_ready(session(), merchant_id, utc_now(), ignore_backoff=True)
    session().commit()
    if waiting:
        parts.append(f"{waiting} waiting to be sent")
    _say(f"merchant {merchant_id}: {', '.join(parts)}.{_problem(result.problem)}")
    return not (result.problem or result.not_sent or result.unconfirmed or waiting)


def _track(merchant_id: int) -> bool:
    result = track_merchant(session(), merchant_id, settings(), _by_person())
    parts = [f"{result.shipped} shipped by the warehouse", f"{result.completed} set to shipped in Big Cartel"]
    notable = _notable(
        cancelled_at_the_warehouse=result.cancelled,
        not_known_to_the_warehouse_any_more=result.missing,
        not_set_to_shipped=result.failed,
    )
    parts += [f"{count} {what}" for what, count in notable]
    open_count = session().scalar(
        select(func.count()).where(Order.merchant_id == merchant_id, Order.state == OrderState.SUBMITTED)
    )
    session().commit()
    parts.append(f"{open_count} at the warehouse")
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
    """A bar on a terminal; elsewhere only the summary line."""
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
