"""The order list: its page, its CSV file, and the actions on several orders at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import defer

from portal import access, current, listing
from portal.actions import orders as actions
from portal.actions.order_outlook import outlooks
from portal.actions.orders import Action
from portal.forms.orders import OrderFilters, decision_form
from portal.fulfillment.rulebook import stored_hold
from portal.models import Order, OrderState
from portal.models.base import MAX_ID
from portal.reports import order_counts
from portal.views.orders import act_on, blueprint
from portal.wording.actions import just_changed
from portal.wording.states import STATE_LABELS, sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask.typing import ResponseReturnValue

MAX_ORDERS = 200
"""Maximum number of orders in one form submission."""


@blueprint.get("")
def orders() -> str:
    filters = OrderFilters()
    counts = order_counts.counts(current.session(), filters.narrow(access.owned(Order), in_any_state=True))
    state = filters.value("state")
    light = filters.narrow(access.owned(Order)).options(defer(Order.document), defer(Order.lines))
    return render_template(
        "orders/orders.html",
        filters=filters,
        counts=counts,
        matching=counts.get(OrderState(state), 0) if state else sum(counts.values()),
        page=listing.page(light, Order.id),
        actions=list(Action),
        at_most=MAX_ORDERS,
    )


@blueprint.get("/orders.csv")
def orders_csv() -> ResponseReturnValue:
    query = OrderFilters().narrow(access.owned(Order)).options(defer(Order.document))
    return listing.as_csv(f"orders-{access.merchant().id}", CSV_COLUMNS, query, Order.id)


@blueprint.route("/decide", methods=["GET", "POST"])
def decide_many() -> ResponseReturnValue:
    act = _action_or_404(request.args.get("do", ""))
    filters = OrderFilters()
    back = url_for(".orders", **filters.address(), before=request.args.get("before"))
    form = decision_form(act)
    if form.validate_on_submit():
        results = act_on(_chosen(request.form.getlist("order")), act, form.given_reason())
        ids: dict[str, Any] = {
            "done": [result.order.id for result in results if result.done],
            "left": [result.order.id for result in results if not result.done],
        }
        return redirect(url_for(".decided", **filters.address(), do=act, **ids), 303)
    chosen = _matching(filters) if request.args.get("all") else _chosen(request.values.getlist("order"))
    if not chosen:
        flash(f"No orders selected. Select at least one to {act}.", "warning")
        return redirect(back, 303)
    found_outlooks = outlooks(current.session(), chosen, act)
    return render_template("orders/confirm.html", action=act, outlooks=found_outlooks, form=form, back=back)


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


blueprint.add_app_template_filter(order_counts.in_words, "counted")


@blueprint.app_template_filter("at_a_glance")
def at_a_glance(order: Order) -> str:
    """Return the most important detail about an order besides its state, for a list."""
    match order.state:
        case OrderState.HELD if order.holds:
            hold = stored_hold(order.holds[0])
            others = len(order.holds) - 1
            return f"{hold.headline} Plus {others} more." if others else hold.headline
        case OrderState.REJECTED | OrderState.CLOSED:
            return order.state_reason
        case OrderState.SHIPPED | OrderState.COMPLETED:
            return " ".join([order.carrier, *order.tracking_numbers]).strip()
        case OrderState.SUBMITTED:
            return order.fcp_status
        case _:
            return sentence_of(order, access.merchant())


def _sent_skus(order: Order) -> str:
    sent = (f"{line['quantity']} x {line['sku']}" for line in order.lines if line["sku"] and not line["left_out"])
    return "; ".join(sent)


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
)


def _action_or_404(text: str) -> Action:
    return Action(text) if text in set(Action) else abort(404)


def _chosen(texts: Iterable[str]) -> Sequence[Order]:
    ids = {int(text) for text in texts if text.isdecimal() and len(text) <= 10}
    known = sorted(number for number in ids if number <= MAX_ID)[:MAX_ORDERS]
    return current.session().scalars(access.owned(Order).where(Order.id.in_(known)).order_by(Order.id.desc())).all()


def _matching(filters: OrderFilters) -> Sequence[Order]:
    query = filters.narrow(access.owned(Order)).order_by(Order.id.desc()).limit(MAX_ORDERS)
    return current.session().scalars(query).all()
