"""Error pages in the portal's own layout."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from portal import access
from portal.database import is_unavailable
from portal.logs import sentry
from portal.logs.request_ids import ENVIRON
from portal.security import safe_next
from portal.views import limits

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)

RETRY_AFTER = 30
"""Seconds after which a page without its database asks to be tried again."""
_WORDS = {
    400: ("Invalid request", "Go back, reload the page, and try again."),
    403: ("Access denied", "Your account can't do this. Ask a teammate or support."),
    404: ("Page not found", "The address may be mistyped, or the page may belong to another account."),
    405: ("Action not available", "Go back and use the button on the page."),
    413: ("Too much at once", "Shorten what you entered, or split the file, then try again."),
    429: ("Too many attempts", "We limit how often this can be tried. Try again in {wait}."),
    500: ("Something went wrong on our side", "We logged the error, and nothing is lost. Try again in a minute."),
}
_AWAY = "We can't reach our database right now. It's usually back within a minute, and no orders are lost."
_PIECE_AWAY = f"This page may be out of date: {_AWAY[0].lower()}{_AWAY[1:]}"
_RELOAD = "Wait a moment, then reload this page."
_CHECK = "We don't know if your change was saved. Wait a moment, check, and try again if it wasn't."


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unexpected)


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return _page("This form has expired", "Nothing has changed. Reload the page and submit the form again.", 400), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error.get_response()
    title, advice = _WORDS.get(code, _WORDS[400 if code < 500 else 500])
    if code != 429:
        return _page(title, advice, code), code
    seconds = limits.seconds_to_wait()
    advice, headers = advice.format(wait=_duration(seconds)), {"Retry-After": str(seconds)}
    if request.headers.get("HX-Request"):
        return Response(f"{title}. {advice}", code, headers, mimetype="text/plain")
    return _page(title, advice, code), code, headers


def _duration(seconds: int) -> str:
    """Return the time rounded up, in the largest unit that doesn't round it up by much."""
    size, unit = next((one for one in ((3_600, "hour"), (60, "minute")) if seconds > 2 * one[0]), (1, "second"))
    number = -(-seconds // size)
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _database(error: SQLAlchemyError) -> ResponseReturnValue:
    """Answer without the database: 503 if it is down, restarting or locked. Pages then look as if logged out.

    For a part of a page, the answer is the sentence alone; the page's script shows it.
    """
    access.go_on_without_database()
    if not is_unavailable(error):
        return _unexpected(error)
    reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
    log.error("page.database_unavailable", extra={"endpoint": request.endpoint, "error": reason})
    headers = {"Retry-After": str(RETRY_AFTER)}
    if request.headers.get("HX-Request"):
        return Response(_PIECE_AWAY, 503, headers, mimetype="text/plain")
    is_read = request.method in {"GET", "HEAD"}
    here = safe_next(request.full_path.rstrip("?")) if is_read else None
    page = _page("Temporarily unavailable", f"{_AWAY} {_RELOAD if is_read else _CHECK}", 503, reload=here)
    return page, 503, headers


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("page.failed", extra={"endpoint": request.endpoint}, exc_info=error)
    sentry.report(error)
    title, advice = _WORDS[500]
    return _page(title, advice, 500), 500


def _page(title: str, advice: str, code: int, *, reload: str | None = None) -> str:
    """Render the page for an error, which shows who is logged in only if the database says so."""
    request_id = request.environ[ENVIRON]
    texts = {"title": title, "advice": advice, "code": code, "request_id": request_id, "reload": reload}
    try:
        return render_template("errors/error.html", **texts)
    except SQLAlchemyError:
        access.go_on_without_database()
        return render_template("errors/error.html", **texts)
