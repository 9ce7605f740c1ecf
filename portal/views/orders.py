"""The page of one order, and the retry, release and close actions on it. The list is in order_list.py."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from portal import access, current
from portal.actions import orders as actions
from portal.actions.order_changes import see_to
from portal.actions.order_outlook import outlooks
from portal.actions.orders import Action
from portal.actions.undo import Before, can_be_undone
from portal.actions.undo import why_not as why_no_undo
from portal.clock import utc_now
from portal.forms.notes import NoteForm
from portal.forms.orders import DecisionForm, decision_form
from portal.fulfillment import hosts
from portal.fulfillment.reread import reread_orders
from portal.models import Attempt, AuditEntry, Order, OrderEvent, OrderState, Store
from portal.models.base import MAX_ID
from portal.models.states import NOT_SENT
from portal.queue import Call, JobName
from portal.reports import links, order_activity, order_changes
from portal.reports.buyer_answer import answer_to_buyer
from portal.reports.order_fixes import fixes_of
from portal.rules.pickup import speaks_of_pickup
from portal.views import bulk_results, order_fix_links
from portal.views.fixes import FixLink, fix_link, hold_link
from portal.views.messages import Undo, flash_with_undo
from portal.views.notes import notes_of
from portal.wording.rejections import meaning_of
from portal.wording.states import STATE_LABELS, waits_for_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("orders", __name__, url_prefix="/orders")

ATTEMPTS_SHOWN = 20
EVENTS_SHOWN = 100
LONGEST_EXCERPT = 6_000
"""Characters of a request or response shown on an order's page; the attempt's own page shows all of it."""


@blueprint.get("/<number>")
def order(number: str) -> ResponseReturnValue:
    found = _order_or_404(number)
    attempts = _attempts(found)
    outage = order_activity.outage(found, hosts.all_failing(current.session()), utc_now())
    changes = order_changes.all_changes(current.session(), found)
    store = current.session().get_one(Store, found.store_id)
    waits = waits_for_store(found, store, utc_now())
    version = f"{_version(found, attempts)}-{outage.probe_at.timestamp() if outage else 0:.0f}-{bool(waits)}"
    fixes = fixes_of(found)
    placed = order_activity.as_placed(found)
    context: dict[str, Any] = {
        "order": found,
        "outage": outage,
        "waits": waits,
        "version": version,
        "is_live": order_activity.is_live(found),
        "waiting_on": order_activity.waiting_on(found, access.merchant()),
        "possible": actions.possible(found),
        "moments": order_activity.timeline(
            found,
            attempts[:ATTEMPTS_SHOWN],
            _decisions(found),
            _events(found),
            changes,
        ),
        "more_attempts": len(attempts) > ATTEMPTS_SHOWN,
        "admin_url": links.order_in_big_cartel(found.number),
        "hold_link": hold_link,
        "rejection_link": _rejection_link(found),
        "fixes": fixes,
        "fix_links": order_fix_links,
        "tracking": links.tracking,
        "buyer_answer": answer_to_buyer(
            found,
            first_name=placed.address.first_name if placed else "",
            shop=store.title,
            today=utc_now().date(),
        ),
        "longest": LONGEST_EXCERPT,
    }
    if request.headers.get("HX-Request"):
        # 204 makes htmx skip the swap, which keeps expanded sections expanded until something changes.
        unchanged = request.args.get("seen") == version
        return ("", 204) if unchanged else render_template("orders/_live.html", **context)
    sent_to = fixes.address or (placed.address if placed else None)
    context |= {
        "placed": placed,
        "changes": order_changes.notice(found, changes),
        "note_to_check": placed is not None and found.state in NOT_SENT and speaks_of_pickup(placed.note),
        "notes": notes_of(found),
        "note_form_fields": NoteForm(),
        "product_in_big_cartel": links.product_in_big_cartel,
        "why_this_service": order_activity.why_this_service(found, sent_to.country_code if sent_to else ""),
    }
    return render_template("orders/order.html", **context)


@blueprint.route("/<number>/<any(retry, release, close):action>", methods=["GET", "POST"])
def decide(number: str, action: str) -> ResponseReturnValue:
    found, act = _order_or_404(number), Action(action)
    form = decision_form(act)
    back = url_for(".order", number=found.number)
    if form.validate_on_submit():
        before = Before.of(found)
        result = act_on([found], act, form.given_reason())[0]
        said = f"Order {found.number} is now “{STATE_LABELS[result.order.state]}”."
        if not result.done:
            flash(result.sentence, "warning")
        elif can_be_undone(act) and not why_no_undo(result.order, act):
            token = bulk_results.token_of(act, [(before, True)])
            flash_with_undo(said, Undo(url_for(".undo_many"), {"result": token, "next": back}))
        else:
            flash(said, "success")
        return redirect(back, 303)
    found_outlooks = outlooks(current.session(), [found], act)
    return render_template("orders/confirm.html", action=act, outlooks=found_outlooks, form=form, back=back)


@blueprint.route("/<number>/changes", methods=["GET", "POST"])
def see_to_changes(number: str) -> ResponseReturnValue:
    """Confirm that the changes up to the one in the address have been taken care of."""
    found, form = _order_or_404(number), DecisionForm()
    back = url_for(".order", number=found.number)
    if form.validate_on_submit():
        up_to = min(request.args.get("up_to", 0, type=int), MAX_ID)
        if see_to(current.session(), found, up_to=up_to, **access.act(form.given_reason())):
            flash("Thanks. The order's activity keeps what changed.", "success")
        return redirect(back, 303)
    return render_template("orders/changes.html", order=found, form=form, back=back)


def _rejection_link(order: Order) -> FixLink | None:
    """Return a link to where a rejection is fixed, or None when the warehouse's message doesn't say."""
    if order.state is not OrderState.REJECTED:
        return None
    page = meaning_of(order.state_reason).fixed_on
    return fix_link(page, store_id=order.store_id, number=order.number) if page else None


def _order_or_404(number: str) -> Order:
    # PostgreSQL rejects NUL in text, and no order number contains unprintable characters.
    return access.order_or_404(number) if number.isprintable() else abort(404)


def _attempts(order: Order) -> Sequence[Attempt]:
    query = access.owned(Attempt).where(Attempt.order_id == order.id).order_by(Attempt.id.desc())
    return current.session().scalars(query.limit(ATTEMPTS_SHOWN + 1)).all()


def _decisions(order: Order) -> Sequence[AuditEntry]:
    query = access.owned(AuditEntry).where(AuditEntry.subject == order.number)
    return current.session().scalars(query.order_by(AuditEntry.id.desc()).limit(ATTEMPTS_SHOWN)).all()


def _events(order: Order) -> Sequence[OrderEvent]:
    query = access.owned(OrderEvent).where(OrderEvent.order_id == order.id)
    return current.session().scalars(query.order_by(OrderEvent.id.desc()).limit(EVENTS_SHOWN)).all()


def _version(order: Order, attempts: Sequence[Attempt]) -> str:
    """Return a version that changes whenever the live part of the page does."""
    newest = attempts[0] if attempts else None
    last = f"{newest.id}-{newest.outcome}" if newest else "none"
    holds = zlib.crc32(json.dumps([order.holds, order.edits]).encode())
    return f"{order.state}-{order.state_changed_at.timestamp():.3f}-{order_activity.is_live(order)}-{holds}-{last}"


def act_on(orders: Sequence[Order], action: Action, reason: str) -> list[actions.Result]:
    """Apply the action to each order in its own transaction, then wake the submit and track jobs."""
    session = current.session()
    fresh = reread_orders(session, orders, current.settings()) if action is not Action.CLOSE else frozenset()
    results = [
        actions.act(session, order, action, is_fresh=order.id in fresh, **access.act(reason)) for order in orders
    ]
    session.commit()
    if action is not Action.CLOSE and any(result.done for result in results):
        current.wake(*(Call(job, (access.merchant().id,)) for job in (JobName.SUBMIT, JobName.TRACK)))
    return results
