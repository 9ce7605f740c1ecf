"""Errors of calls to Big Cartel and the warehouse, named after what the caller does next.

ServiceError
├── NotSent            the request had no effect: it is safe to send it again later
│   └── Throttled      the service asked us to wait (``retry_after`` seconds, if it said how long)
├── OutcomeUnknown     the request may have taken effect: check before sending it again
│   ├── UnexpectedAnswer   an answer arrived in a shape that we don't know
│   └── Busy               the service says that it can't process requests now
├── Rejected           the service rejected the request; ``words`` is its message
│   ├── Duplicate      the FCP already has this order number
│   └── NotFound       the service doesn't have what we requested (404)
└── Unauthorized       the credentials or the token were rejected: only a person can fix that

``ServiceError.cause`` sorts them by what is at fault, which decides who or what has to recover before a retry makes
sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as text, with every credential already redacted."""

    request: str
    answer: str = ""
    status: int | None = None


class Cause(Enum):
    """What is at fault when a call fails."""

    HOST = "host"
    """The service itself: it can't be reached, times out, returns errors, or says that it is busy."""
    REQUEST = "request"
    """What we asked for, such as an order with an unknown SKU."""
    ACCOUNT = "account"
    """The credentials or the token."""


class ServiceError(Exception):
    """A failed call to a service.

    ``str(error)`` is a sentence or two for logs and pages, without secrets or buyers' data. Its first letter is
    capitalized here because a message may begin with a name like "the warehouse".
    """

    cause: ClassVar[Cause] = Cause.HOST

    def __init__(self, message: str, *, service: str, words: str = "", exchange: Exchange | None = None) -> None:
        super().__init__(message[:1].upper() + message[1:])
        self.service = service
        self.words = words
        self.exchange = exchange


class NotSent(ServiceError):
    """The connection failed, the host name wasn't found, or the circuit is open: nothing reached the service."""


class Throttled(NotSent):
    """The service asked us to slow down (429) and did not process the request."""

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
    """A timeout, a reset, a server error, or a truncated answer after the request was sent."""


class UnexpectedAnswer(OutcomeUnknown):
    """An answer we couldn't read: HTML, a truncated document, wrong types, or too long."""


class Busy(OutcomeUnknown):
    """The service says that it can't process requests now: maintenance, overload, a lock, or "try again".

    ``words`` is its message. It doesn't prove that the request had no effect.
    """


class Rejected(ServiceError):
    """The service rejected the request; ``words`` is its message."""

    cause = Cause.REQUEST


class Duplicate(Rejected):
    """The FCP rejected an order number that it already has.

    ``is_certain`` is False when the rejection only sounds like a duplicate.
    """

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
    """A 404 for an order, a product, or a whole call."""


class Unauthorized(ServiceError):
    """The service rejected our credentials."""

    cause = Cause.ACCOUNT
