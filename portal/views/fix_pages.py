"""What the pages that fix an order share: how they look, and what is said and sent after saving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from portal import access, current
from portal.actions.orders import Action
from portal.models import Order, OrderState
from portal.queue import Call, JobName
from portal.views import fix_undo
from portal.views.orders import act_on
from portal.wording import order_fixes as wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.actions.orders import Result
    from portal.views.messages import Undo

MOST_SENT = 100
"""Orders that one submission saves and sends. Those that were rejected are read from Big Cartel first, one by one."""
NUMBERS_SHOWN = 12


def with_others(same: Sequence[Order]) -> dict[str, Any]:
    """Return what a page says of the other orders with the same problem."""
    return {
        "same": same[: MOST_SENT - 1],
        "at_most": MOST_SENT,
        "more": len(same) - MOST_SENT + 1,
        "shown": NUMBERS_SHOWN,
    }


def page(part: str, order: Order, form: Any, *, title: str, **context: Any) -> ResponseReturnValue:
    page = render_template(
        "orders/fix.html",
        part=f"orders/_fix_{part}.html",
        order=order,
        form=form,
        title=title,
        back=url_for("merchant.orders.order", number=order.number),
        can_be_sent=order.state is OrderState.REJECTED or order.is_given_up,
        **context,
    )
    return page, 422 if form.errors else 200


def saved(result: Result, undo: Undo | None = None, *, also: Sequence[Order] = (), reason: str) -> ResponseReturnValue:
    """Send what was saved if the person asked for that, and say what became of it."""
    order = result.order
    if not result.done:
        return refused(order, result.sentence, is_whole=True)
    if "send" not in request.form:
        fix_undo.say(wording.saved(order, is_undone=fix_undo.is_undoing()), order, undo)
        if order.state is OrderState.READY:
            current.wake(Call(JobName.SUBMIT, (access.merchant().id,)))
        return to_order(order)
    at_once, later = also[: MOST_SENT - 1], also[MOST_SENT - 1 :]
    chosen = [order, *at_once] if _is_to_be_sent(order) else list(at_once)
    results = act_on(chosen, Action.RETRY, reason)
    ready = [order] if order not in chosen else []
    if not also:
        [only] = results or [result]
        flash(wording.saved(only.order) if only.done else only.sentence, _kind(only.order))
        return to_order(order)
    ids: dict[str, Any] = {
        "done": [one.id for one in ready] + [one.order.id for one in results if one.done],
        "left": [one.order.id for one in results if not one.done],
    }
    flash(wording.sent_too(len(ids["done"]), [one.number for one in later]), "success")
    return redirect(url_for("merchant.orders.decided", do=Action.RETRY, **ids), 303)


def _is_to_be_sent(order: Order) -> bool:
    """Return whether the order waits for a person to retry it; others are assessed and sent automatically."""
    return order.state is not OrderState.READY or order.is_given_up


def _kind(order: Order) -> str:
    return "success" if order.state is OrderState.READY and not order.is_given_up else "info"


def refused(order: Order, why: str, *, is_whole: bool = False) -> ResponseReturnValue:
    flash(why if is_whole else wording.cannot_be_changed(order.number, why), "warning")
    return to_order(order)


def to_order(order: Order) -> ResponseReturnValue:
    return redirect(url_for("merchant.orders.order", number=order.number), 303)


def order_or_404(number: str) -> Order:
    return access.order_or_404(number) if number.isprintable() else abort(404)
