"""Post to a webhook's receiver, whose URL somebody else chose. Only the answer's status counts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from requests import PreparedRequest, RequestException
from requests.exceptions import ConnectionError as ConnectionFailed
from requests.exceptions import ConnectTimeout, SSLError, Timeout
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout as Seconds

from portal.clients.failures import retry_after
from portal.clients.http import USER_AGENT
from portal.clients.public_hosts import NotPublicError, PublicAdapter, is_numeric, is_public
from portal.clients.timed_reads import TimedAdapter, read_until

if TYPE_CHECKING:
    from collections.abc import Mapping

DEADLINE = 10.0
"""Seconds for a whole call, from resolving the name to the answer's status."""
MAX_URL = 2_000
HTTPS_PORT = 443
FIRST_FREE_PORT = 1024
"""Ports below it, but for https, belong to other services, such as mail, that a stranger could have us bother."""
NOT_A_URL = "Enter a complete URL that starts with https://."
INSIDE = "This isn't a public address, and we only post to public ones."


class UndeliveredError(Exception):
    """No answer came; the text is a sentence. ``is_final`` means that another try can't help."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Receipt:
    """The status of an answer, and the seconds that its Retry-After asked for."""

    status: int
    retry_after: float | None


def host_of(url: str) -> str:
    """Return the host, which is all of a webhook's URL that may be shown: the rest may be a secret."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def problem_with(url: str, *, private_allowed: bool) -> str:
    """Return why we wouldn't post to this URL, as far as its text tells, as a sentence; "" if we would.

    With ``private_allowed``, it may be any address, over http too.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return NOT_A_URL
    if not _is_complete(url, parts, {"https", "http"} if private_allowed else {"https"}):
        return NOT_A_URL
    if len(url) > MAX_URL:
        return f"Use at most {MAX_URL:,} characters."
    if parts.username is not None:
        return "Leave out the user name and password: they would be sent with every message."
    if port == 0 or (port is not None and port != HTTPS_PORT and port < FIRST_FREE_PORT and not private_allowed):
        return f"Use port {HTTPS_PORT}, or one from {FIRST_FREE_PORT} up."
    host = (parts.hostname or "").rstrip(".")
    is_inside = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    is_inside = is_inside or (is_numeric(host) and not is_public(host))
    return INSIDE if is_inside and not private_allowed else ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, private_allowed: bool, now: float) -> Receipt:
    """Post the body once and return the answer's status. Redirects aren't followed. Raises UndeliveredError.

    The certificate is verified, and the machine's proxies aren't used. The answer's body isn't read.
    """
    host = host_of(url)
    if problem := problem_with(url, private_allowed=private_allowed):
        raise UndeliveredError(f"We can't post to this URL. {problem}", is_final=True)
    adapter = TimedAdapter() if private_allowed else PublicAdapter()
    read_until.set(time.monotonic() + DEADLINE)
    try:
        request = _request(url, body, headers)
        with adapter.send(request, stream=True, timeout=Seconds(connect=DEADLINE, read=DEADLINE)) as response:  # type: ignore[arg-type]  # the stubs omit urllib3's Timeout
            return Receipt(response.status_code, retry_after(response.headers.get("Retry-After"), now))
    except NotPublicError:
        sentence = f"The address of {host} isn't a public one, so we didn't post to it."
        raise UndeliveredError(sentence, is_final=True) from None
    except (RequestException, HTTPError, OSError, ValueError) as error:
        raise UndeliveredError(_sentence(error, host)) from None
    finally:
        adapter.close()


def _is_complete(url: str, parts: SplitResult, schemes: set[str]) -> bool:
    is_clean = url.isprintable() and not any(character.isspace() or character == "\\" for character in url)
    return is_clean and parts.scheme in schemes and bool(parts.hostname)


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> PreparedRequest:
    request = PreparedRequest()
    request.prepare_method("POST")
    request.prepare_url(url, None)
    request.headers = CaseInsensitiveDict(
        {"User-Agent": USER_AGENT, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    )
    request.body = body
    return request


def _sentence(error: Exception, host: str) -> str:
    """Say what happened, without the error's own text: it contains the whole URL."""
    match error:
        case SSLError():
            return f"The certificate of {host} couldn't be verified."
        case ConnectTimeout():
            return f"We couldn't reach {host} within {DEADLINE:g} seconds."
        case Timeout() | TimeoutError():
            return f"{host} didn't answer within {DEADLINE:g} seconds."
        case ConnectionFailed():
            return f"We couldn't reach {host}, or it closed the connection without an answer."
        case _:
            return f"{host} didn't answer in a way that we understand."
