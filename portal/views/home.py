"""The front page, which redirects anyone logged in to their own start page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import select

from portal import access, current
from portal.models import Store

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Redirect merchants to their dashboard and support to the merchant list; show everyone else the welcome page.

    While a merchant has no connected store, the dashboard has nothing to show, so setup comes first.
    """
    if not current_user.is_authenticated:
        return render_template("home.html")
    if access.is_support():
        return redirect(url_for("support.merchants"))
    merchant_id = access.viewer().merchant_id
    connected = select(Store.id).where(Store.merchant_id == merchant_id, Store.sealed_token != "").limit(1)
    page = "dashboard.dashboard" if current.session().scalar(connected) else "setup.setup"
    return redirect(url_for(f"merchant.{page}", merchant_id=merchant_id))


@blueprint.get("/styleguide")
def styleguide() -> ResponseReturnValue:
    """Show the design system's components, in development only (`flask --debug`)."""
    return render_template("styleguide.html") if current_app.debug else abort(404)
