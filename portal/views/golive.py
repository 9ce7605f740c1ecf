"""Going live: a dry run with the store's own orders, then the choice of orders to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for

from portal import access, current
from portal.actions import stores
from portal.clock import utc_now
from portal.engine.leases import LeaseKind, is_taken
from portal.forms.golive import ChoiceForm, DryRunForm, GoLiveForm, SyncForm
from portal.fulfillment import dry_run
from portal.listing import PER_PAGE
from portal.queue import Call, JobName
from portal.reports.store_days import days_of
from portal.rules.hold_reasons import Hold
from portal.rules.services import known_services
from portal.views.fixes import fix_for_all, hold_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.fulfillment.dry_run import Backlog, BacklogOrder
    from portal.models import Store
    from portal.views.fixes import FixLink

blueprint = Blueprint("golive", __name__, url_prefix="/go-live/<int:store_id>")

WOULD_BE_SENT, WOULD_BE_REJECTED = "go", "refused"
"""Filters of the dry run's table, besides the hold reasons."""


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
    """Sync the orders now."""
    store, form = access.store_or_404(store_id), SyncForm()
    if not form.validate():
        return _page(store, sync_form=form), 422
    if stores.sync_now(current.session(), store, **access.act(form.given_reason())):
        current.wake(Call(JobName.POLL, (store.id,)))
    else:
        flash("The store isn't connected to Big Cartel, so we can't sync its orders. Connect it first.", "warning")
    return _back(store)


@blueprint.post("/ask")
def ask(store_id: int) -> ResponseReturnValue:
    """Start a dry run: check each order with the FCP as a test order."""
    store, form = access.store_or_404(store_id), DryRunForm()
    if not form.validate():
        return _page(store, dry_run_form=form), 422
    if stores.start_dry_run(current.session(), store, **access.act(form.given_reason())):
        current.wake(Call(JobName.DRY_RUN, (store.id,)))
    else:
        flash("There are no orders for a dry run: each one has a problem to fix first.", "info")
    return _back(store)


@blueprint.get("/confirm")
def confirm(store_id: int) -> ResponseReturnValue:
    """Show what the choice would do, and ask for confirmation."""
    store = access.store_or_404(store_id)
    choice = ChoiceForm(days_of([store]), formdata=request.args)
    if not store.is_connected:
        return _back(store)
    if not choice.validate():
        return _page(store, choice=choice), 422
    form = GoLiveForm(choice.days, formdata=None, data=choice.data)
    return _confirmation(store, form)


@blueprint.post("/confirm")
def start(store_id: int) -> ResponseReturnValue:
    """Go live, or change which orders are sent. The only place where a store starts sending."""
    store = access.store_or_404(store_id)
    form = GoLiveForm(days_of([store]))
    if not store.is_connected:
        flash("Nothing has changed: the store isn't connected to Big Cartel. Connect it first.", "warning")
        return _back(store)
    if not form.validate():
        return _confirmation(store, form), 422
    act = access.act(form.given_reason())
    starts_at = form.starts_at(act["now"])
    count = dry_run.read_backlog(current.session(), store).count_to_send(starts_at)
    stores.go_live(current.session(), store, starts_at=starts_at, **act)
    current.wake(Call(JobName.POLL, (store.id,)))
    flash(f"{store.title} is live. {_sending(count)} This page updates automatically.", "success")
    return redirect(f"{url_for('merchant.dashboard.dashboard')}#order-flow", 303)


def _page(store: Store, **forms: Any) -> str:
    return render_template("golive/golive.html", **_context(store, **forms))


def _context(
    store: Store,
    *,
    sync_form: SyncForm | None = None,
    dry_run_form: DryRunForm | None = None,
    choice: ChoiceForm | None = None,
) -> dict[str, Any]:
    backlog = dry_run.read_backlog(current.session(), store)
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
        "rows": rows[(number - 1) * PER_PAGE : number * PER_PAGE],
        "number": number,
        "has_more": len(rows) > number * PER_PAGE,
        "services": _services(),
        "causes": _causes(backlog, store),
        "hold_link": hold_link,
        "sync_form": sync_form or SyncForm(formdata=None),
        "dry_run_form": dry_run_form or DryRunForm(formdata=None),
        "choice": choice or ChoiceForm(days_of([store]), formdata=None),
    }


def _confirmation(store: Store, form: GoLiveForm) -> str:
    backlog = dry_run.read_backlog(current.session(), store)
    is_understood = not form.start.errors and not form.day.errors and form.start.data is not None
    starts_at = form.starts_at(utc_now()) if is_understood else None
    to_send = backlog.to_send(starts_at) if is_understood else ()
    return render_template(
        "golive/confirm.html",
        store=store,
        form=form,
        is_understood=is_understood,
        sent_now=len(to_send),
        rejected=sum(bool(one.verdict) for one in to_send),
        on_hold=len(backlog.orders) - backlog.count_to_send(),
        left_out=backlog.count_to_send() - len(to_send),
    )


def _progress(store: Store) -> dict[str, Any]:
    """Return what is in progress, as a sentence with numbers; empty if nothing is."""
    now = utc_now()
    if store.dry_run_asked_at is not None:
        done, total = dry_run.count_tested(current.session(), store), store.dry_run_total
        return {
            "sentence": f"Dry run: the warehouse checked {done} of {total} {'order' if total == 1 else 'orders'}.",
            "done": done,
            "total": total,
        }
    if not store.is_connected:
        return {}
    if is_taken(current.session(), LeaseKind.READ.of(store.id), now):
        return {"sentence": "Syncing orders from Big Cartel."}
    if store.next_poll_at is not None and store.next_poll_at <= now:
        return {"sentence": "A sync is about to start."}
    return {}


def _rows(backlog: Backlog, show: str) -> Sequence[BacklogOrder]:
    match show:
        case "":
            return backlog.orders
        case _ if show == WOULD_BE_SENT:
            return [one for one in backlog.orders if one.would_be_sent]
        case _ if show == WOULD_BE_REJECTED:
            return [one for one in backlog.orders if one.verdict]
        case _:
            return [one for one in backlog.orders if show in {hold.reason.value for hold in one.assessment.holds}]


def _filters(backlog: Backlog) -> list[tuple[str, str, int]]:
    """Return the value, label and order count of each filter that matches at least one order."""
    some = [
        ("", "All", len(backlog.orders)),
        (WOULD_BE_SENT, "Would be sent", backlog.count_to_send()),
        (WOULD_BE_REJECTED, "Would be rejected", backlog.rejected),
        *((reason.value, reason.row.label, count) for reason, count in backlog.reasons.items()),
    ]
    return [one for one in some if one[2]]


class Cause(NamedTuple):
    """A reason that holds orders, and the link that fixes it for all of them; None if each order needs its own fix."""

    hold: Hold
    orders: int
    fix: FixLink | None


def _causes(backlog: Backlog, store: Store) -> list[Cause]:
    return [
        Cause(Hold(reason), count, fix_for_all(reason, store_id=store.id)) for reason, count in backlog.reasons.items()
    ]


def _services() -> dict[str, str]:
    return {service.code: f"{service.carrier} {service.name}" for service in known_services()}


def _sending(count: int) -> str:
    if not count:
        return "No orders are ready to send."
    return f"We're sending {count} {'order' if count == 1 else 'orders'} to the warehouse."


def _back(store: Store) -> ResponseReturnValue:
    return redirect(url_for(".golive", store_id=store.id), 303)
