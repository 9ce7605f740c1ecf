"""The order list: its page, its CSV file, and the actions on several orders at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for

from portal import access, current, listing
from portal.actions import list_views
from portal.actions import orders as actions
from portal.actions.order_outlook import outlooks
from portal.actions.orders import Action
from portal.actions.undo import Before, can_be_undone, undo
from portal.actions.undo import why_not as why_no_undo
from portal.clock import utc_now
from portal.forms.orders import OrderFilters, decision_form
from portal.fulfillment.reread import reread_orders
from portal.models import Order, OrderState
from portal.models.base import MAX_ID
from portal.queue import Call, JobName
from portal.reports import order_counts, order_rows
from portal.reports.list_view import COLUMNS, view_of
from portal.reports.order_activity import waiting_on
from portal.reports.order_conditions import attention_parts
from portal.security import safe_next
from portal.views import bulk_results
from portal.views.messages import SUPPORTS_REASON
from portal.views.orders import act_on, blueprint
from portal.wording.actions import just_changed
from portal.wording.states import STATE_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flask.typing import ResponseReturnValue

__all__ = ["blueprint"]

MAX_ORDERS = 200
"""Maximum number of orders in one form submission."""
LEFT_SHOWN = 10
"""Orders that a message names one by one."""


@blueprint.get("")
def orders() -> str:
    filters = OrderFilters()
    in_any_state = filters.narrow(access.owned(Order), in_any_state=True)
    counts, attention = order_counts.counts_with_attention(current.session(), in_any_state)
    matching = _matching_count(filters, counts, attention)
    found = listing.page_by_time(filters.narrow(access.owned(Order)), _sorted(filters), matching)
    return render_template(
        "orders/orders.html",
        filters=filters,
        counts=counts,
        attention=attention,
        matching=matching,
        page=found,
        rows=order_rows.rows_of(current.session(), found.rows, access.merchant(), utc_now()),
        actions=list(Action),
        at_most=MAX_ORDERS,
        view=view_of(access.viewer().order_list),
        columns=COLUMNS,
        saved=list_views.saved_filters(current.session(), access.viewer(), access.merchant().id),
        longest_name=list_views.LONGEST_NAME,
        result=_result(),
    )


def _sorted(filters: OrderFilters) -> listing.ByTime[Order]:
    parts = attention_parts() if filters.value("needs") else ()
    return listing.ByTime(access.owned(Order), Order.placed_at, Order.id, filters.is_oldest_first, parts)


def _matching_count(filters: OrderFilters, counts: Mapping[OrderState, int], attention: int) -> int:
    state = filters.value("state")
    if not filters.value("needs"):
        return counts.get(OrderState(state), 0) if state else sum(counts.values())
    if not state:
        return attention
    return order_counts.needing_attention(current.session(), filters.narrow(access.owned(Order)))


@blueprint.get("/orders.csv")
def orders_csv() -> ResponseReturnValue:
    filters = OrderFilters()
    query = filters.narrow(access.owned(Order))
    return listing.as_csv(f"orders-{access.merchant().id}", CSV_COLUMNS, query, _sorted(filters))


@blueprint.route("/decide", methods=["GET", "POST"])
def decide_many() -> ResponseReturnValue:
    act = _action_or_404(request.args.get("do", ""))
    filters = OrderFilters()
    place = {**filters.address(), "before": request.args.get("before")}
    back = url_for(".orders", **place)
    form = decision_form(act)
    if form.validate_on_submit():
        chosen = _chosen(request.form.getlist("order"))
        before = {order.id: Before.of(order) for order in chosen}
        results = act_on(chosen, act, form.given_reason())
        result = bulk_results.token_of(act, [(before[one.order.id], one.done) for one in results])
        return redirect(url_for(".orders", **place, result=result), 303)
    chosen = _matching(filters) if request.args.get("all") else _chosen(request.values.getlist("order"))
    if not chosen:
        flash(f"No orders selected. Select at least one to {act}.", "warning")
        return redirect(back, 303)
    found_outlooks = outlooks(current.session(), chosen, act)
    return render_template("orders/confirm.html", action=act, outlooks=found_outlooks, form=form, back=back)


@blueprint.post("/undo")
def undo_many() -> ResponseReturnValue:
    """Take back what the list's result panel or an order's message tells, for some minutes and unless it was sent."""
    given = request.form.get("next")
    back = safe_next(given) if given else url_for(".orders", **OrderFilters().address())
    found = bulk_results.read(request.form.get("result", ""), seconds=bulk_results.UNDO_SECONDS)
    if found is None or not can_be_undone(found.action):
        flash("It's too late to undo this. Open an order to see what you can still do with it.", "warning")
        return redirect(back, 303)
    orders = {order.id: order for order in _by_ids([one.order_id for one in found.done])}
    reason = SUPPORTS_REASON if access.is_support() else ""
    session = current.session()
    is_closing = found.action is Action.CLOSE
    fresh = reread_orders(session, list(orders.values()), current.settings()) if is_closing else frozenset[int]()
    results = [
        undo(session, order, found.action, before, is_fresh=order.id in fresh, **access.act(reason))
        for before in found.done
        if (order := orders.get(before.order_id)) is not None
    ]
    undone = sum(result.done for result in results)
    if undone:
        flash(bulk_results.undone_sentence(found.action, undone), "success")
    if left := [result.sentence for result in results if not result.done]:
        more = [f"And {len(left) - LEFT_SHOWN} more."] if len(left) > LEFT_SHOWN else []
        flash(" ".join(["Not undone:", *left[:LEFT_SHOWN], *more]), "warning")
    if found.action is Action.CLOSE and undone:
        current.wake(Call(JobName.SUBMIT, (access.merchant().id,)))
    return redirect(back, 303)


@blueprint.get("/decided")
def decided() -> str:
    """Show the result for each order. It is read from the database, so the page can be reloaded."""
    act = _action_or_404(request.args.get("do", ""))
    left = _chosen(request.args.getlist("left"))
    return render_template(
        "orders/decided.html",
        action=act,
        done=_chosen(request.args.getlist("done")),
        left=[(order, actions.why_not(order, act) or just_changed(order.number)) for order in left],
        back=url_for(".orders", **OrderFilters().address()),
    )


def _result() -> dict[str, object] | None:
    """Return what the last action on several orders did, as the database says it now; None without one."""
    found = bulk_results.read(request.args.get("result", ""), seconds=bulk_results.SHOWN_SECONDS)
    if found is None:
        return None
    orders = {order.id: order for order in _by_ids([*(one.order_id for one in found.done), *found.left])}
    done = [orders[one.order_id] for one in found.done if one.order_id in orders]
    left = [orders[one] for one in found.left if one in orders]
    can_undo = found.age < bulk_results.UNDO_SECONDS and can_be_undone(found.action)
    can_undo = can_undo and any(not why_no_undo(order, found.action) for order in done)
    return {
        "action": found.action,
        "done": done,
        "sentence": bulk_results.done_sentence(found.action, done),
        "left": [(order, actions.why_not(order, found.action) or just_changed(order.number)) for order in left],
        "token": request.args["result"]
        if can_undo and any(not why_no_undo(order, found.action) for order in done)
        else "",
        "minutes": bulk_results.UNDO_SECONDS // 60,
    }


blueprint.add_app_template_filter(order_counts.in_words, "counted")


@blueprint.app_template_filter("at_a_glance")
def at_a_glance(order: Order) -> str:
    """Return the most important detail about an order besides its state, for a list."""
    return order_rows.details_of(order, access.merchant())


def _sent_skus(order: Order) -> str:
    sent = (f"{line['quantity']} x {line['sku']}" for line in order.lines if line["sku"] and not line["left_out"])
    return "; ".join(sent)


def _buyers_name(order: Order) -> str:
    return order_rows.buyer_of(order).name


def _destination(order: Order) -> str:
    return order_rows.buyer_of(order).destination


CSV_COLUMNS: tuple[listing.Column[Order], ...] = (
    ("order", lambda order: order.number),
    ("placed (UTC)", lambda order: f"{order.placed_at:%Y-%m-%d %H:%M}" if order.placed_at else ""),
    ("state", lambda order: STATE_LABELS[order.state]),
    ("explanation", at_a_glance),
    ("SKUs", _sent_skus),
    ("shipping code", lambda order: order.shipping_code),
    ("service", lambda order: order.service),
    ("warehouse's number", lambda order: order.fcp_order_id),
    ("warehouse's status", lambda order: order.fcp_status),
    ("shipped on", lambda order: order.shipped_on),
    ("carrier", lambda order: order.carrier),
    ("tracking numbers", lambda order: "; ".join(order.tracking_numbers)),
    ("buyer", _buyers_name),
    ("destination", _destination),
    ("waiting on", lambda order: waiting_on(order, access.merchant())),
    ("sent (UTC)", lambda order: f"{order.submitted_at:%Y-%m-%d %H:%M}" if order.submitted_at else ""),
)


def _action_or_404(text: str) -> Action:
    return Action(text) if text in set(Action) else abort(404)


def _chosen(texts: Iterable[str]) -> Sequence[Order]:
    return _by_ids({int(text) for text in texts if text.isdecimal() and len(text) <= 10})


def _by_ids(ids: Iterable[int]) -> Sequence[Order]:
    known = sorted(number for number in ids if number <= MAX_ID)[:MAX_ORDERS]
    return current.session().scalars(access.owned(Order).where(Order.id.in_(known)).order_by(Order.id.desc())).all()


def _matching(filters: OrderFilters) -> Sequence[Order]:
    return _sorted(filters).rows(filters.narrow(access.owned(Order)), None, MAX_ORDERS)
