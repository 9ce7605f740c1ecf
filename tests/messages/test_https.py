"""Receivers of webhooks: one without a trusted certificate gets nothing, and one that drips is given up."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from benchmarks.certificates import self_signed
from tests.clients.raw_server import Connection, raw_server
from tests.messages.test_webhooks import save, send_test

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.messages.conftest import Outbox


def test_a_certificate_that_nobody_trusts_is_refused_and_the_message_kept(outbox: Outbox, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path, "127.0.0.1"))

    def speaks_tls(connection: Connection) -> None:
        with context.wrap_socket(connection.peer, server_side=True) as peer:
            Connection(connection.server, peer).read_request()

    with raw_server(speaks_tls) as server:
        save(outbox, server.url.replace("http:", "https:"))
        message = send_test(outbox)
    assert server.requests == []
    assert message.error == "The certificate of 127.0.0.1 couldn't be verified."
    assert message.next_attempt_at is not None


def test_a_receiver_that_drips_is_given_up_at_the_deadline(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.clients.webhook.DEADLINE", 0.5)

    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.peer.sendall(b"HTTP/1.1 200 OK\r\n")
        while not connection.server.over.wait(0.05):
            connection.peer.sendall(b"A: b\r\n")

    with raw_server(drip) as server:
        save(outbox, server.url)
        began = time.monotonic()
        message = send_test(outbox)
        assert time.monotonic() - began < 5
    assert message.error == "127.0.0.1 didn't answer within 0.5 seconds."
    assert message.next_attempt_at is not None
