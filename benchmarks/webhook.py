"""Measure how soon an order is at the warehouse after Big Cartel's webhook about it.

Run it with ``python -m benchmarks.webhook``. A worker, a schedule, Redis, SQLite, and the web page are real; stores are
synced every 60 seconds. Single orders come first, then a burst in which each event arrives while a sync is running.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from werkzeug.serving import make_server

from benchmarks.fixtures import ACCOUNT, environ_for, place
from benchmarks.results import Report, parser
from benchmarks.running_portal import CONCURRENCY, running_portal
from config import load_settings
from portal import create_app
from portal.models import OrderState
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.running_portal import RunningPortal
    from sandbox.client import Sandbox

SECRET = "the app's client secret"
SINGLE_ORDERS = 10
BURST, BETWEEN_EVENTS = 40, 0.05
"""Orders of a burst, and the seconds between two of its events."""
MOST_SECONDS = 5.0


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--single", type=int, default=SINGLE_ORDERS, help="orders one after the other")
    arguments.add_argument("--burst", type=int, default=BURST, help="orders of the burst")
    options = arguments.parse_args()
    report = Report("webhook", options)
    with running_sandbox() as sandbox, running_portal(sandbox, None, merchants=1, workers=1) as portal:
        portal.until_idle()
        with web(sandbox, portal) as url:
            # The first one waits for the jobs of the start: the first sweep, the product list, the checks.
            seconds_to_the_warehouse(sandbox, portal, url, 1)
            portal.until_idle()
            single = [seconds_to_the_warehouse(sandbox, portal, url, 1) for _ in range(options.single)]
            report.row(
                events="one by one", orders=options.single, median_s=statistics.median(single), most_s=max(single)
            )
            sandbox.clear_calls()
            last = seconds_to_the_warehouse(sandbox, portal, url, options.burst)
            portal.until_idle()
            calls = sum(sandbox.calls("bigcartel").values())
            events = f"one every {BETWEEN_EVENTS:g} s"
            report.row(events=events, orders=options.burst, after_the_last_s=last, calls_to_big_cartel=calls)
    report.goal("seconds from the webhook to the warehouse", max(*single, last), at_most=MOST_SECONDS)
    return report.finish()


def seconds_to_the_warehouse(sandbox: Sandbox, portal: RunningPortal, url: str, orders: int) -> float:
    """Place the orders with an event for each. Return how long after the last event all are at the warehouse."""
    there = portal.count(OrderState.SUBMITTED)
    for _ in range(orders):
        place(sandbox, 1)
        sent_at = time.monotonic()
        send_event(url)
        time.sleep(BETWEEN_EVENTS)  # the pace of the burst: it is what is measured, not waited for
    portal.until(lambda: portal.count(OrderState.SUBMITTED) == there + orders, f"{orders} orders sent", pause=0.01)
    return time.monotonic() - sent_at


def send_event(url: str) -> None:
    body = json.dumps({"account_id": ACCOUNT, "type": "order.created", "payload": {}}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = requests.post(url, data=body, headers={"X-Webhook-Signature": signature}, timeout=10)
    assert answer.status_code == 204, answer.status_code


@contextmanager
def web(sandbox: Sandbox, portal: RunningPortal) -> Iterator[str]:
    """Serve the pages, and yield the address of the webhook."""
    own = {"REDIS_URL": portal.redis_url, "BIGCARTEL_WEBHOOK_SECRETS": SECRET}
    database_url = portal.session.get_bind().engine.url.render_as_string(hide_password=False)
    app = create_app(load_settings({**environ_for(sandbox, database_url, CONCURRENCY), **own}))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks/bigcartel"
    finally:
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
