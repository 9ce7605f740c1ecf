"""What a failed call means: which error to raise, what it says, and whether to try again right away."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING

from requests.exceptions import ConnectTimeout, ReadTimeout
from urllib3.exceptions import DecodeError, NameResolutionError, NewConnectionError, ReadTimeoutError

from portal.clients.errors import (
    Busy,
    NotSent,
    OutcomeUnknown,
    Rejected,
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
"""Longest Retry-After, in seconds, that a call waits out itself; a longer one is left to the caller."""
LONGEST_RETRY_AFTER = 86_400.0
_UNREADABLE = "{service} sent an answer we couldn't read ({what})."


class Retry(Enum):
    """Which requests may be sent again after a failure."""

    NEVER = "never"
    READS = "reads"
    """Only a GET: the service may have acted on the request."""
    ALWAYS = "always"
    """Any request: it can't have reached the service."""


@dataclass(frozen=True, slots=True)
class FailedTry:
    """One failed try of a call. ``wait`` is the service's Retry-After in seconds."""

    error: ServiceError
    retry: Retry
    wait: float | None = None

    def pause_before(self, method: str, tries: int, jitter: float) -> float | None:
        """Return the seconds to wait before the next try, or None to give up. ``jitter`` is between 0 and 1."""
        if self.retry is Retry.NEVER:
            return None
        if self.retry is Retry.READS and method != "GET":
            return None
        if self.wait is None:
            return (0.1 + 0.2 * jitter) * 2.0 ** (tries - 1)
        return self.wait if self.wait <= LONGEST_WAIT else None


_Meaning = tuple[type[ServiceError], str, Retry]
_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], _Meaning], ...] = (
    (
        (NameResolutionError,),
        (NotSent, "we couldn't reach {service}: its host name wasn't found.", Retry.ALWAYS),
    ),
    (
        (ConnectTimeout,),
        (
            NotSent,
            "we couldn't reach {service}: the connection timed out after {connect:g} seconds.",
            Retry.READS,
        ),
    ),
    (
        (NewConnectionError,),
        (NotSent, "we couldn't reach {service}: the connection failed.", Retry.ALWAYS),
    ),
    (
        (ssl.SSLCertVerificationError,),
        (
            NotSent,
            "we couldn't reach {service}: its certificate couldn't be verified.",
            Retry.NEVER,
        ),
    ),
    (
        (DecodeError,),
        (UnexpectedAnswer, _UNREADABLE.format(service="{service}", what="it couldn't be decompressed"), Retry.NEVER),
    ),
    (
        (ReadTimeout, ReadTimeoutError),
        (OutcomeUnknown, "{service} timed out after {read:g} seconds.", Retry.READS),
    ),
)
_DROPPED: _Meaning = (
    OutcomeUnknown,
    "{service} closed the connection before its answer was complete.",
    Retry.READS,
)


def transport_problem(error: Exception, service: str, timeout: tuple[float, float], exchange: Exchange) -> FailedTry:
    """Return the failure for what requests or urllib3 raised while sending a request or reading its answer."""
    causes = tuple(_causes(error))
    kind, sentence, retry = next(
        (meaning for kinds, meaning in _MEANINGS if any(isinstance(cause, kinds) for cause in causes)),
        _DROPPED,
    )
    message = sentence.format(service=service, connect=timeout[0], read=timeout[1])
    return FailedTry(kind(message, service=service, exchange=exchange), retry)


def connection_dropped(service: str, exchange: Exchange) -> FailedTry:
    """Return the failure for an answer that ended too early without an exception."""
    kind, sentence, retry = _DROPPED
    return FailedTry(kind(sentence.format(service=service), service=service, exchange=exchange), retry)


def status_problem(
    status: int, headers: Mapping[str, str], *, service: str, words: str, exchange: Exchange, now: float
) -> FailedTry:
    """Return the failure for a status that ``is_decisive`` accepts and that isn't a success."""
    if status == 429:
        wait = retry_after(headers.get("Retry-After"), now)
        return FailedTry(
            Throttled(
                f"{service} asked us to slow down (HTTP 429) and didn't process the request.",
                service=service,
                retry_after=wait,
                words=words,
                exchange=exchange,
            ),
            Retry.NEVER if wait is None else Retry.READS,
            wait,
        )
    if status in {401, 403}:
        return FailedTry(unauthorized(service, f" (HTTP {status})", words=words, exchange=exchange), Retry.NEVER)
    if status == 408 or status >= 500:
        error = OutcomeUnknown(
            f"{service} returned an error (HTTP {status}).",
            service=service,
            words=words,
            exchange=exchange,
        )
        wait = retry_after(headers.get("Retry-After"), now) if status == 503 else None
        return FailedTry(error, Retry.READS if status in {502, 503, 504} else Retry.NEVER, wait)
    return FailedTry(unreadable(service, f"HTTP {status}", words=words, exchange=exchange), Retry.NEVER)


def is_decisive(status: int) -> bool:
    """Return whether a status alone decides which error to raise.

    2xx and the remaining 4xx statuses mean something only to the caller.
    """
    return not (200 <= status < 300 or 400 <= status < 500) or status in {401, 403, 408, 429}


def unreadable(service: str, what: str, *, words: str = "", exchange: Exchange | None = None) -> UnexpectedAnswer:
    """Return the error for an answer in an unknown shape; ``what`` says in a few words what is wrong with it."""
    message = _UNREADABLE.format(service=service, what=what)
    return UnexpectedAnswer(message, service=service, words=words, exchange=exchange)


def unauthorized(service: str, detail: str, *, words: str, exchange: Exchange) -> Unauthorized:
    """Return the error for rejected credentials; ``detail`` is appended to the sentence."""
    message = f"{service} rejected our credentials{detail}."
    return Unauthorized(message, service=service, words=words, exchange=exchange)


def rejected(service: str, detail: str, *, words: str, exchange: Exchange | None) -> Rejected:
    """Return the error for a rejected request; ``detail`` is appended to the sentence."""
    return Rejected(f"{service} rejected the request{detail}.", service=service, words=words, exchange=exchange)


def busy(service: str, detail: str, *, words: str, exchange: Exchange) -> Busy:
    """Return the error for a service that says it can't work now; ``detail`` is appended to the sentence."""
    message = f"{service} couldn't process the request just now{detail}."
    return Busy(message, service=service, words=words, exchange=exchange)


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds in a Retry-After header (a number or an HTTP date), from 0 to one day; None if unreadable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now, 0.0), LONGEST_RETRY_AFTER)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and everything it wraps; requests and urllib3 keep inner errors as an argument or a reason.

    ``__context__`` is skipped: it may be an older error that the caller was already handling.
    """
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [cause.__cause__, getattr(cause, "reason", None), *cause.args]
