"""What can go wrong at the other side, named after what the caller does next.

ServiceError
├── NotSent            the request never took effect: safe to send again later
│   └── Throttled      the service asked us to wait (``retry_after`` seconds, when it said so)
├── OutcomeUnknown     the request may have taken effect: ask before sending again
│   └── UnexpectedAnswer   an answer came, in a shape that nobody described to us
├── Rejected           the service understood and said no; ``words`` are its own
│   ├── Duplicate      the FCP has this order number already
│   └── NotFound       the thing asked for is not there (404)
└── Unauthorized       the credentials or the token are refused: only a person can mend it
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as text, every credential already struck out."""

    request: str
    answer: str = ""
    status: int | None = None


class ServiceError(Exception):
    """A call failed. ``str(error)`` is one sentence without secrets or buyers' data, fit for a log and a page."""

    def __init__(self, message: str, *, service: str, words: str = "", exchange: Exchange | None = None) -> None:
        super().__init__(message)
        self.service = service
        self.words = words
        self.exchange = exchange


class NotSent(ServiceError):
    """Connection refused, name not found, circuit open: nothing reached the service."""


class Throttled(NotSent):
    """The service refused to look at the request for now (429)."""

    def __init__(
        self,
        message: str,
        *,
        service: str,
        retry_after: float | None = None,
        words: str = "",
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__(message, service=service, words=words, exchange=exchange)
        self.retry_after = retry_after


class OutcomeUnknown(ServiceError):
    """Time-out, reset, server error or cut-off answer after the request was out."""


class UnexpectedAnswer(OutcomeUnknown):
    """The answer is none that we know: HTML, half a document, wrong types, too long."""


class Rejected(ServiceError):
    """A clear no, in the service's own words (``words``)."""


class Duplicate(Rejected):
    """The FCP refuses an order number that it already has; not ``is_certain`` when its words only sound like it."""

    def __init__(
        self,
        message: str,
        *,
        service: str,
        words: str = "",
        exchange: Exchange | None = None,
        is_certain: bool = True,
    ) -> None:
        super().__init__(message, service=service, words=words, exchange=exchange)
        self.is_certain = is_certain


class NotFound(Rejected):
    """404 for one thing (an order, a product, a call)."""


class Unauthorized(ServiceError):
    """The service does not accept our credentials."""
