"""Support's page for a buyer's personal data: download it, or erase it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from portal import access, current
from portal.actions import buyers as actions
from portal.forms.buyers import BuyerForm
from portal.page_extensions import limiter
from portal.wording.actions import emptied_sentence, erased_sentence, still_open_sentence

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


blueprint = Blueprint("buyers", __name__)


@blueprint.route("/buyers", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
def buyers() -> ResponseReturnValue:
    form = BuyerForm()
    if not form.validate_on_submit():
        return render_template("support/buyers.html", form=form)
    email, act = form.email.data or "", access.act(form.given_reason())
    if not form.erase.data:
        text = "".join(actions.export(current.session(), email, **act))
        disposition = {"Content-Disposition": 'attachment; filename="buyer.json"'}
        return Response(text, headers=disposition, mimetype="application/json")
    done = actions.erase(current.session(), email, **act)
    flash(erased_sentence(done.erased), "success" if done.erased else "info")
    if done.texts:
        flash(emptied_sentence(done.texts), "success")
    if done.still_open:
        flash(still_open_sentence(done.still_open), "warning")
    return redirect(url_for(".buyers"), 303)
