"""Rate limits of log-in, sign-up and password reset, which slow guessing down without locking anyone out.

What someone tries to get at (an account, a merchant) is limited three times: for each address that tries, for each
network, and altogether. Each network's first tries don't count altogether, so they always pass, however many others
try. SECURITY.md explains the scheme. Keys contain no text that was typed, only its keyed hash.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import after_this_request, g, request
from flask_login import current_user
from limits import parse

from portal import current, network
from portal.forms.auth import address
from portal.models.account import merchant_id_in
from portal.page_extensions import limiter
from portal.people import known_browsers
from portal.people.accounts import MAX_ADDRESS, find_user
from portal.signing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from flask_limiter import RequestLimit

    from portal.models import User

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one form may be sent. Several rates in a row make the delay grow."""

    address: str
    network: str
    """From one address or network, whatever it tries to get at."""
    subject_at_address: str
    subject_in_network: str
    subject: str
    """For one account or merchant: from one address, from one network, and altogether."""
    first: str
    """For one account or merchant, from one network: tries that don't count altogether. Nobody waits longer for the
    limit altogether than for these to start again."""


LOG_IN = Rates(
    address="30 per minute; 100 per 15 minutes",
    network="120 per minute; 400 per 15 minutes",
    subject_at_address="10 per minute; 20 per 15 minutes",
    subject_in_network="20 per minute; 40 per 15 minutes",
    subject="60 per hour; 200 per day",
    first="3 per 15 minutes",
)
"""For an account, only wrong passwords count. No wait is longer than 15 minutes: a day would be a lock-out."""
LOG_IN_KNOWN = "20 per minute; 40 per 15 minutes"
"""Wrong passwords from one browser that the user has logged in with before; no other limit applies to it."""
SIGN_UP = Rates(
    address="10 per minute; 60 per hour",
    network="40 per minute; 240 per hour",
    subject_at_address="10 per minute; 30 per hour",
    subject_in_network="20 per minute; 60 per hour",
    subject="60 per hour; 200 per day",
    first="3 per day",
)
RESET = Rates(
    address="10 per minute; 60 per hour",
    network="40 per minute; 240 per hour",
    subject_at_address="5 per hour",
    subject_in_network="10 per hour",
    subject="10 per hour; 30 per day",
    first="2 per day",
)
RESET_KNOWN = "5 per hour"
LINKS = "10 per minute; 60 per hour"
"""Forms behind a link in an email."""
EMAILS = "60 per minute; 600 per hour"
"""Choices of emails. One mail provider unsubscribes many people from the same address."""
CHANGES = "10 per minute; 60 per hour"
"""Of a user's password."""
SEARCHES = "150 per minute; 3000 per hour"
"""Of one user, with those that are made while the user types."""
WAIT = 60
"""Seconds to wait when Redis can't say how long."""


def typed_email() -> str:
    """Return the keyed hash of the typed email address. Longer texts, which can't be one, all have the same."""
    email = address(request.form.get("email"))
    return _hash("email", email if len(email) <= MAX_ADDRESS else "")


def typed_merchant_id() -> str:
    """Return the keyed hash of the typed Merchant Id, the same for each spelling of the number."""
    return _hash("merchant", str(merchant_id_in(request.form.get("merchant_id", ""))))


def limit(
    rates: Rates, subject: Callable[[], str], *, only_failed: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Limit how often a form may be sent. With ``only_failed``, a try counts for its subject if count_failure() was
    called. The limits don't apply to known browsers; see recognize_browser()."""

    def exempt_from_total() -> bool:
        # Asked for each rate and for every request to the page. Only a form that is sent uses up a try, and only one.
        if request.method != "POST" or _is_known():
            return True
        if "is_first_try" not in g:
            g.subject, g.first = subject(), parse(rates.first)
            g.first_key = ("first", request.endpoint or "", g.subject, _network())
            g.is_first_try = limiter.limiter.hit(g.first, *g.first_key)
        return bool(g.is_first_try)

    deduct_when = _has_failed if only_failed else None
    parts = (
        limiter.limit(rates.address, key_func=_host, methods=["POST"], exempt_when=_is_known),
        limiter.limit(rates.network, key_func=_network, methods=["POST"], exempt_when=_is_known),
        limiter.limit(
            rates.subject_at_address,
            key_func=lambda: f"{subject()}:{_host()}",
            methods=["POST"],
            exempt_when=_is_known,
            deduct_when=deduct_when,
        ),
        limiter.limit(
            rates.subject_in_network,
            key_func=lambda: f"{subject()}:{_network()}",
            methods=["POST"],
            exempt_when=_is_known,
            deduct_when=deduct_when,
        ),
        limiter.limit(
            rates.subject, key_func=subject, methods=["POST"], exempt_when=exempt_from_total, deduct_when=deduct_when
        ),
    )

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        for part in parts:
            view = part(view)
        return view

    return decorate


def limit_known_browsers(rate: str, *, only_failed: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Limit how often each known browser may send a form."""
    return limiter.limit(
        rate,
        key_func=lambda: f"browser:{g.known_browser}",
        methods=["POST"],
        exempt_when=lambda: not _is_known(),
        deduct_when=_has_failed if only_failed else None,
    )


def limit_searches(view: Callable[P, R]) -> Callable[P, R]:
    """Limit how often each user may search, all search pages together."""
    return limiter.shared_limit(SEARCHES, scope="search", key_func=_user)(view)


def recognize_browser() -> None:
    """Note which known browser sent this form, before its limits are checked."""
    email, secret = address(request.form.get("email")), current.settings().secret_key
    token = request.cookies.get(known_browsers.cookie_name(email, secret)) if len(email) <= MAX_ADDRESS else None
    user = find_user(current.session(), email) if token else None
    g.known_browser = known_browsers.browser_of(token, user, secret) if token and user else None


def remember_browser(user: User) -> None:
    """Mark the browser as one that this user logs in with."""
    settings = current.settings()
    name, token = (
        known_browsers.cookie_name(user.email, settings.secret_key),
        known_browsers.new_token(user, settings.secret_key),
    )

    @after_this_request
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            name,
            token,
            max_age=known_browsers.KNOWN_SECONDS,
            secure=settings.public_url.startswith("https://"),
            httponly=True,
            samesite="Lax",
        )
        return response


def count_failure() -> None:
    """Count this request as a wrong password."""
    g.has_failed = True


def seconds_to_wait() -> int:
    """Return in how many seconds every limit that this request exceeded has passed."""
    try:
        ends = [_end_of(one) for one in limiter.current_limits if one.breached]
    except limiter.storage.base_exceptions:
        ends = []
    return max(1, max(ends) - int(time.time())) if ends else WAIT


def _end_of(limit: RequestLimit) -> int:
    """Return when the limit stops refusing this client, in Unix time: for one altogether, its network's next first
    tries may come sooner."""
    if limit.request_args[0] != g.get("subject"):
        return limit.reset_at
    first = limiter.limiter.get_window_stats(g.first, *g.first_key)
    return min(limit.reset_at, int(first.reset_time) + 1)


def _has_failed(_response: Response) -> bool:
    return bool(g.get("has_failed"))


def _is_known() -> bool:
    return bool(g.get("known_browser"))


def _host() -> str:
    return network.host(request.remote_addr)


def _network() -> str:
    return network.network(request.remote_addr)


def _user() -> str:
    """Return who is logged in; for somebody who isn't, the address: limits are checked before the log-in."""
    return f"user:{current_user.id}" if current_user.is_authenticated else _host()


def _hash(kind: str, text: str) -> str:
    return f"{kind}:{fingerprint(f'limit {kind} {text}', current.settings().secret_key)}"
