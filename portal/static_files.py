"""Style sheets, scripts, fonts and images: compressed once, and kept by browsers for as long as they don't change.

Every address of such a file carries a hash of its content, so a browser never asks again for one that it has. An
address with an older hash, from a page that was opened before an upgrade, still answers, with the file as it is now.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
from flask import Response, abort, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.security import safe_join

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask
    from flask.sessions import SessionMixin

ENDPOINTS = ("static", "bootstrap.static")
VERSION = "v"
"""The parameter of an address that carries the hash."""
FOREVER = "public, max-age=31536000, immutable"
COMPRESSED = frozenset({"text/css", "text/javascript", "image/svg+xml", "application/json"})
"""Fonts and most images are compressed already."""
BROTLI_QUALITY = 11
"""The best: Bootstrap's style sheet takes half a second, once in each process, and is a fifth smaller than with 5."""
IN_STYLE_SHEET = re.compile(r'url\("(?!data:)([^"?#:]+)"\)')


@dataclass(frozen=True, slots=True)
class StaticFile:
    """What is sent for a file: its content, as it is and under each name of an encoding."""

    mimetype: str
    version: str
    content: bytes
    encoded: Mapping[str, bytes]


class SessionsOfPages(SecureCookieSessionInterface):
    """Flask's sessions, but none with a file: it is the same for everybody.

    Flask-Login looks at the session after every request, and Flask would add `Vary: Cookie` for that. Browsers would
    then ask for every file again after each log-in.
    """

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint not in ENDPOINTS:
            super().save_session(app, session, response)


def register(app: Flask) -> None:
    """Serve the portal's own files and Bootstrap's this way. Call it when Bootstrap-Flask is set up."""
    app.session_interface = SessionsOfPages()
    folders = dict(zip(ENDPOINTS, (app.static_folder, app.blueprints["bootstrap"].static_folder), strict=True))
    for endpoint, folder in folders.items():
        app.view_functions[endpoint] = _view(str(folder))

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, object]) -> None:
        folder = folders.get(endpoint)
        if folder and VERSION not in values and (path := safe_join(folder, str(values.get("filename")))):
            values[VERSION] = version(Path(path))


def version(path: Path) -> str | None:
    """Return the hash in the file's address, or nothing if there is no such file."""
    return _read(path, path.stat().st_mtime_ns)[1] if path.is_file() else None


def _view(folder: str) -> Callable[[str], Response]:
    def serve(filename: str) -> Response:
        path = safe_join(folder, filename)
        if path is None or not Path(path).is_file():
            abort(404)
        file = _static_file(Path(path), Path(path).stat().st_mtime_ns)
        encoding = request.accept_encodings.best_match(file.encoded)
        response = Response(file.encoded[encoding] if encoding else file.content, mimetype=file.mimetype)
        response.headers["Cache-Control"] = FOREVER if request.args.get(VERSION) == file.version else "no-cache"
        if file.encoded:
            response.vary.add("Accept-Encoding")
        if encoding:
            response.content_encoding = encoding
        response.set_etag(f"{file.version}-{encoding or 'identity'}")
        response.make_conditional(request)
        return response

    return serve


# Read again when it has changed, so that the style sheet can be worked on while the portal runs.
@lru_cache(maxsize=64)
def _static_file(path: Path, changed: int) -> StaticFile:
    content, hashed = _read(path, changed)
    mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    encoded = {}
    if mimetype in COMPRESSED:
        encoded = {"br": brotli.compress(content, quality=BROTLI_QUALITY), "gzip": gzip.compress(content, mtime=0)}
    return StaticFile(mimetype, hashed, content, encoded)


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> tuple[bytes, str]:
    """Return the content and its hash. What a style sheet refers to gets an address with a hash, too."""
    content = path.read_bytes()
    if path.suffix == ".css":
        content = IN_STYLE_SHEET.sub(lambda at: f'url("{_hashed(path, at[1])}")', content.decode()).encode()
    return content, hashlib.sha256(content).hexdigest()[:16]


def _hashed(style_sheet: Path, reference: str) -> str:
    found = version(style_sheet.parent / reference)
    return f"{reference}?{VERSION}={found}" if found else reference
