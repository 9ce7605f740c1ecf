"""Shipping: the carrier service for each of the two shipping codes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup

from portal import access, current
from portal.actions import service_checks
from portal.actions.merchants import map_services
from portal.forms.shipping import CheckForm, ShippingForm
from portal.fulfillment import warehouse_checks
from portal.models import OrderState
from portal.queue import Call, JobName
from portal.reports import shipping_choice
from portal.reports.service_standing import Standing, checks_of, standings
from portal.rules.services import CatalogError, catalog, find
from portal.rules.shipping import ShippingCode, shipping_code
from portal.views.setup import back_from_step
from portal.views.waking import wake_polls
from portal.wording.states import STATE_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.reports.shipping_choice import Waiting
    from portal.rules.services import Service
    from portal.rules.shipping import ServiceChoice

log = logging.getLogger(__name__)

blueprint = Blueprint("shipping", __name__, url_prefix="/shipping")

NAMED = 10
"""Maximum number of order numbers in one sentence; the order list shows the rest."""


@blueprint.route("", methods=["GET", "POST"])
def shipping() -> ResponseReturnValue:
    try:
        services = catalog()
    except CatalogError:
        log.exception("shipping.no_catalog")
        return render_template("shipping/no_services.html"), 503
    saved = shipping_choice.choice_of(access.merchant())
    if request.headers.get("HX-Target") == "service-checks":
        checks = checks_of(current.session(), access.merchant(), services)
        # 204 makes htmx skip the swap, so that a screen reader doesn't hear the same again.
        unchanged = request.args.get("seen") == checks.version
        return (
            ("", 204) if unchanged else render_template("shipping/_checks.html", checks=checks, check_form=CheckForm())
        )
    if request.headers.get("HX-Request"):
        preview = ShippingForm(services, saved, formdata=request.args, meta={"csrf": False})
        return render_template("shipping/_effect.html", **_effect(preview.choice(), services))
    form = ShippingForm(services, saved)
    if form.validate_on_submit():
        _save(form, saved)
        return back_from_step(access.merchant(), url_for(".shipping"))
    return render_template("shipping/shipping.html", form=form, **_effect(form.choice(), services))


@blueprint.post("/check")
def check_again() -> ResponseReturnValue:
    """Ask the warehouse again about a service that it rejected."""
    form = CheckForm()
    merchant = access.merchant()
    if form.service.data not in {merchant.domestic_service, merchant.international_service} - {""}:
        flash("Nothing changed: you no longer use that service.", "info")
        return redirect(url_for(".shipping"), 303)
    if not form.validate():
        flash("Say why you ask for the check. The merchant can read it in the audit trail.", "warning")
        return redirect(url_for(".shipping"), 303)
    service_checks.check_again(current.session(), merchant, str(form.service.data), **access.act(form.given_reason()))
    current.wake(Call(JobName.CHECKS))
    flash("We're asking the warehouse again. This page updates automatically.", "success")
    return back_from_step(merchant, url_for(".shipping"))


def _effect(choice: ServiceChoice, services: Sequence[Service]) -> dict[str, object]:
    merchant = access.merchant()
    found = shipping_choice.effect(current.session(), merchant, choice)
    known = standings(current.session(), merchant.id, services)
    territory = shipping_code("PR", territories_domestic=choice.territories_domestic)
    return {
        "effect": found,
        "is_saved": choice == shipping_choice.choice_of(merchant),
        "names": {share.code: _name(share.service, services) for share in found.shares},
        "sample_countries": {
            ShippingCode.DOMESTIC_DEFAULT: "the United States",
            ShippingCode.INTERNATIONAL_DEFAULT: "Canada",
        },
        "warnings": [
            {"title": shipping_choice.title(service), "words": service.warning}
            for share in found.shares
            if (service := find(share.service, services)) is not None and service.warning
        ],
        "standings": known,
        "checks": checks_of(current.session(), merchant, services),
        "check_form": CheckForm(formdata=None),
        "unchecked": [
            {"name": _name(share.service, services), "known": known[share.service]}
            for share in found.shares
            if share.service in known and known[share.service].standing is not Standing.OFFERED
        ],
        "territory": territory,
        "named": NAMED,
    }


def _name(code: str, services: Sequence[Service]) -> str:
    service = find(code, services)
    return f"{shipping_choice.title(service)} ({service.code})" if service else code


def _save(form: ShippingForm, saved: ServiceChoice) -> None:
    choice, merchant = form.choice(), access.merchant()
    if choice == saved:
        flash("Nothing changed: these services were already saved.", "info")
        return
    touched = shipping_choice.changed(current.session(), merchant, choice)
    act = access.act(form.given_reason())
    map_services(current.session(), merchant, choice, **act)
    for code in {choice.domestic, choice.international}:
        warehouse_checks.ask(current.session(), merchant.id, code, act["now"])
    service_checks.check_soon(current.session(), act["now"])
    wake_polls(Call(JobName.CHECKS))
    flash(_saved_message(touched), "success")
    if missing := [code.value for code in ShippingCode if not choice.service(code)]:
        flash(
            f"No service is chosen for {' or '.join(missing)}. Those orders stay on hold until you choose one.",
            "warning",
        )


def _saved_message(touched: Sequence[Waiting]) -> str:
    """Return the flash message with the unsent orders that change service, linked by state."""
    if not touched:
        return "Saved. Your choice applies to new orders. No unsent orders changed service."
    several = len(touched) > 1
    numbers = ", ".join(one.number for one in touched[:NAMED])
    more = f" and {len(touched) - NAMED} more" if len(touched) > NAMED else ""
    links = Markup(" · ").join(
        Markup('<a class="alert-link" href="{}">{} ({})</a>').format(
            url_for("merchant.orders.orders", state=state.value), STATE_LABELS[state], count
        )
        for state in (OrderState.HELD, OrderState.READY)
        if (count := sum(one.state is state for one in touched))
    )
    return Markup("Saved. {} now {} another service: {}{}. View them: {}").format(
        f"{len(touched)} unsent orders" if several else "1 unsent order",
        "use" if several else "uses",
        numbers,
        more,
        links,
    )
