"""A worker with short waiting times, which dies at an exact step if its plan says so.

Run ``python -m tests.jobs.driver`` and write the plan to its standard input. Otherwise it is the worker that
``python -m jobs.worker`` runs. It dies by a SIGKILL to its whole session.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import jobs.worker
from embedded.process import session_members
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.clients.http import Http
from portal.engine import leases
from portal.extensions import db
from portal.fulfillment.poll import claims, run
from portal.fulfillment.submit import drain, settle
from portal.fulfillment.submit import run as submit_run
from portal.fulfillment.track import mark_shipped, statuses
from portal.rules import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.clients.http import Answer

LEASE, RENEW_EVERY, STATUS_LAG, BACKOFF = 1.0, 0.25, 0.4, 0.2
"""Seconds."""
OPEN_TRANSACTION = "A call was made with a transaction open:"


@dataclass(frozen=True)
class Step:
    """Where a worker dies: before or after a function, or between two items that it yields."""

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


@dataclass(frozen=True)
class Plan:
    """``dies_at`` is one of the STEPS, or empty. The worker survives that step ``skip`` times before it dies."""

    dies_at: str = ""
    skip: int = 0


def die() -> NoReturn:
    """Kill this work horse and its worker, as a power cut would."""
    for pid in session_members(os.getsid(0)):
        if pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("This process is dead.")


def shorten_waits() -> None:
    for module in (leases, run, claims):
        vars(module)["LEASE"] = timedelta(seconds=LEASE)
    leases.RENEW_EVERY = RENEW_EVERY
    settle.STATUS_LAG = timedelta(seconds=STATUS_LAG)
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


def die_at(step: Step, skip: int) -> None:
    real = getattr(step.owner, step.function)
    skips = iter(range(skip))

    def is_due() -> bool:
        return next(skips, None) is None

    setattr(step.owner, step.function, _between(real, is_due) if step.when == "between" else _at(step, real, is_due))


def _at(step: Step, real: Callable[..., Any], is_due: Callable[[], bool]) -> Callable[..., Any]:
    @wraps(real)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        due = is_due()
        if due and step.when == "before":
            die()
        result = real(*args, **kwargs)
        if step.function == "take" and not result:
            return result  # nothing was claimed yet: die at a later call
        if due and step.when == "after":
            die()
        return result

    return deadly


def _between(real: Callable[..., Iterator[Any]], is_due: Callable[[], bool]) -> Callable[..., Iterator[Any]]:
    @wraps(real)
    def deadly(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for page in real(*args, **kwargs):
            yield page
            if is_due():
                die()

    return deadly


if __name__ == "__main__":
    instructions = json.loads(sys.stdin.readline() or sys.exit())
    os.environ.update(instructions["environ"])
    plan = Plan(**instructions["plan"])
    shorten_waits()
    watch_transactions()
    if plan.dies_at:
        die_at(STEPS[plan.dies_at], plan.skip)
    jobs.worker.main()
