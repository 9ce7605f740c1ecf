"""Sending email: by SMTP, or as one .eml file per message in a folder, depending on MAIL_URL."""

from __future__ import annotations

import logging
import smtplib
import ssl
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from config import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
"""Timeout of each network operation with the mail server."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailError(Exception):
    """The email was not sent. The message is for the page: why, and what to do."""


class _NoEncryptionError(smtplib.SMTPException):
    """The connection isn't encrypted, so the server would get our password in the clear."""


def send(settings: Settings, *, to: str, subject: str, text: str) -> None:
    """Send one message to one address. Raises MailError. Don't call this with a database transaction open.

    MAIL_URL is smtp://user:password@host:port (STARTTLS where offered, and always before a password leaves this
    machine), smtps://…, or file:///folder; ``?from=address`` sets the sender.
    """
    url = urlsplit(settings.mail_url)
    host = urlsplit(settings.public_url).hostname or "localhost"
    try:
        message = _message(sender=_sender(url, host), to=to, subject=subject, text=text)
        if url.scheme == "file":
            _write(Path(unquote(url.path)), message)
        else:
            _deliver(url, message, our_name=host)
    except (OSError, ValueError) as error:
        # The error's text may contain the address, so only its type and the server's code are logged.
        detail = {"error": type(error).__name__, "code": getattr(error, "smtp_code", None)}
        log.error("mail.failed", extra=detail)  # noqa: TRY400 - a traceback has that text
        raise MailError(f"We couldn't send the email: {_cause_and_remedy(error)}") from error


def _message(*, sender: str, to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="8bit")
    return message


def _sender(url: SplitResult, host: str) -> str:
    given = parse_qs(url.query).get("from")
    if given:
        return given[0]
    user = unquote(url.username or "")
    return user if "@" in user else f"portal@{host}"


def _write(folder: Path, message: EmailMessage) -> None:
    """Write the file atomically and readable by its owner only: it may contain a link that opens an account."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{uuid.uuid4().hex[:6]}"
    draft = folder / f"{name}.part"
    draft.touch(mode=0o600)
    draft.write_bytes(message.as_bytes())
    draft.replace(folder / f"{name}.eml")


def _deliver(url: SplitResult, message: EmailMessage, *, our_name: str) -> None:
    if not url.hostname:
        raise ValueError("MAIL_URL has no host.")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    tls = ssl.create_default_context()
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(
            url.hostname, url.port or 465, local_hostname=our_name, timeout=TIMEOUT_SECONDS, context=tls
        )
    else:
        port = url.port or (587 if user else 25)
        server = smtplib.SMTP(url.hostname, port, local_hostname=our_name, timeout=TIMEOUT_SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=tls)
            server.ehlo()
        elif url.scheme == "smtp" and user and url.hostname not in _LOOPBACK:
            raise _NoEncryptionError
        if user:
            server.login(user, password)
        server.send_message(message)
        with suppress(OSError):  # the message is already accepted
            server.quit()
    finally:
        server.close()


def _cause_and_remedy(error: OSError | ValueError) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return "the mail server rejected this address. Check its spelling."
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPNotSupportedError() | _NoEncryptionError() | ValueError():
            return "the portal's mail server isn't set up correctly. Tell support; nothing is lost."
        case TimeoutError() | ConnectionError() | smtplib.SMTPServerDisconnected():
            return "the mail server isn't responding. Try again in a few minutes."
        case smtplib.SMTPException():
            return "the mail server rejected it. Try again in a few minutes."
        case _:
            return "we couldn't reach the mail server. Try again in a few minutes. If it still fails, tell support."
