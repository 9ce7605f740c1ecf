"""Count the calls of a poll when nothing has changed. It must be one, however many orders are open.

Run it with ``python -m benchmarks.idle_poll``. Open orders are at the warehouse and still unshipped in Big Cartel. The
hourly sweep of the whole list doesn't count as an idle poll. The exit status is 1 if a poll made more than one call.
"""

from __future__ import annotations

import sys
import time

from benchmarks.fixtures import MERCHANT, connect, database, fill, session_on, settings_for
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.submit.run import submit_merchant
from sandbox.client import running_sandbox

OPEN_ORDERS = (0, 2_000)
POLLS = 5


def main() -> int:
    most = 0
    with running_sandbox() as sandbox:
        for orders in OPEN_ORDERS:
            fill(sandbox, orders)
            with database(None) as url, session_on(url) as session:
                settings = settings_for(sandbox, url, concurrency=8)
                store_id = connect(session, settings)
                poll_store(session, store_id, settings)
                submit_merchant(session, MERCHANT, settings)
                for _ in range(POLLS):
                    sandbox.clear_calls()
                    began = time.perf_counter()
                    poll_store(session, store_id, settings)
                    seconds = time.perf_counter() - began
                    calls = sum(sandbox.calls().values())
                    most = max(most, calls)
                    print(f"{orders:>6,} open orders: {calls} call{'s' * (calls != 1)}, {seconds * 1000:.0f} ms")
    return int(most > 1)


if __name__ == "__main__":
    sys.exit(main())
