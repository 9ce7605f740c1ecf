"""Error pages in the same clothes as the rest."""

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
    400: ("This request cannot be understood", "Go back, load the page again, and try once more."),
    403: ("This is not allowed", "Your account may not do this. Ask the person who invited you, or support."),
    404: ("There is nothing here", "The address may be mistyped, or it belongs to an account that is not yours."),
    405: ("This does not work like that", "Go back and use the button on the page."),
    413: ("That is too much at once", "Send a shorter text."),
    429: ("That was a bit fast", "For safety this is limited. Wait a minute, then try again."),
    500: ("Something went wrong on our side", "It has been written down. Nothing is lost; try again in a minute."),
}


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    title, advice = "This form is out of date", "Load the page again and send the form once more. Nothing has changed."
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
