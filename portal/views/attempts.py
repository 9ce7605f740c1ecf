"""The attempt log: every call made for an order, newest first, and a page per attempt with request and response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template

from portal import access, current, listing
from portal.forms.attempts import AttemptFilters
from portal.models import Attempt, Order
from portal.wording import attempts as wording
from portal.wording.attempts import KIND_LABELS, OUTCOME_LABELS, TRIGGER_LABELS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

CSV_COLUMNS: tuple[listing.Column[Attempt], ...] = (
    ("started (UTC)", lambda attempt: f"{attempt.started_at:%Y-%m-%d %H:%M:%S}"),
    ("order", lambda attempt: attempt.order.number),
    ("kind", lambda attempt: KIND_LABELS[attempt.kind]),
    ("trigger", lambda attempt: TRIGGER_LABELS[attempt.trigger]),
    ("outcome", lambda attempt: OUTCOME_LABELS[attempt.outcome]),
    ("took", wording.duration),
    ("HTTP status", lambda attempt: attempt.http_status),
    ("words", lambda attempt: attempt.words),
    ("explanation", lambda attempt: attempt.explanation),
)

blueprint = Blueprint("attempts", __name__, url_prefix="/attempts")
blueprint.add_app_template_filter(KIND_LABELS.__getitem__, "kind_in_words")
blueprint.add_app_template_filter(OUTCOME_LABELS.__getitem__, "outcome_in_words")
blueprint.add_app_template_filter(TRIGGER_LABELS.__getitem__, "trigger_in_words")
blueprint.add_app_template_filter(wording.OUTCOME_COLORS.__getitem__, "outcome_color")
blueprint.add_app_template_filter(wording.duration, "duration")


@blueprint.get("")
def attempts() -> str:
    filters = AttemptFilters()
    return render_template(
        "attempts/attempts.html", filters=filters, page=listing.page(filters.rows(access.owned(Attempt)), Attempt.id)
    )


@blueprint.get("/attempts.csv")
def attempts_csv() -> ResponseReturnValue:
    query = AttemptFilters().rows(access.owned(Attempt))
    return listing.as_csv(f"attempts-{access.merchant().id}", CSV_COLUMNS, query, Attempt.id)


@blueprint.get("/<int:attempt_id>")
def attempt(attempt_id: int) -> str:
    found = access.attempt_or_404(attempt_id)
    order = current.session().scalars(access.owned(Order).where(Order.id == found.order_id)).one()
    return render_template("attempts/attempt.html", attempt=found, order=order)
