"""HTTP calls: retried only where that is safe, with every failure named after what the caller does next."""

from __future__ import annotations

import base64
import random
import time
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from requests import PreparedRequest, RequestException, Response
from requests.structures import CaseInsensitiveDict
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from portal.clients.circuit import Circuit, shared_circuit
from portal.clients.connections import shared_adapter
from portal.clients.errors import Exchange, NotSent, OutcomeUnknown, ServiceError, Throttled
from portal.clients.failures import (
    TRIES,
    FailedTry,
    Retry,
    connection_dropped,
    is_decisive,
    status_problem,
    transport_problem,
    unreadable,
)
from portal.clients.redact import longest_encoding, redact
from portal.clients.timed_reads import read_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["USER_AGENT", "Answer", "Circuit", "Http"]

USER_AGENT = "Big-Cartel-FCP-Portal/0.1 (https://www.efulfillmentservice.com/)"
EXCHANGE_CHARS = 65_536
WORDS_CHARS = 1_000
_CHUNK = 65_536


class Answer:
    """A service's answer: ``headers`` ignore case, ``body`` is decompressed, ``exchange`` is for the records."""

    __slots__ = ("_request", "_secrets", "body", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, *, request: str, secrets: tuple[str, ...]
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self._request = request
        self._secrets = secrets

    @property
    def exchange(self) -> Exchange:
        """The request and the answer as text, with credentials redacted, cut to 65,536 characters each."""
        answer = _record(_as_text(self.body), self._secrets)
        return Exchange(request=_record(self._request, self._secrets), answer=answer, status=self.status)

    def redacted(self, words: str) -> str:
        """Return ``words`` of this answer on one line, without credentials and short enough for a message."""
        return redact(" ".join(words.split()), self._secrets)[:WORDS_CHARS]


class Http:
    """A client for one service, for any number of threads. All clients share the connections of this process.

    ``service`` is its name within a sentence that people read. ``timeout`` is (connect, read) in seconds;
    ``deadline`` limits a whole call with its retries, in seconds, and ``tries`` how often it is sent at most. The
    machine's proxies and .netrc are not used.
    """

    def __init__(
        self,
        service: str,
        *,
        max_bytes: int,
        timeout: tuple[float, float] = (5.0, 20.0),
        deadline: float = 60.0,
        tries: int = TRIES,
        secrets: tuple[str, ...] = (),
        circuit: Circuit | None = None,
        user_agent: str = USER_AGENT,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.service = service
        self._max_bytes = max_bytes
        self._seconds = timeout
        self._timeout = Timeout(connect=timeout[0], read=timeout[1])
        self._deadline = deadline
        self._tries = tries
        self._secrets = secrets
        self._circuit = shared_circuit if circuit is None else circuit
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"}
        self._clock = clock
        self._now = now
        self._sleep = sleep

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        auth: tuple[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        words: Callable[[bytes], str] | None = None,
    ) -> Answer:
        """Send one request and return its answer, unless its status alone decides which error to raise.

        Raises NotSent (invalid URL, host name not found, connection failed or timed out, circuit open), Throttled
        (429), Unauthorized (401, 403), OutcomeUnknown (5xx, 408, timeout or dropped connection after sending), and
        UnexpectedAnswer (3xx, longer than ``max_bytes``, can't be decompressed). Other answers are returned.
        ``secrets`` are redacted from records in addition to this client's own. ``words`` extracts the service's own
        explanation from the body of an answer that is raised as an error; it must not raise.
        """
        secrets = self._secrets + secrets
        try:
            request = self._prepare(method, url, headers=headers, params=params, data=data, auth=auth)
        except (RequestException, ValueError):
            raise NotSent(
                f"we couldn't reach {self.service}: its address isn't a valid URL.",
                service=self.service,
            ) from None
        record = _as_text(data) if data is not None else f"{method} {request.url}"
        host = urlsplit(url).netloc
        if not self._circuit.allows(host):
            raise NotSent(
                f"we couldn't reach {self.service} several times in a row, so calls to it are paused for 30 seconds.",
                service=self.service,
                exchange=Exchange(_record(record, secrets)),
            )
        started = self._clock()
        tries = 1
        while True:
            outcome = self._try(request, record, secrets, words, started)
            if isinstance(outcome, Answer):
                self._circuit.succeeded(host)
                return outcome
            pause = outcome.pause_before(method, tries, random.random())  # noqa: S311 - jitter, not a secret
            if pause is None or tries >= self._tries or self._clock() - started + pause >= self._deadline:
                self._report(host, outcome.error)
                raise outcome.error
            self._sleep(pause)
            tries += 1

    def _prepare(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        data: bytes | None,
        auth: tuple[str, str] | None,
    ) -> PreparedRequest:
        """Build the request without a Session, whose preparation costs more than the rest of a call."""
        request = PreparedRequest()
        request.method = method
        query = urlencode(params or {}, quote_via=quote)
        request.url = _address(f"{url}{'&' if '?' in url else '?'}{query}" if query else url)
        merged: CaseInsensitiveDict[str] = CaseInsensitiveDict(self._headers)
        if headers:
            merged.update(headers)
        if auth is not None:
            merged["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        if data is not None:
            merged["Content-Length"] = str(len(data))
        request.headers = merged
        request.body = data
        return request

    def _try(
        self,
        request: PreparedRequest,
        record: str,
        secrets: tuple[str, ...],
        words: Callable[[bytes], str] | None,
        started: float,
    ) -> Answer | FailedTry:
        read_until.set(time.monotonic() + self._deadline - (self._clock() - started))
        try:
            response = shared_adapter().send(request, stream=True, timeout=self._timeout)  # type: ignore[arg-type]  # the stubs omit urllib3's Timeout
            try:
                body = self._read(response, started)
            finally:
                response.close()
        except (RequestException, HTTPError, OSError) as error:
            exchange = Exchange(_record(record, secrets))
            failed = transport_problem(error, self.service, self._seconds, exchange)
            is_late = isinstance(failed.error, OutcomeUnknown) and self._clock() - started >= self._deadline
            return self._too_slow(exchange) if is_late else failed
        status = response.status_code
        answer = Answer(status, response.headers, body or b"", request=record, secrets=secrets)
        if body is None:
            return self._too_long_or_slow(answer, started)
        if not is_decisive(status):
            return answer if body or _is_complete(answer) else connection_dropped(self.service, answer.exchange)
        return status_problem(
            status,
            response.headers,
            service=self.service,
            words=answer.redacted(words(body)) if words else "",
            exchange=answer.exchange,
            now=self._now(),
        )

    def _read(self, response: Response, started: float) -> bytes | None:
        """Read the body as it arrives; return None when it exceeds the size limit or the deadline."""
        raw = response.raw
        body: bytes = raw.read1(_CHUNK, decode_content=True)
        whole = raw.length_remaining == 0 and "Content-Encoding" not in response.headers
        if whole or not body:
            return body if len(body) <= self._max_bytes else None
        chunks = [body]
        size = len(body)
        while size <= self._max_bytes and self._clock() - started < self._deadline:
            chunk: bytes = raw.read1(_CHUNK, decode_content=True)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
            size += len(chunk)
        return None

    def _too_long_or_slow(self, answer: Answer, started: float) -> FailedTry:
        if self._clock() - started >= self._deadline:
            return self._too_slow(answer.exchange)
        error = unreadable(self.service, f"longer than {self._max_bytes:,} bytes", exchange=answer.exchange)
        return FailedTry(error, Retry.NEVER)

    def _too_slow(self, exchange: Exchange) -> FailedTry:
        error = OutcomeUnknown(
            f"{self.service} took longer than {self._deadline:g} seconds to answer.",
            service=self.service,
            exchange=exchange,
        )
        return FailedTry(error, Retry.NEVER)

    def _report(self, host: str, error: ServiceError) -> None:
        """Tell the circuit. Only an unreachable host counts as failing; a bad answer may affect just one merchant."""
        if isinstance(error, NotSent) and not isinstance(error, Throttled):
            self._circuit.failed(host)
        elif not isinstance(error, OutcomeUnknown):
            self._circuit.succeeded(host)


def _is_complete(empty: Answer) -> bool:
    """Return whether the body was meant to be empty; a connection cut within the headers looks the same.

    That matters for a success only: an error status is in the first line, so it did arrive.
    """
    return (
        empty.status == 204
        or empty.status >= 400
        or "Content-Length" in empty.headers
        or "Transfer-Encoding" in empty.headers
    )


@lru_cache(maxsize=256)
def _address(url: str) -> str:
    """Return the URL as it is sent, with international names and special characters encoded."""
    request = PreparedRequest()
    request.prepare_url(url, None)
    return request.url or url


def _as_text(data: bytes) -> str:
    """Decode a body for people to read, without the NULs that UTF-16 leaves in it: databases reject them."""
    return data.decode("utf-8", "replace").replace("\0", "")


def _record(text: str, secrets: tuple[str, ...]) -> str:
    """Redact text, then cut it: cutting first could leave half a credential at the end."""
    margin = longest_encoding(secrets)
    redacted = redact(text[: EXCHANGE_CHARS + margin], secrets)
    if len(text) > EXCHANGE_CHARS + margin:
        redacted = redacted[: len(redacted) - margin]
    return redacted[:EXCHANGE_CHARS]
