"""Security headers on every response, and safe redirect targets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request, url_for

from portal import static_files

if TYPE_CHECKING:
    from flask import Flask, Response

    from config import Settings

FOR_SEARCH_ENGINES = ("home.home", "auth.log_in", "auth.sign_up")
"""What anybody may find. The other pages are private; the addresses of some contain a token."""


def secure(app: Flask, settings: Settings) -> None:
    """Add the headers to every response of the app."""
    authorize = urlsplit(settings.bigcartel_authorize_url)
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            # Browsers apply form-action to the redirect to Big Cartel's consent page, too.
            f"form-action 'self' {authorize.scheme}://{authorize.netloc}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    is_https = settings.public_url.startswith("https://")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if is_https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if request.endpoint not in static_files.ENDPOINTS:
            # Lets the server render the dark theme without a script, in browsers that send the hint.
            response.headers["Accept-CH"] = "Sec-CH-Prefers-Color-Scheme"
            response.vary.add("Sec-CH-Prefers-Color-Scheme")
            response.headers.setdefault("Cache-Control", "no-store")
            if request.endpoint not in FOR_SEARCH_ENGINES:
                response.headers["X-Robots-Tag"] = "noindex"
        return response


def safe_next(target: str | None) -> str:
    """Return the target if it is a path on this site, else the home page."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        parts = urlsplit(target)
        if not parts.scheme and not parts.netloc:
            return target
    return url_for("home.home")
