"""Support: what is wrong now, all merchants, the worst first, with search, messages, and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from portal import access, current
from portal.actions.incidents import acknowledge
from portal.clock import utc_now
from portal.forms.attempts import SupportAttemptFilters
from portal.forms.common import one_line
from portal.forms.incidents import AcknowledgeForAllForm, IncidentFilters, MessageFilters
from portal.incidents import desk, shown
from portal.listing import here, page
from portal.models import Attempt, AuditEntry, Incident, Message
from portal.models.base import MAX_ID
from portal.reports import merchant_list, unknown_statuses

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("support", __name__, url_prefix="/support")

PER_PAGE = 100


@blueprint.before_request
def check_access() -> None:
    access.support_only()


@blueprint.get("/merchants")
def merchants() -> ResponseReturnValue:
    """Say what is wrong now, and list the merchants. With a search, list only the merchants and orders that match.

    An order that is the only match is opened.
    """
    wanted, now = one_line(request.args.get("q")), utc_now()
    everything = desk.desk(current.session(), now)
    found = [row for row in everything.merchants if not wanted or merchant_list.matches(row.health, wanted)]
    orders = merchant_list.orders_numbered(current.session(), wanted) if wanted else []
    current.session().commit()
    if len(orders) == 1 and not found:
        return redirect(_address(orders[0]), 303)
    last = max(len(found) - 1, 0) // PER_PAGE
    first = min(max(request.args.get("page", 1, type=int) - 1, 0), last) * PER_PAGE
    return render_template(
        "support/merchants.html",
        wanted=wanted,
        now=now,
        causes=everything.causes,
        stops_everyone=everything.stops_everyone,
        names={row.health.merchant.id: row.health.merchant.name for row in everything.merchants},
        found=found[first : first + PER_PAGE],
        total=len(found),
        with_problems=sum(1 for row in found if row.troubles),
        orders=[(order, _address(order)) for order in orders],
        unknown_statuses=unknown_statuses.by_status(status for row in found for status in row.health.unknown_statuses),
        previous_page=here(page=first // PER_PAGE) if first else None,
        next_page=here(page=first // PER_PAGE + 2) if first + PER_PAGE < len(found) else None,
    )


def _address(order: merchant_list.Found) -> str:
    return url_for("merchant.orders.order", merchant_id=order.merchant_id, number=order.number)


@blueprint.get("/attempts")
def attempts() -> str:
    """List the attempts of all merchants, newest first."""
    filters = SupportAttemptFilters()
    found = page(filters.rows(select(Attempt)), Attempt.id)
    names = merchant_list.names(current.session(), {attempt.merchant_id for attempt in found.rows})
    return render_template("support/attempts.html", filters=filters, page=found, names=names)


@blueprint.get("/audit")
def audit() -> str:
    """List the audit entries of all merchants, newest first."""
    merchant_id = request.args.get("merchant", type=int)
    actor = one_line(request.args.get("actor"))
    entries = page(merchant_list.audit_trail(merchant_id, actor), AuditEntry.id)
    names = merchant_list.names(current.session(), {entry.merchant_id for entry in entries.rows if entry.merchant_id})
    return render_template("support/audit.html", entries=entries, names=names, merchant_id=merchant_id, actor=actor)


@blueprint.route("/incidents", methods=["GET", "POST"])
def incidents() -> ResponseReturnValue:
    """List the incidents of all merchants, open ones first. A POST acknowledges one that concerns every merchant."""
    filters, form = IncidentFilters(), AcknowledgeForAllForm()
    if form.validate_on_submit():
        return _acknowledged(str(form.incident.data), form.given_reason())
    page_of_closed = page(filters.narrow(select(Incident).where(Incident.closed_at.is_not(None))), Incident.id)
    is_open = filters.narrow(select(Incident).where(Incident.closed_at.is_(None)))
    is_first = page_of_closed.newest is None
    newest = is_open.order_by(Incident.id.desc()).limit(shown.MOST_OPEN if is_first else 0)
    found = shown.worst_first(current.session().scalars(newest))
    listed = [*found, *page_of_closed.rows]
    return render_template(
        "support/incidents.html",
        filters=filters,
        form=form,
        found=found,
        total=current.session().scalar(is_open.with_only_columns(func.count())) if is_first else 0,
        page=page_of_closed,
        names=merchant_list.names(current.session(), {one.merchant_id for one in listed if one.merchant_id}),
        events=shown.events_of(current.session(), [one.id for one in listed if one.merchant_id is None]),
        now=utc_now(),
    )


def _acknowledged(incident_id: str, reason: str) -> ResponseReturnValue:
    key = int(incident_id) if incident_id.isdecimal() else 0
    found = current.session().get(Incident, key) if 0 < key <= MAX_ID else None
    if found is None or not acknowledge(current.session(), found, **access.act(reason)):
        flash("This incident is closed, or somebody knows about it already.", "info")
    else:
        flash(f"We won't send any more reminders about “{found.title}”.", "success")
    return redirect(url_for(".incidents"), 303)


@blueprint.get("/status")
def status() -> str:
    return render_template("components/status.html")


@blueprint.get("/messages")
def messages() -> str:
    """List the emails and webhook messages to everyone, newest first."""
    filters = MessageFilters()
    found = page(filters.narrow(select(Message)), Message.id)
    names = merchant_list.names(current.session(), {one.merchant_id for one in found.rows if one.merchant_id})
    return render_template("support/messages.html", filters=filters, page=found, names=names)
