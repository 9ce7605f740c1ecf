"""Going live: the rehearsal with the store's own orders, then the choice of those to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for

from portal import access, current
from portal.actions import stores
from portal.clock import utc_now
from portal.engine.leases import LeaseKind, is_taken
from portal.forms.golive import AskForm, ChoiceForm, GoLiveForm, ReadForm
from portal.fulfillment import dry_run
from portal.listing import PER_PAGE
from portal.queue import Call, JobName
from portal.rules.services import CatalogError, catalog
from portal.views.fixes import hold_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.fulfillment.dry_run import Backlog, Seen
    from portal.models import Store
    from portal.rules.hold_reasons import HoldReason

blueprint = Blueprint("golive", __name__, url_prefix="/go-live/<int:store_id>")

WOULD_GO, WOULD_BE_REFUSED = "go", "refused"
"""Filters of the rehearsal's table besides the reasons for a hold."""


@blueprint.get("")
def golive(store_id: int) -> ResponseReturnValue:
    store = access.store_or_404(store_id)
    progress = _progress(store)
    if not request.headers.get("HX-Request"):
        return _page(store)
    if progress:
        return render_template("golive/_progress.html", store=store, progress=progress)
    done = make_response(render_template("golive/_dry_run.html", is_update=True, **_context(store)))
    done.headers["HX-Retarget"], done.headers["HX-Reswap"] = "#dry-run", "outerHTML"
    return done


@blueprint.post("/read")
def read(store_id: int) -> ResponseReturnValue:
    """Have the orders read now."""
    store, form = access.store_or_404(store_id), ReadForm()
    if not form.validate():
        return _page(store, read_form=form), 422
    if stores.sync_now(current.session(), store, **access.act(form.given_reason())):
        current.wake(Call(JobName.POLL, (store.id,)))
    else:
        flash("The store is not connected to Big Cartel, so its orders cannot be read. Connect it first.", "warning")
    return _back(store)


@blueprint.post("/ask")
def ask(store_id: int) -> ResponseReturnValue:
    """Have the FCP asked about each order, as a test."""
    store, form = access.store_or_404(store_id), AskForm()
    if not form.validate():
        return _page(store, ask_form=form), 422
    if stores.start_dry_run(current.session(), store, **access.act(form.given_reason())):
        current.wake(Call(JobName.DRY_RUN, (store.id,)))
    else:
        flash("There is no order to ask about: each has something to mend first.", "info")
    return _back(store)


@blueprint.get("/confirm")
def confirm(store_id: int) -> ResponseReturnValue:
    """What the choice would do. Nothing has happened yet."""
    store, choice = access.store_or_404(store_id), ChoiceForm(formdata=request.args)
    if not store.is_connected:
        return _back(store)
    if not choice.validate():
        return _page(store, choice=choice), 422
    form = GoLiveForm(formdata=None, data=choice.data)
    return _confirmation(store, form)


@blueprint.post("/confirm")
def start(store_id: int) -> ResponseReturnValue:
    """Go live, or change which orders are sent: the one place where sending begins."""
    store, form = access.store_or_404(store_id), GoLiveForm()
    if not store.is_connected:
        flash("The store is not connected to Big Cartel. Connect it first; nothing has changed.", "warning")
        return _back(store)
    if not form.validate():
        return _confirmation(store, form), 422
    act = access.act(form.given_reason())
    starts_at = form.starts_at(act["now"])
    count = dry_run.look(current.session(), store).would_go(starts_at)
    stores.go_live(current.session(), store, starts_at=starts_at, **act)
    current.wake(Call(JobName.POLL, (store.id,)))
    flash(f"{store.title} is live. {_orders(count)} sent to the warehouse with the next run.", "success")
    return _back(store)


def _page(store: Store, **forms: Any) -> str:
    return render_template("golive/golive.html", **_context(store, **forms))


def _context(
    store: Store,
    *,
    read_form: ReadForm | None = None,
    ask_form: AskForm | None = None,
    choice: ChoiceForm | None = None,
) -> dict[str, Any]:
    backlog = dry_run.look(current.session(), store)
    show = request.args.get("show", "")
    rows = _rows(backlog, show)
    number = min(max(request.args.get("page", 1, type=int), 1), max(-(-len(rows) // PER_PAGE), 1))
    return {
        "store": store,
        "is_connected": store.is_connected,
        "progress": _progress(store),
        "backlog": backlog,
        "show": show,
        "filters": _filters(backlog),
        "matching": len(rows),
        "rows": rows[(number - 1) * PER_PAGE : number * PER_PAGE],
        "number": number,
        "has_more": len(rows) > number * PER_PAGE,
        "services": _services(),
        "hold_link": hold_link,
        "read_form": read_form or ReadForm(formdata=None),
        "ask_form": ask_form or AskForm(formdata=None),
        "choice": choice or ChoiceForm(formdata=None),
    }


def _confirmation(store: Store, form: GoLiveForm) -> str:
    backlog = dry_run.look(current.session(), store)
    is_understood = not form.start.errors and not form.day.errors and form.start.data is not None
    starts_at = form.starts_at(utc_now()) if is_understood else None
    going = backlog.going(starts_at) if is_understood else ()
    return render_template(
        "golive/confirm.html",
        store=store,
        form=form,
        is_understood=is_understood,
        starts_at=starts_at,
        goes=len(going),
        refused=sum(bool(one.verdict) for one in going),
        stays=len(backlog.orders) - backlog.would_go(),
        left_out=backlog.would_go() - len(going),
    )


def _progress(store: Store) -> dict[str, Any]:
    """What is underway, in words, and how far it is; empty when nothing is."""
    now = utc_now()
    if store.dry_run_asked_at is not None:
        done = dry_run.asked_so_far(current.session(), store)
        return {
            "words": f"Asking the warehouse: {done} of {store.dry_run_total} orders.",
            "done": done,
            "total": store.dry_run_total,
        }
    if not store.is_connected:
        return {}
    if is_taken(current.session(), LeaseKind.READ.of(store.id), now):
        return {"words": "Reading the orders from Big Cartel."}
    if store.next_poll_at is not None and store.next_poll_at <= now:
        return {"words": "The orders are about to be read from Big Cartel."}
    return {}


def _rows(backlog: Backlog, show: str) -> Sequence[Seen]:
    match show:
        case "":
            return backlog.orders
        case _ if show == WOULD_GO:
            return [one for one in backlog.orders if one.would_go]
        case _ if show == WOULD_BE_REFUSED:
            return [one for one in backlog.orders if one.verdict]
        case _:
            return [one for one in backlog.orders if show in {hold.reason.value for hold in one.assessment.holds}]


def _filters(backlog: Backlog) -> list[tuple[str, str, int]]:
    """Value, words and number of orders of each filter that would show something."""
    some = [
        ("", "All", len(backlog.orders)),
        (WOULD_GO, "Would be sent", backlog.would_go()),
        (WOULD_BE_REFUSED, "The warehouse would refuse", backlog.refused),
        *((reason.value, _in_short(reason), count) for reason, count in backlog.reasons.items()),
    ]
    return [one for one in some if one[2]]


def _in_short(reason: HoldReason) -> str:
    return reason.row.sentence.rstrip(".")


def _services() -> dict[str, str]:
    try:
        return {service.code: f"{service.carrier} {service.name}" for service in catalog()}
    except CatalogError:
        return {}


def _orders(count: int) -> str:
    return "No order is" if not count else "One order is" if count == 1 else f"{count} orders are"


def _back(store: Store) -> ResponseReturnValue:
    return redirect(url_for(".golive", store_id=store.id), 303)
