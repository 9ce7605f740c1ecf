"""Send one order exactly once: claim it in the database, post it on a kept connection, record the answer.

Runs in the peers' own virtual environment, without anything of the portal's.
"""

from __future__ import annotations

import os
import threading

import psycopg
import requests

_local = threading.local()


def send(number: str) -> None:
    """Send the order if nobody else has claimed it."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.trust_env = False
        _local.database = psycopg.connect(os.environ["PEERS_DATABASE"], autocommit=True)
    claim = "UPDATE outbox SET state = 'sending' WHERE number = %s AND state = 'ready' RETURNING body"
    claimed = _local.database.execute(claim, [number]).fetchone()
    if claimed is None:
        return
    answer = _local.session.post(
        os.environ["PEERS_URL"], data=claimed[0].encode(), headers={"Content-Type": "text/xml"}, timeout=(5, 20)
    )
    state = "sent" if b"<Status>Success</Status>" in answer.content else "failed"
    record = "UPDATE outbox SET state = %s, answer = %s WHERE number = %s"
    _local.database.execute(record, [state, answer.text, number])
