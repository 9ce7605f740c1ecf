"""Error pages in the portal's own layout."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)

_WORDS = {
    400: ("Invalid request", "Go back, reload the page, and try again."),
    403: ("Access denied", "Your account can't do this. Ask a teammate or support."),
    404: ("Page not found", "The address may be mistyped, or the page may belong to another account."),
    405: ("Action not available", "Go back and use the button on the page."),
    413: ("Too much text", "Shorten what you entered, then try again."),
    429: ("Too many attempts", "We limit how often this can be tried. Wait a minute, then try again."),
    500: ("Something went wrong on our side", "We logged the error, and nothing is lost. Try again in a minute."),
}


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    title, advice = "This form has expired", "Nothing has changed. Reload the page and submit the form again."
    return render_template("errors/error.html", title=title, advice=advice, code=400), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error.get_response()
    title, advice = _WORDS.get(code, _WORDS[400 if code < 500 else 500])
    return render_template("errors/error.html", title=title, advice=advice, code=code), code


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("page.failed", extra={"endpoint": request.endpoint}, exc_info=error)
    title, advice = _WORDS[500]
    return render_template("errors/error.html", title=title, advice=advice, code=500), 500
