"""Turns: a job works for several merchants or stores in turn, and others wait for the worker meanwhile.

So no turn is long. A merchant with more to do than fits into its turn goes to the back of the queue.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.current import wake
from portal.fulfillment.run_context import RunContext
from portal.queue import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.queue import JobName

log = logging.getLogger(__name__)

SHARED_SECONDS = 10.0
"""Seconds that the merchants of a job share for sending or marking their orders."""
SHORTEST_TURN = 3.0
"""Seconds. A turn begins with a single call, so one that lasts a few slow calls would send nearly nothing."""
LONGEST_JOB = 60.0
"""Seconds after which a job, whose calls are slow, leaves its other merchants to another one."""


def take_turns(name: JobName, ids: Sequence[int]) -> Iterator[tuple[int, RunContext]]:
    """Yield each id with the context of its turn. What is left when the job has taken too long goes to another job."""
    context = RunContext(turn=timedelta(seconds=max(SHORTEST_TURN, SHARED_SECONDS / len(ids))))
    began = time.monotonic()
    for nth, id_ in enumerate(ids):
        if nth and time.monotonic() - began >= LONGEST_JOB:
            log.info("job.left_the_rest", extra={"left": len(ids) - nth})
            wake(Call(name, tuple(ids[nth:])))
            return
        yield id_, context
