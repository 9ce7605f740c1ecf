"""Which emails a person gets: the choice on the account page, and the unsubscribe link of each mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from portal import access, current
from portal.forms.emails import EmailsForm
from portal.incidents.kinds import KINDS
from portal.messages import unsubscribe as links
from portal.models import IncidentKind, MessageKind
from portal.page_extensions import csrf, limiter
from portal.views import limits

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("emails", __name__)

OTHER_LABELS = {MessageKind.MORNING_NOTE: "Morning note", MessageKind.NOTE: "Notes about orders"}


def label_of(kind: str) -> str:
    """Return what people call a kind of mail, as an unsubscribe link or a user's row names it."""
    if kind in set(IncidentKind):
        return KINDS[IncidentKind(kind)].label
    return OTHER_LABELS[MessageKind(kind)] if kind in set(OTHER_LABELS) else "Other emails"


@blueprint.post("/account/emails")
@limiter.limit(limits.EMAILS, key_func=lambda: f"user:{access.viewer().id}")
def choose() -> ResponseReturnValue:
    form = EmailsForm()
    if not form.validate_on_submit():
        abort(400)
    access.viewer().alerts = form.choice()
    current.session().commit()
    flash("Your choice of emails is saved.", "success")
    return redirect(url_for("auth.account", _anchor="alerts"), 303)


@blueprint.post("/account/emails/resume")
@limiter.limit(limits.EMAILS, key_func=lambda: f"user:{access.viewer().id}")
def resume() -> ResponseReturnValue:
    kind = request.form.get("kind", "")
    links.unmute(current.session(), access.viewer().id, kind)
    flash(f"You get these emails again: {label_of(kind)}.", "success")
    return redirect(url_for("auth.account", _anchor="alerts"), 303)


@blueprint.route("/unsubscribe/<token>", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF has no types
@limiter.limit(limits.EMAILS, methods=["POST"])
def unsubscribe(token: str) -> ResponseReturnValue:
    """Turn off one kind of mail for one person. Mail programs do it with one POST (RFC 8058).

    A GET changes nothing: scanners open every link in a mail. Whoever has the link can do no more than this.
    """
    found = links.read(token, current.settings())
    if found is None:
        return render_template("auth/invalid_link.html", kind="unsubscribe"), 404
    user_id, kind = found
    if request.method == "POST":
        links.mute(current.session(), user_id, kind)
    is_off = links.is_muted(current.session(), user_id, kind)
    return render_template("auth/unsubscribe.html", label=label_of(kind), is_off=is_off)
