"""Sending email: by SMTP, or as one .eml file per message in a folder, depending on MAIL_URL.

Built on the standard library. Flask-Mailman and its like know no opportunistic STARTTLS, don't check the server's
certificate when they use it, send a password over an unencrypted connection if told nothing else, and need Flask.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from config import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
"""Timeout of each network operation with the mail server."""
MAX_LINE_BYTES = 998
"""Without the line's end; a mail server may cut longer lines (RFC 5322, section 2.1.1)."""
UNSUBSCRIBE = "List-Unsubscribe"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailError(Exception):
    """The email was not sent. The message is for the page: why, and what to do.

    ``is_final`` means that the server will never deliver to this address, ``is_everyone`` that no email to anybody can
    be sent now: the server can't be reached, or isn't set up correctly.
    """

    def __init__(self, sentence: str, *, is_final: bool = False, is_everyone: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final
        self.is_everyone = is_everyone


class _Policy(EmailPolicy):
    """Writes an address in a header on one line: folding would encode it, and mail programs couldn't read it."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name == UNSUBSCRIBE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode() if name == UNSUBSCRIBE else super().fold_binary(name, value)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a mail from the outbox has besides its text."""

    html: str = ""
    message_id: str = ""
    """The part before the @. The same for each try, so that mail programs show a mail that arrives twice only once."""
    unsubscribe_url: str = ""
    """Turns this kind of mail off by a POST, without a log-in (RFC 8058)."""


NO_EXTRAS = Extras()


class _NoEncryptionError(smtplib.SMTPException):
    """The connection isn't encrypted, so the server would get our password in the clear."""


def send(settings: Settings, *, to: str, subject: str, text: str, extras: Extras = NO_EXTRAS) -> None:
    """Send one message to one address. Raises MailError. Don't call this with a database transaction open.

    MAIL_URL is smtp://user:password@host:port (STARTTLS where offered, and always before a password leaves this
    machine), smtps://…, or file:///folder; ``?from=address`` sets the sender.
    """
    url = urlsplit(settings.mail_url)
    host = urlsplit(settings.public_url).hostname or "localhost"
    try:
        message = _message(sender=_sender(url, host), to=to, subject=subject, text=text, extras=extras)
        if settings.support_email:
            message["Reply-To"] = settings.support_email
        if url.scheme == "file":
            _write(Path(unquote(url.path)), message)
        else:
            _deliver(url, message, our_name=host)
    except (OSError, ValueError) as error:
        # The error's text may contain the address, so only its type and the server's code are logged.
        detail = {"error": type(error).__name__, "code": getattr(error, "smtp_code", None)}
        log.error("mail.failed", extra=detail)  # noqa: TRY400 - a traceback has that text
        raise MailError(
            f"We couldn't send the email: {_cause_and_remedy(error)}",
            is_final=isinstance(error, smtplib.SMTPRecipientsRefused) and _is_permanent(error),
            is_everyone=not isinstance(
                error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError | smtplib.SMTPSenderRefused
            ),
        ) from error


def _is_permanent(error: smtplib.SMTPRecipientsRefused) -> bool:
    return all(code >= 500 for code, _words in error.recipients.values())


def _message(*, sender: str, to: str, subject: str, text: str, extras: Extras) -> EmailMessage:
    message = EmailMessage(_Policy())
    message["From"] = sender
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    domain = sender.rpartition("@")[2]
    message["Message-ID"] = f"<{extras.message_id}@{domain}>" if extras.message_id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    if extras.unsubscribe_url:
        message[UNSUBSCRIBE] = f"<{extras.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text, cte="8bit" if _has_short_lines(text) else "quoted-printable")
    if extras.html:
        message.add_alternative(extras.html, subtype="html", cte="quoted-printable")
    return message


def _has_short_lines(text: str) -> bool:
    return all(len(line.encode()) <= MAX_LINE_BYTES for line in text.splitlines())


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
