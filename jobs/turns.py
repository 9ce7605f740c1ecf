"""Turns: a job works for several merchants or stores in turn, and others wait for the worker meanwhile.

So no turn is long. A merchant with more to do than fits into its turn goes to the back of the queue.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.current import settings, wake
from portal.fulfillment.clients import CALLS_AT_ONCE
from portal.fulfillment.run_context import RunContext
from portal.models import HostName
from portal.queue import Call, JobName
from portal.shared_calls import SharedCalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

log = logging.getLogger(__name__)

SHARED_SECONDS = 10.0
"""Seconds that the merchants of a job share for sending or marking their orders."""
SHORTEST_TURN = 3.0
"""Seconds. A turn begins with a single call, so one that lasts a few slow calls would send nearly nothing."""
SEND_ORDERS = frozenset({JobName.SUBMIT, JobName.DRY_RUN})
"""Jobs that make several calls at once to the FCP."""
CALL_BIG_CARTEL = frozenset({JobName.POLL, JobName.TRACK})
"""Jobs that make several calls at once to Big Cartel. All others make one call at a time."""
LONGEST_JOB = 60.0
"""Seconds after which a job, whose calls are slow, leaves its other merchants to another one."""


def take_turns(name: JobName, ids: Sequence[int]) -> Iterator[tuple[int, RunContext]]:
    """Yield each id with the context of its turn. What is left when the job has taken too long goes to another job."""
    context = RunContext(turn=timedelta(seconds=max(SHORTEST_TURN, SHARED_SECONDS / len(ids))))
    began = time.monotonic()
    with calls_of(name) as share:
        for nth, id_ in enumerate(ids):
            if nth and time.monotonic() - began >= LONGEST_JOB:
                log.info("job.left_the_rest", extra={"left": len(ids) - nth})
                wake(Call(name, tuple(ids[nth:])))
                return
            yield id_, replace(context, calls_at_once=share.take())


def calls_of(name: JobName) -> SharedCalls:
    """Return the job's share of the calls that all workers together make at once."""
    given = settings()
    if name in SEND_ORDERS:
        host, wanted, limit = HostName.WAREHOUSE, given.fcp_concurrency, given.fcp_calls_at_once
    else:
        host, limit = HostName.BIG_CARTEL, given.bigcartel_calls_at_once
        wanted = CALLS_AT_ONCE if name in CALL_BIG_CARTEL else 1
    return SharedCalls(given.redis_url, host, wanted=wanted, limit=limit)
