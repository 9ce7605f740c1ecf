"""One durable DBOS workflow of one step for each order, enqueued with the numbers on standard input.

The worker is ``python -m benchmarks.peers.dbos_workflows work``. It looks for work 50 times a second, because DBOS by
default looks once a second, and would send no more than eight orders each time.
"""

from __future__ import annotations

import os
import sys
import threading

from dbos import DBOS, DBOSClient, DBOSConfig

from benchmarks.peers.send import send

QUEUE, AT_ONCE, LOOK_EVERY = "orders", 8, 0.02
DATABASE = os.environ["PEERS_DATABASE"]


@DBOS.step()
def post(number: str) -> None:
    send(number)


@DBOS.workflow()
def send_order(number: str) -> None:
    post(number)


def work() -> None:
    """Run workflows until the process is terminated."""
    DBOS(config=DBOSConfig(name="peers", system_database_url=DATABASE, log_level="WARNING"))
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=LOOK_EVERY)
    threading.Event().wait()


def enqueue() -> None:
    client = DBOSClient(system_database_url=DATABASE, application_name="peers")
    for line in sys.stdin:
        client.enqueue({"queue_name": QUEUE, "workflow_name": send_order.__qualname__}, line.strip())
    client.destroy()


if __name__ == "__main__":
    work() if sys.argv[1:] == ["work"] else enqueue()
