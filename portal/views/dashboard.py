"""The dashboard: setup steps, sync status, orders that need attention, reconciliation, and orders per day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from portal import access, current
from portal.actions.stores import sync_now
from portal.clock import utc_now
from portal.forms.dashboard import RunNowForm
from portal.fulfillment import hosts
from portal.incidents import shown
from portal.queue import Call, JobName
from portal.reports import attention, order_conditions, order_flow, overview
from portal.reports.order_rows import usual_wait
from portal.reports.product_list import count_stopping
from portal.reports.setup import is_complete, set_up
from portal.reports.store_days import days_of
from portal.views.fixes import fix_for_all
from portal.views.setup import TITLES
from portal.wording.counts import length
from portal.wording.incidents import without_codes
from portal.wording.states import NEEDS_ATTENTION

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import Store
    from portal.rules.hold_reasons import HoldReason
    from portal.views.fixes import FixLink

blueprint = Blueprint("dashboard", __name__)
blueprint.add_app_template_filter(without_codes)
blueprint.add_app_template_filter(length, "length_in_words")

LONG_HISTORY = 30
"""Days of the chart with ?days=30."""
MOST_INCIDENTS = 10
"""Incidents on the dashboard; their page lists all."""


@blueprint.get("/")
def dashboard() -> ResponseReturnValue:
    merchant, stores = access.merchant(), access.stores()
    piece = request.headers.get("HX-Target") if request.headers.get("HX-Request") else ""
    if piece == "live":
        return render_template("dashboard/_live.html", **_live(stores))
    shown_days = LONG_HISTORY if request.args.get("days") == str(LONG_HISTORY) else overview.DAYS
    past = overview.history(current.session(), merchant.id, days_of(stores), utc_now(), shown_days)
    if piece == "history":
        # 204 makes htmx skip the swap, which keeps the table expanded until a number changes.
        unchanged = request.args.get("seen") == past.version
        return ("", 204) if unchanged else render_template("dashboard/_history.html", history=past)
    steps = None if is_complete(merchant, stores) else set_up(current.session(), merchant, stores)
    return render_template(
        "dashboard/dashboard.html",
        set_up=steps,
        set_up_titles=TITLES,
        history=past,
        **_live(stores),
    )


def _live(stores: list[Store]) -> dict[str, Any]:
    """Return the context of the live part, which the page reloads every few seconds."""
    merchant, now = access.merchant(), utc_now()
    orders = overview.open_orders(current.session(), merchant.id)
    last_sent = overview.last_sent(current.session(), merchant.id)
    problems = attention.problems(merchant, stores, hosts.all_failing(current.session()), now)
    incidents = shown.open_incidents(current.session(), merchant)
    unstated = shown.unstated(incidents, problems)
    return {
        "merchant": merchant,
        "stores": stores,
        "now": now,
        "problems": problems,
        "incidents": unstated,
        "all_incidents": len(incidents),
        "most_incidents": MOST_INCIDENTS,
        "explained": shown.explained(incidents, orders),
        "reconciliations": overview.reconciliations(stores),
        "to_fix": order_conditions.TO_FIX,
        "not_to_fix": order_conditions.NOT_TO_FIX,
        "other_holds": sum(orders.holds.get(reason, 0) for reason in order_conditions.NOT_TO_FIX),
        "hold_fixes": _hold_fixes(stores),
        "set_up_to_fix": count_stopping(current.session(), stores) if is_complete(merchant, stores) else 0,
        "orders": orders,
        "stages": order_flow.open_stages(orders),
        "today": order_flow.placed_today(current.session(), merchant.id, days_of(stores), now),
        "usual": usual_wait(current.session(), merchant.id),
        "needs_attention": NEEDS_ATTENTION,
        "last_sent": last_sent,
        "engine": current.queue_health(),
        "expected": current.settings(),
        "form": RunNowForm(),
    }


def _hold_fixes(stores: list[Store]) -> dict[HoldReason, FixLink | None]:
    """Return the link to the fix of each reason that is fixed for all its orders at once, on one page."""
    return {reason: fix_for_all(reason, store_id=stores[0].id) for reason in order_conditions.TO_FIX} if stores else {}


@blueprint.route("/stores/<int:store_id>/poll", methods=["GET", "POST"])
def run_now(store_id: int) -> ResponseReturnValue:
    """Sync the store now. Support gives a reason on a confirmation page first."""
    store, form = access.store_or_404(store_id), RunNowForm()
    if not store.is_connected:
        flash(
            f"{store.title} can't sync because it isn't connected to Big Cartel. Reconnect the store first.", "warning"
        )
        return redirect(url_for("merchant.dashboard.dashboard"), 303)
    if not form.validate_on_submit():
        return render_template("dashboard/run_now.html", store=store, form=form)
    sync_now(current.session(), store, **access.act(form.given_reason()))
    merchant = (store.merchant_id,)
    current.wake(
        Call(JobName.PROBE),
        Call(JobName.POLL, (store.id,)),
        Call(JobName.CREDENTIALS, merchant),
        Call(JobName.SUBMIT, merchant),
        Call(JobName.TRACK, merchant),
    )
    flash(
        f"{store.title} will sync as soon as a worker is free. Orders that are ready are sent, and shipped ones are "
        "updated in Big Cartel. This page updates automatically.",
        "success",
    )
    return redirect(url_for("merchant.dashboard.dashboard"), 303)
