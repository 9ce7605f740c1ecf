"""A merchant's incidents: what is wrong now and was, how it ended, and who was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from sqlalchemy import select

from portal import access, current, listing
from portal.actions.incidents import acknowledge as record_acknowledgment
from portal.clock import utc_now
from portal.forms.incidents import AcknowledgeForm
from portal.incidents import outcome, shown
from portal.incidents.kinds import KINDS, fix_path
from portal.models import Incident, IncidentEvent, Order
from portal.wording.counts import count_of
from portal.wording.history import for_how_long
from portal.wording.messages import DELIVERY_COLORS, DELIVERY_LABELS, MESSAGE_LABELS, delivery, receiver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.incidents.desk import Cause, Trouble
    from portal.incidents.kinds import KindRow

blueprint = Blueprint("incidents", __name__, url_prefix="/incidents")
blueprint.add_app_template_filter(for_how_long, "as_duration")
blueprint.add_app_template_global(count_of, "count_of")
blueprint.add_app_template_filter(MESSAGE_LABELS.__getitem__, "message_kind")
blueprint.add_app_template_filter(delivery, "delivery")
blueprint.add_app_template_filter(DELIVERY_LABELS.__getitem__, "delivery_in_words")
blueprint.add_app_template_filter(DELIVERY_COLORS.__getitem__, "delivery_color")
blueprint.add_app_template_filter(receiver, "receiver")


@blueprint.app_template_filter("kind_row")
def kind_row(of: Incident | Cause | Trouble) -> KindRow:
    return KINDS[of.kind]


@blueprint.app_template_filter("fix")
def fix(incident: Incident) -> str:
    """Return the address of the fix, on the pages of the current merchant."""
    return fix_path(incident.kind, merchant=access.merchant().id, subject=incident.subject)


@blueprint.app_template_filter("outcome")
def how_it_ended(incident: Incident) -> str:
    """Return how the incident ended for the current merchant."""
    return outcome.told_to(current.session(), incident, utc_now(), merchant_id=access.merchant().id)


@blueprint.get("")
def incidents() -> str:
    """List the open incidents, then the closed ones, newest first."""
    merchant = access.merchant()
    closed = select(Incident).where(shown.for_merchant(merchant), Incident.closed_at.is_not(None))
    page = listing.page(closed, Incident.id)
    found = shown.open_incidents(current.session(), merchant) if page.newest is None else []
    return render_template("incidents/incidents.html", found=found, page=page, now=utc_now())


@blueprint.get("/<int:incident_id>")
def incident(incident_id: int) -> str:
    found = _incident_or_404(incident_id)
    events = select(IncidentEvent).where(IncidentEvent.incident_id == found.id).order_by(IncidentEvent.id.desc())
    return render_template(
        "incidents/incident.html",
        incident=found,
        events=current.session().scalars(events).all(),
        messages=shown.messages_about(current.session(), found, access.merchant(), to_support=access.as_support()),
        numbers=_numbers(found),
        can_acknowledge=_may_acknowledge(found),
        now=utc_now(),
    )


@blueprint.route("/<int:incident_id>/acknowledge", methods=["GET", "POST"])
def acknowledge(incident_id: int) -> ResponseReturnValue:
    """End the reminders about an open incident."""
    found, form = _incident_or_404(incident_id), AcknowledgeForm()
    back = url_for(".incident", incident_id=found.id)
    if not _may_acknowledge(found):
        flash("This incident is closed, or somebody knows about it already.", "info")
        return redirect(back, 303)
    if form.validate_on_submit():
        record_acknowledgment(current.session(), found, **access.act(form.given_reason()))
        flash("Thanks. We won't send any more reminders about this incident.", "success")
        return redirect(back, 303)
    return render_template("incidents/acknowledge.html", incident=found, form=form, back=back)


def _incident_or_404(incident_id: int) -> Incident:
    query = select(Incident).where(Incident.id == incident_id, shown.for_merchant(access.merchant()))
    return current.session().scalar(query) or abort(404)


def _may_acknowledge(incident: Incident) -> bool:
    """Only support may end reminders about what concerns every merchant."""
    is_unknown = incident.closed_at is None and incident.acknowledged_at is None
    return is_unknown and (incident.merchant_id is not None or access.as_support())


def _numbers(incident: Incident) -> Sequence[tuple[str, bool]]:
    """Return the order numbers of an incident, and whether we have the order.

    What concerns everyone names orders of several merchants; only the current merchant's are shown.
    """
    if not incident.order_numbers:
        return []
    query = select(Order.number).where(
        Order.merchant_id == access.merchant().id, Order.number.in_(incident.order_numbers)
    )
    known = set(current.session().scalars(query))
    numbers = incident.order_numbers if incident.merchant_id is not None else sorted(known)
    return [(number, number in known) for number in numbers]
