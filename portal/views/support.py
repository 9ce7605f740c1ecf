"""Support: all merchants, those that need attention first, with search, attempt log and audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from portal import access, current
from portal.clock import utc_now
from portal.forms.attempts import SupportAttemptFilters
from portal.forms.common import one_line
from portal.listing import here, page
from portal.models import Attempt, AuditEntry
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
    """List the merchants and orders that match a search, or open the order when it is the only match."""
    wanted = one_line(request.args.get("q"))
    everyone = merchant_list.everyone(current.session(), utc_now())
    found = [one for one in everyone if merchant_list.matches(one, wanted)] if wanted else everyone
    orders = merchant_list.orders_numbered(current.session(), wanted) if wanted else []
    current.session().commit()
    if len(orders) == 1 and not found:
        return redirect(_address(orders[0]), 303)
    last = max(len(found) - 1, 0) // PER_PAGE
    first = min(max(request.args.get("page", 1, type=int) - 1, 0), last) * PER_PAGE
    return render_template(
        "support/merchants.html",
        wanted=wanted,
        found=found[first : first + PER_PAGE],
        total=len(found),
        with_problems=sum(1 for one in found if one.problems),
        orders=[(order, _address(order)) for order in orders],
        unknown_statuses=unknown_statuses.by_status(status for one in found for status in one.unknown_statuses),
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
