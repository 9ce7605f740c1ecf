"""Sending email: what the mail server receives, and the error when it fails."""

from __future__ import annotations

import socketserver
import threading
from contextlib import suppress
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from portal import mail
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config import Settings


class Server(socketserver.ThreadingTCPServer):
    """A minimal mail server; ``reject`` maps a command to the reply it gets."""

    daemon_threads = True
    server_address: tuple[str, int]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reject: dict[str, str] = {}
        self.extensions: tuple[str, ...] = ("AUTH PLAIN",)
        self.heard: list[str] = []
        self.received: list[bytes] = []

    @property
    def port(self) -> int:
        return self.server_address[1]


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client may disconnect at any time
            self._converse()

    def _converse(self) -> None:
        self._say("220 here")
        for line in self.rfile:
            command = line.decode("latin-1").strip()
            self.server.heard.append(command)
            verb = command.partition(" ")[0].upper()
            if verb in self.server.reject:
                self._say(self.server.reject[verb])
            elif verb == "EHLO":
                self._say("250-here")
                for extension in self.server.extensions:
                    self._say(f"250-{extension}")
                self._say("250 OK")
            elif verb == "AUTH":
                self._say("235 Authenticated")
            elif verb == "DATA":
                self._say("354 Send it")
                self.server.received.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self._say("250 Accepted")
            else:
                self._say("250 OK")
            if verb == "QUIT":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(mail_url: str, **more: str) -> Settings:
    return settings_for("sqlite://", MAIL_URL=mail_url, PUBLIC_URL="https://portal.example", **more)


def send(mail_url: str, *, to: str = "a@b.example", subject: str = "Hello", text: str = "A link:\nhttps://x/y") -> None:
    mail.send(settings(mail_url), to=to, subject=subject, text=text)


def test_email_is_sent_by_smtp_with_the_password(server: Server) -> None:
    send(f"smtp://us%40portal.example:p%3Aw@127.0.0.1:{server.port}", subject="Été\n2026", text="Grüße")
    message = message_from_bytes(server.received[0], policy=policy.default)
    assert message["From"] == "us@portal.example"
    assert message["To"] == "a@b.example"
    assert message["Subject"] == "Été 2026"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().strip() == "Grüße"
    assert any(heard.startswith("AUTH PLAIN AHVzQHBvcnRhbC5leGFtcGxlAHA6dw==") for heard in server.heard)
    assert "ehlo portal.example" in server.heard


@pytest.mark.parametrize(
    ("query", "sender"), [("", "portal@portal.example"), ("?from=shop%40fern.example", "shop@fern.example")]
)
def test_sender_is_the_configured_address_or_the_portals(server: Server, query: str, sender: str) -> None:
    send(f"smtp://127.0.0.1:{server.port}{query}")
    assert message_from_bytes(server.received[0])["From"] == sender
    assert not [heard for heard in server.heard if heard.startswith("AUTH")]


@pytest.mark.parametrize(
    ("verb", "answer", "words"),
    [
        ("RCPT", "550 No such person", "rejected this address"),
        ("MAIL", "451 Later", "mail server rejected it"),
        ("DATA", "554 No", "mail server rejected it"),
        ("AUTH", "535 Wrong", "isn't set up correctly"),
    ],
)
def test_rejected_email_raises_a_sentence_without_secrets(server: Server, verb: str, answer: str, words: str) -> None:
    server.reject[verb] = answer
    with pytest.raises(mail.MailError, match=words) as caught:
        send(f"smtp://us:s3cret@127.0.0.1:{server.port}")
    assert "s3cret" not in str(caught.value)
    assert server.received == []


def test_silent_server_times_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(Handler, "handle", lambda self: self.rfile.read())
    with pytest.raises(mail.MailError, match="isn't responding"):
        send(f"smtp://127.0.0.1:{server.port}")


def test_missing_server_is_reported() -> None:
    with pytest.raises(mail.MailError, match="isn't responding"):
        send("smtp://127.0.0.1:1")


def test_password_is_never_sent_over_the_network_unencrypted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_LOOPBACK", frozenset())
    with pytest.raises(mail.MailError, match="isn't set up correctly"):
        send(f"smtp://us:s3cret@127.0.0.1:{server.port}")
    assert not [heard for heard in server.heard if heard.startswith("AUTH")]


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_tls_starts_before_the_password_is_sent(server: Server, scheme: str) -> None:
    server.extensions = ("STARTTLS", "AUTH PLAIN")
    server.reject["STARTTLS"] = "454 Not now"
    with pytest.raises(mail.MailError):
        send(f"{scheme}://us:s3cret@127.0.0.1:{server.port}")
    assert not [heard for heard in server.heard if heard.startswith("AUTH")]


def test_mail_folder_gets_one_private_file_per_email(tmp_path: Path) -> None:
    folder = tmp_path / "a folder" / "mail"
    url = f"file://{folder}".replace(" ", "%20")
    for number in range(3):
        send(url, subject=f"Number {number}")
    files = sorted(folder.iterdir())
    assert [path.suffix for path in files] == [".eml"] * 3
    assert [message_from_bytes(path.read_bytes())["Subject"] for path in files] == [f"Number {n}" for n in range(3)]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("to", ["a..b@c.example", "x@y", "a'b@c.example", "{|}~@c.example", "a.@c.example"])
def test_every_address_the_forms_accept_can_receive_email(server: Server, to: str) -> None:
    send(f"smtp://127.0.0.1:{server.port}", to=to)
    assert message_from_bytes(server.received[0])["To"] == to
    assert f"rcpt TO:<{to}>" in server.heard
