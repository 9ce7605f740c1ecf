"""How many calls a poll makes when nothing has changed, however many orders are open. It must be one.

Run it with ``python -m benchmarks.idle_poll``. Open orders are at the warehouse and still unshipped in the shop. The
full sweep of the list, hourly by design, is not an idle poll. Exits with 1 when a poll made more calls than one.
"""

from __future__ import annotations

import sys
import time

from benchmarks.shop import MERCHANT, connect, database, fill, session_on, settings_for
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
