"""The status line: part of every page, and reloaded by those that stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, g, render_template

from portal import access, current
from portal.clock import utc_now
from portal.incidents import status_line

if TYPE_CHECKING:
    from portal.incidents.status_line import StatusLine

blueprint = Blueprint("status", __name__, url_prefix="/status")


@blueprint.get("")
def status() -> str:
    return render_template("components/status.html")


@blueprint.app_template_global("status_line")
def status_of_page() -> StatusLine | None:
    """Return the line for the page's merchant, for support's own pages that of everyone, otherwise None."""
    if g.get("without_database"):
        return None
    if "merchant" in g:
        return status_line.of_merchant(current.session(), access.merchant(), access.stores(), utc_now())
    return status_line.of_everyone(current.session()) if access.is_support() else None
