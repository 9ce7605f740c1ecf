"""A merchant's alerts: from when on something is an incident, and the morning note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for

from portal import access, current
from portal.actions.alerts import save_alerts
from portal.forms.alerts import AlertsForm
from portal.reports.store_days import days_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("alerts", __name__, url_prefix="/settings/alerts")


@blueprint.route("", methods=["GET", "POST"])
def alerts() -> ResponseReturnValue:
    merchant = access.merchant()
    form = AlertsForm(obj=merchant)
    if form.validate_on_submit():
        is_changed = save_alerts(current.session(), merchant, form.choice(), **access.act(form.given_reason()))
        flash(*(("Alerts saved.", "success") if is_changed else ("Nothing changed.", "info")))
        return redirect(url_for(".alerts"), 303)
    return render_template("settings/alerts.html", form=form, days_in=days_of(access.stores()).words)
