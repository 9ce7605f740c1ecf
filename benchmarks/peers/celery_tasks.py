"""One Celery task for each order, enqueued with the numbers on standard input.

The worker is ``celery --app benchmarks.peers.celery_tasks worker``.
"""

from __future__ import annotations

import os
import sys

from celery import Celery

from benchmarks.peers.send import send

app = Celery("peers", broker=os.environ["PEERS_REDIS"])
app.conf.update(task_ignore_result=True, task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="send_order")
def send_order(number: str) -> None:
    send(number)


if __name__ == "__main__":
    with app.connection_for_write() as connection, app.amqp.producer_pool.acquire(block=True) as producer:
        for line in sys.stdin:
            send_order.apply_async((line.strip(),), producer=producer, connection=connection)
