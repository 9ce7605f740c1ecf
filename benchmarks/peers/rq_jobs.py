"""One RQ job for each order. The workers: ``rq worker-pool``. To enqueue: numbers on standard input."""

from __future__ import annotations

import os
import sys

from redis import Redis
from rq import Queue

if __name__ == "__main__":
    queue = Queue("peers", connection=Redis.from_url(os.environ["PEERS_REDIS"]))
    queue.enqueue_many(
        [Queue.prepare_data("benchmarks.peers.send.send", (line.strip(),), result_ttl=0) for line in sys.stdin]
    )
