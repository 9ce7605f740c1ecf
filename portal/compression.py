"""Compressed pages.

A page contains secrets, such as its CSRF token, next to text that somebody else may have chosen. Compression lets
whoever can make a browser load such a page many times, and can see how long each answer is, guess a secret letter by
letter (BREACH). Three things stop that here. Session cookies are SameSite=Lax, so another site gets no page of a person
who is logged in, except by taking the whole window there, once per guess. Answers to other sites aren't compressed at
all: browsers say in Sec-Fetch-Site who asks, which also covers the other hosts of our own domain. And the token's
signature, the part that has to be guessed, covers the time and is another one every second.

Downloads that are made while they are sent, such as CSV files, are sent as they are: compressing them would collect
their first rows, and whoever waits for them couldn't see that they arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_compress import Compress

from portal import static_files

if TYPE_CHECKING:
    from flask import Flask, Response

NOT_ANOTHER_SITE = (None, "same-origin", "none")
"""Values of Sec-Fetch-Site: not a browser or an old one, a page of the portal, an address that a person typed."""


def register(app: Flask) -> None:
    """Compress the answers of this app, except files, which portal/static_files.py compresses better."""
    app.config.update(COMPRESS_REGISTER=False, COMPRESS_STREAMS=False, COMPRESS_ALGORITHM=["br", "zstd", "gzip"])
    compress = Compress(app)

    @app.after_request
    def shorten(response: Response) -> Response:
        if request.endpoint in static_files.ENDPOINTS or request.headers.get("Sec-Fetch-Site") not in NOT_ANOTHER_SITE:
            return response
        shorter: Response = compress.after_request(response)
        return shorter
