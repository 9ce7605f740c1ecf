"""What a failed call means: which error it is, and whether it may be sent again at once."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING

from requests.exceptions import ConnectTimeout, ReadTimeout
from urllib3.exceptions import DecodeError, NameResolutionError, NewConnectionError, ReadTimeoutError

from portal.clients.errors import (
    NotSent,
    OutcomeUnknown,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.clients.errors import Exchange

TRIES = 3
LONGEST_WAIT = 5.0
"""Seconds that a call waits by itself when a service says Retry-After; a longer wish goes to the caller."""
LONGEST_RETRY_AFTER = 86_400.0
_UNKNOWN = "so it is not known whether the request took effect."
_NOTHING = "Nothing was sent."


class Again(Enum):
    """When the same request may go out once more."""

    NEVER = "never"
    READS = "reads"
    """Only if it changes nothing: the service may have acted on it."""
    ALWAYS = "always"
    """It cannot have reached the service."""


@dataclass(frozen=True, slots=True)
class FailedTry:
    """One try that failed. ``wait`` is what the service asked for, in seconds."""

    error: ServiceError
    again: Again
    wait: float | None = None

    def pause_before(self, method: str, tries: int, jitter: float) -> float | None:
        """Seconds to wait before the next try, None when there must be none. ``jitter`` is from 0 to 1."""
        if tries >= TRIES or self.again is Again.NEVER:
            return None
        if self.again is Again.READS and method != "GET":
            return None
        if self.wait is None:
            return (0.1 + 0.2 * jitter) * 2.0 ** (tries - 1)
        return self.wait if self.wait <= LONGEST_WAIT else None


_Meaning = tuple[type[ServiceError], str, Again]
_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], _Meaning], ...] = (
    ((NameResolutionError,), (NotSent, f"could not be found by its name. {_NOTHING}", Again.ALWAYS)),
    (
        (ConnectTimeout,),
        (NotSent, f"did not take the connection within {{connect:g}} seconds. {_NOTHING}", Again.READS),
    ),
    ((NewConnectionError,), (NotSent, f"did not take the connection. {_NOTHING}", Again.ALWAYS)),
    (
        (ssl.SSLCertVerificationError,),
        (NotSent, f"has a certificate that could not be verified. {_NOTHING}", Again.NEVER),
    ),
    (
        (DecodeError,),
        (UnexpectedAnswer, f"sent an answer that could not be unpacked, {_UNKNOWN}", Again.NEVER),
    ),
    (
        (ReadTimeout, ReadTimeoutError),
        (OutcomeUnknown, f"did not answer within {{read:g}} seconds, {_UNKNOWN}", Again.READS),
    ),
)
_BROKEN_OFF: _Meaning = (
    OutcomeUnknown,
    f"broke off the connection before its answer was complete, {_UNKNOWN}",
    Again.READS,
)


def transport_problem(error: Exception, service: str, timeout: tuple[float, float], exchange: Exchange) -> FailedTry:
    """Name what requests or urllib3 raised while a request was sent or its answer read."""
    causes = tuple(_causes(error))
    kind, sentence, again = next(
        (meaning for kinds, meaning in _MEANINGS if any(isinstance(cause, kinds) for cause in causes)),
        _BROKEN_OFF,
    )
    told = sentence.format(connect=timeout[0], read=timeout[1])
    return FailedTry(kind(f"{service} {told}", service=service, exchange=exchange), again)


def broken_off(service: str, exchange: Exchange) -> FailedTry:
    """An answer that ended too early without anybody noticing."""
    kind, sentence, again = _BROKEN_OFF
    return FailedTry(kind(f"{service} {sentence}", service=service, exchange=exchange), again)


def status_problem(
    status: int, headers: Mapping[str, str], *, service: str, words: str, exchange: Exchange, now: float
) -> FailedTry:
    """Name an answer whose status alone settles the next step (see ``settles``)."""
    if status == 429:
        wait = retry_after(headers.get("Retry-After"), now)
        return FailedTry(
            Throttled(
                f"{service} asks us to send less for now (HTTP 429); the request was not looked at.",
                service=service,
                retry_after=wait,
                words=words,
                exchange=exchange,
            ),
            Again.NEVER if wait is None else Again.READS,
            wait,
        )
    if status in {401, 403}:
        error: ServiceError = Unauthorized(
            f"{service} does not accept our credentials (HTTP {status}).",
            service=service,
            words=words,
            exchange=exchange,
        )
        return FailedTry(error, Again.NEVER)
    if status == 408 or status >= 500:
        error = OutcomeUnknown(
            f"{service} answered with an error of its own (HTTP {status}), {_UNKNOWN}",
            service=service,
            words=words,
            exchange=exchange,
        )
        wait = retry_after(headers.get("Retry-After"), now) if status == 503 else None
        return FailedTry(error, Again.READS if status in {502, 503, 504} else Again.NEVER, wait)
    error = UnexpectedAnswer(
        f"{service} answered with HTTP {status} instead of a result, {_UNKNOWN}",
        service=service,
        words=words,
        exchange=exchange,
    )
    return FailedTry(error, Again.NEVER)


def settles(status: int) -> bool:
    """Whether a status is for the transport to name; 2xx and the other 4xx mean something to the caller."""
    return not (200 <= status < 300 or 400 <= status < 500) or status in {401, 403, 408, 429}


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from a Retry-After header (a number or an HTTP date), from 0 to one day; None if unreadable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now, 0.0), LONGEST_RETRY_AFTER)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: requests and urllib3 keep the inner one as an argument or as a reason.

    Never the context: that may be an older error, which the caller was handling when it called.
    """
    pending: list[object] = [error]
    met: set[int] = set()
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in met:
            continue
        met.add(id(cause))
        yield cause
        pending += [cause.__cause__, getattr(cause, "reason", None), *cause.args]
