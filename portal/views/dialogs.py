"""Pages that portal/static/dialogs.js shows in a dialog. They are the same pages that links open without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from flask import Flask, Response


def register(app: Flask) -> None:
    @app.after_request
    def tell_where_it_leads(response: Response) -> Response:
        """Answer the script with where a redirect leads: fetch would follow it, and use up the next page's messages."""
        if request.headers.get("X-Dialog") and response.location:
            response.headers["X-Location"] = response.headers.pop("Location")
            response.status_code = 204
            response.set_data(b"")
        return response
