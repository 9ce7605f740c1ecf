"""Support's visits to a merchant: begin one, with the reason for all that follows, and end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from portal import access, current, visits
from portal.actions.visits import record_visit
from portal.forms.visits import VisitForm
from portal.security import safe_next

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("visits", __name__, url_prefix="/visit")


@blueprint.before_request
def check_access() -> None:
    access.support_only()


@blueprint.route("", methods=["GET", "POST"])
def begin() -> ResponseReturnValue:
    """Ask for the reason, then go back to the page of the merchant that support came from."""
    merchant, form = access.merchant(), VisitForm()
    dashboard = url_for("merchant.dashboard.dashboard")
    came_from = safe_next(request.args.get("back"))
    back = came_from if came_from.startswith(dashboard) else dashboard
    if not form.validate_on_submit():
        return render_template("support/visit.html", form=form, back=back, lasts=visits.LASTS)
    act = access.act(str(form.reason.data))
    visits.begin(access.viewer(), merchant.id, act["reason"], act["now"])
    record_visit(current.session(), merchant, **act)
    return redirect(back, 303)


@blueprint.post("/end")
def end() -> ResponseReturnValue:
    visits.end()
    flash(f"You're no longer acting as {access.merchant().name}.", "info")
    return redirect(url_for("support.merchants"), 303)
