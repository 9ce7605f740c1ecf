"""Shipping rates: which of a store's rates are always or never sent to the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for

from portal import access, current
from portal.actions.rates import mark_rates
from portal.forms.rates import rates_form
from portal.reports.rates import LAST, rates_of
from portal.views.waking import wake_polls

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("rates", __name__, url_prefix="/rates")


@blueprint.get("")
def stores() -> ResponseReturnValue:
    """Show the rates of the only store, or the list of stores."""
    found = access.stores()
    if len(found) == 1:
        return redirect(url_for(".rates", store_id=found[0].id))
    return render_template("shipping/rate_stores.html", stores=found)


@blueprint.route("/<int:store_id>", methods=["GET", "POST"])
def rates(store_id: int) -> ResponseReturnValue:
    store = access.store_or_404(store_id)
    found = rates_of(current.session(), store)
    form = rates_form(found)
    if form.validate_on_submit():
        changed = mark_rates(current.session(), store, form.wanted(), **access.act(form.given_reason()))
        if changed:
            wake_polls()
            flash("Saved. We're checking the orders that haven't been sent yet.", "success")
        else:
            flash("Nothing changed.", "info")
        return redirect(url_for(".rates", store_id=store.id), 303)
    counts = [rate.orders for rate in found]
    return render_template("shipping/rates.html", store=store, form=form, counts=counts, last=LAST)
