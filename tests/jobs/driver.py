"""A worker with short waiting times, which dies or stops at an exact step if its plan says so.

Run ``python -m tests.jobs.driver`` and write the plan to its standard input. Otherwise it is the worker that
``python -m jobs.worker`` runs. It dies by a SIGKILL to its whole session.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import jobs.worker
from embedded.process import session_members
from portal import database
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.clients.http import Http
from portal.engine import leases
from portal.extensions import db
from portal.fulfillment import dry_run, products
from portal.fulfillment.poll import assess, claims, run
from portal.fulfillment.submit import drain, settle
from portal.fulfillment.submit import run as submit_run
from portal.fulfillment.track import mark_shipped, statuses
from portal.rules import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.clients.http import Answer

LEASE, RENEW_EVERY, STATUS_LAG, BACKOFF = 1.0, 0.25, 0.4, 0.2
"""Seconds."""
IDLE_SECONDS = 3.0
"""After so long, PostgreSQL ends a transaction that does nothing."""
STOPPED = "Stopped at a step."
OPEN_TRANSACTION = "A call was made with a transaction open:"


@dataclass(frozen=True)
class Step:
    """Where a worker dies or stops: before or after a function, or between two items that it yields."""

    owner: Any
    function: str
    when: str


STEPS = {
    # A poll
    "poll: between two pages": Step(BigCartel, "order_pages", "between"),
    "poll: orders saved, cursor not": Step(run, "save_changed", "after"),
    "poll: cursor written, not committed": Step(run, "_save_position", "after"),
    # A submission
    "submit: intent written, not committed": Step(drain.Drain, "take", "after"),
    "submit: intent committed, nothing sent": Step(Fcp, "submit", "before"),
    "submit: answer received, not recorded": Step(Fcp, "submit", "after"),
    "submit: outcome written, not committed": Step(drain.Drain, "record", "after"),
    # Settling
    "settle: orders made unconfirmed": Step(submit_run, "recover", "after"),
    "settle: status received, not recorded": Step(Fcp, "statuses", "after"),
    "settle: status written, not committed": Step(settle, "_read_statuses", "after"),
    # Tracking
    "track: status written, not committed": Step(statuses, "_save", "after"),
    # Marking shipped in Big Cartel
    "mark: intent committed, nothing sent": Step(BigCartel, "mark_shipped", "before"),
    "mark: answer received, not recorded": Step(BigCartel, "mark_shipped", "after"),
    "mark: outcome written, not committed": Step(mark_shipped._Marking, "record", "after"),
}

STOPS = {
    "poll: orders read, not saved": Step(run, "save_changed", "before"),
    "poll: orders written, not committed": Step(assess, "_apply", "after"),
    "products: page read, not saved": Step(products, "_save", "before"),
    "settle: status received, not recorded": STEPS["settle: status received, not recorded"],
    "submit: intent committed, nothing sent": Step(drain.Drain, "call", "before"),
    "submit: answer received, not recorded": STEPS["submit: answer received, not recorded"],
    "track: status received, not recorded": Step(statuses, "_save", "before"),
    "mark: intent committed, nothing sent": Step(mark_shipped._Marking, "call", "before"),
    "dry run: answer received, not recorded": Step(dry_run._DryRun, "record", "before"),
}


@dataclass(frozen=True)
class Plan:
    """``dies_at`` is one of the STEPS, or empty. The worker survives that step ``skip`` times before it dies.

    ``stops_at`` is one of the STOPS, or empty: there the worker prints STOPPED and waits until the file
    ``goes_on_with`` exists. Meanwhile the test may suspend it.
    """

    dies_at: str = ""
    skip: int = 0
    stops_at: str = ""
    goes_on_with: str = ""


def die() -> NoReturn:
    """Kill this work horse and its worker, as a power cut would."""
    for pid in session_members(os.getsid(0)):
        if pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("This process is dead.")


def stop_until(file: Path) -> None:
    if not file.exists():
        print(STOPPED, file=sys.stderr, flush=True)  # noqa: T201 - for the test that reads it
    while not file.exists():
        time.sleep(0.01)  # stopped from outside here; the file says that it may go on


def shorten_waits() -> None:
    vars(database)["IDLE_SECONDS"] = IDLE_SECONDS
    for module in (leases, run, claims):
        vars(module)["LEASE"] = timedelta(seconds=LEASE)
    leases.RENEW_EVERY = RENEW_EVERY
    vars(settle)["STATUS_LAG"] = timedelta(seconds=STATUS_LAG)
    step = timedelta(seconds=BACKOFF)
    backoff.STEPS = (step, step, step, step, step)


def watch_transactions() -> None:
    """Print a line for every call made inside an open transaction, which on SQLite would block all other writers."""
    real = Http.call

    @wraps(real)
    def watched(http: Http, method: str, url: str, **details: Any) -> Answer:
        if threading.current_thread() is threading.main_thread() and db.session().in_transaction():
            print(OPEN_TRANSACTION, method, url, file=sys.stderr, flush=True)  # noqa: T201 - for the test that reads it
        return real(http, method, url, **details)

    setattr(Http, real.__name__, watched)


def at(step: Step, act: Callable[[], object], skip: int = 0) -> None:
    """Call ``act`` whenever the step is reached, except for the first ``skip`` times."""
    real = getattr(step.owner, step.function)
    skips = iter(range(skip))

    def act_if_due() -> None:
        if next(skips, None) is None:
            act()

    wrapped = _between(real, act_if_due) if step.when == "between" else _around(step, real, act_if_due)
    setattr(step.owner, step.function, wrapped)


def _around(step: Step, real: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    @wraps(real)
    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if step.when == "before":
            act()
        result = real(*args, **kwargs)
        if step.when == "after" and (result or step.function != "take"):  # a take without claims doesn't count
            act()
        return result

    return interrupted


def _between(real: Callable[..., Iterator[Any]], act: Callable[[], None]) -> Callable[..., Iterator[Any]]:
    @wraps(real)
    def interrupted(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for page in real(*args, **kwargs):
            yield page
            act()

    return interrupted


if __name__ == "__main__":
    instructions = json.loads(sys.stdin.readline() or sys.exit())
    os.environ.update(instructions["environ"])
    plan = Plan(**instructions["plan"])
    shorten_waits()
    watch_transactions()
    if plan.dies_at:
        at(STEPS[plan.dies_at], die, plan.skip)
    if plan.stops_at:
        at(STOPS[plan.stops_at], partial(stop_until, Path(plan.goes_on_with)))
    jobs.worker.main()
