"""A real SMTP server for tests, which can be stopped, started again, and refuse recipients."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

from embedded.redis import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What the server accepted, and what it refuses."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """The answer to each of these recipients."""
    on_message: Callable[[], None] = lambda: None
    """Called when a mail has been accepted, before the client hears of it."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def subjects(self, recipient: str | None = None) -> list[str]:
        return [str(one["Subject"]) for one in self.received if recipient in {None, str(one["To"])}]

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        content = envelope.content.replace(b"\r\n", b"\n")
        self.raw.append(content.decode())
        self.received.append(message_from_bytes(content, policy=policy.default))
        self.on_message()
        return "250 OK"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the server for the block, always on the same port."""
        self.port = self.port or free_port()
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()
