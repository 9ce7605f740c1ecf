"""The SKU preview: the final SKU of every product and option, its problems, and SKUs set by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from portal import access, current, listing
from portal.actions import overrides
from portal.actions.stores import refresh_products
from portal.clock import utc_now
from portal.forms.products import (
    MAX_OPTIONS,
    ProductFilters,
    RefreshForm,
    RemoveForm,
    TryForm,
    overrides_form,
)
from portal.models import Order
from portal.queue import Call, JobName
from portal.reports import links, product_list, product_orders, product_refresh, sku_changes, sku_preview
from portal.reports.order_fixes import excerpt
from portal.reports.product_refresh import Phase
from portal.reports.sku_changes import SHOWN_FOR
from portal.rules.sku_by_hand import WHOLE
from portal.rules.sku_findings import Level
from portal.rules.visible_text import clean, visible_text
from portal.views.waking import wake_polls
from portal.wording import products as wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from portal.forms.products import OverridesForm
    from portal.models import Product, Store
    from portal.reports.product_list import Listed
    from portal.reports.sku_preview import Preview

blueprint = Blueprint("products", __name__, url_prefix="/products")

PER_PAGE = 50
LEVELS = {
    Level.STOPS: ("danger", "Blocks orders"),
    Level.WARNING: ("warning", "Warning"),
    Level.LEFT_OUT: ("secondary", "Left out"),
    Level.FINE: ("success", "OK"),
}
SOURCES = {"description": "Description", "override": "Set by hand", "none": "Missing"}


@blueprint.get("")
def products() -> ResponseReturnValue:
    stores = access.stores()
    store = store_shown(stores)
    if store is None:
        return render_template("products/no_store.html")
    progress = product_refresh.progress(current.session(), store, since=_since(), now=utc_now())
    piece = request.headers.get("HX-Target", "") if request.headers.get("HX-Request") else ""
    if piece == "refresh":
        return _live_progress(store, progress)
    filters = ProductFilters()
    number = request.args.get("page", default=1, type=int)
    now = utc_now()
    listed = product_list.page(
        current.session(), store, filters.wanted(), number=number, per_page=PER_PAGE, changed_since=now - SHOWN_FOR
    )
    context = {
        "store": store,
        "filters": filters,
        "counts": listed.counts,
        "matching": listed.matching,
        "page": _page(listed),
        "rows": listed.rows,
        "levels": LEVELS,
        "sources": SOURCES,
        "admin_url": links.product_in_big_cartel,
    }
    if piece == "list":
        return render_template("products/_list.html", **context)
    has_changes = listed.has_changes and not progress.is_under_way
    return render_template(
        "products/products.html",
        stores=stores,
        progress=progress,
        refresh=RefreshForm(),
        changes=sku_changes.recent(current.session(), access.owned(Order), store, now) if has_changes else [],
        **context,
    )


@blueprint.route("/try", methods=["GET", "POST"])
def try_description() -> ResponseReturnValue:
    """Preview the SKUs of a description as it is typed. Writes nothing."""
    form = TryForm()
    if request.method == "GET" and (product_id := request.args.get("product")):
        product = _product_or_404(_named(access.stores(), request.args.get("store", "")), product_id)
        form.description.data = product.description
        form.options.data = "\n".join(name for name in sku_preview.option_names(product).values() if name)
    found = sku_preview.tried(form.description.data or "", form.option_names())
    context = {"found": found, "levels": LEVELS, "is_empty": not (form.description.data or "").strip()}
    if request.headers.get("HX-Request"):
        return render_template("products/_tried.html", **context)
    return render_template("products/try.html", form=form, at_most=MAX_OPTIONS, **context)


@blueprint.route("/<int:store_id>/refresh", methods=["GET", "POST"])
def refresh(store_id: int) -> ResponseReturnValue:
    """Have a worker sync the product list. Support gives a reason on a confirmation page first."""
    store, form = access.store_or_404(store_id), RefreshForm()
    if not store.is_connected:
        flash(
            f"{store.title} can't sync because it isn't connected to Big Cartel. Reconnect the store first.", "warning"
        )
        return redirect(url_for(".products", store=store.id), 303)
    if not form.validate_on_submit():
        back = url_for(".products", store=store.id)
        title = f"Sync products for {store.title}"
        return render_template("products/reason.html", title=title, button="Sync products", form=form, back=back)
    act = access.act(form.given_reason())
    refresh_products(current.session(), store, **act)
    current.wake(Call(JobName.PRODUCTS, (store.id,)))
    return redirect(url_for(".products", store=store.id, since=int(act["now"].timestamp())), 303)


@blueprint.route("/<int:store_id>/<product_id>", methods=["GET", "POST"])
def product(store_id: int, product_id: str) -> ResponseReturnValue:
    """Show one product and set its SKUs by hand. In the product list, htmx opens the form in place of its row."""
    store = access.store_or_404(store_id)
    found = _product_or_404(store, product_id)
    if _is_in_list(found) and "close" in request.args:
        return _row(store, found)
    one, form = _preview_and_form(store, found)
    if form.validate_on_submit():
        return _set(store, found, form.wanted(), form.given_reason())
    if _is_in_list(found):
        return _row_form(found, one, form)
    present = overrides.of_product(current.session(), found)
    shown = {row.option_id for row in one.rows}
    return render_template(
        "products/product.html",
        store=store,
        product=found,
        one=one,
        form=form,
        present=present,
        lost=[option_id for option_id in present if option_id and option_id not in shown],
        text=visible_text(found.description),
        levels=LEVELS,
        sources=SOURCES,
        admin_url=links.product_in_big_cartel,
    )


@blueprint.post("/<int:store_id>/<product_id>/remove")
def remove(store_id: int, product_id: str) -> ResponseReturnValue:
    """Remove a SKU set by hand. Support gives a reason on a confirmation page first, or in the row's form."""
    store, form = access.store_or_404(store_id), RemoveForm()
    found = _product_or_404(store, product_id)
    if form.validate_on_submit():
        return _set(store, found, {form.option_id.data or WHOLE: ""}, form.given_reason())
    if _is_in_list(found):
        one, whole = _preview_and_form(store, found)
        whole.validate()
        return _row_form(found, one, whole)
    back, title = url_for(".product", store_id=store.id, product_id=product_id), f"Remove SKU of {clean(found.name)}"
    return render_template("products/reason.html", title=title, button="Remove SKU", form=form, back=back)


def _is_in_list(product: Product) -> bool:
    """Return whether htmx replaces the product's row of the list."""
    return (
        bool(request.headers.get("HX-Request")) and request.headers.get("HX-Target") == f"product-{product.product_id}"
    )


def _preview_and_form(store: Store, product: Product) -> tuple[Preview, OverridesForm]:
    one = sku_preview.of_product(current.session(), store, product)
    lost = {row.option_id: row.option for row in one.rows if row.is_gone}
    present = overrides.of_product(current.session(), product)
    return one, overrides_form(sku_preview.option_names(product), present, lost)


def _row_form(product: Product, one: Preview, form: OverridesForm) -> ResponseReturnValue:
    session, orders = current.session(), access.owned(Order)
    form.fit_into_list(product.product_id, {row.option_id: row.sku for row in one.rows})
    return render_template(
        "products/_set_sku.html",
        one=one,
        form=form,
        present=overrides.of_product(session, product),
        store=product.store_id,
        description=None if product.gone else excerpt(product),
        unknown=product_orders.unknown_to_warehouse(session, orders, product, {row.sku for row in one.rows if row.sku}),
        levels=LEVELS,
        admin_url=links.product_in_big_cartel,
    )


def _row(store: Store, product: Product, said: str = "") -> ResponseReturnValue:
    """Return the product's row of the list, what happened, and how many products have problems now."""
    counts, one = product_list.row(current.session(), store, product)
    return render_template(
        "products/_saved_row.html",
        one=one,
        store=store,
        counts=counts,
        said=said,
        levels=LEVELS,
        sources=SOURCES,
        admin_url=links.product_in_big_cartel,
    )


def _set(store: Store, product: Product, wanted: Mapping[str, str], reason: str) -> ResponseReturnValue:
    """Set SKUs by hand, have orders on hold assessed again, and say what happened on the page or in the list."""
    session = current.session()
    made = overrides.set_skus(session, product, wanted, **access.act(reason))
    on_hold = product_orders.count_on_hold(session, access.owned(Order), store.id, {product.product_id}) if made else 0
    said = wording.saved([one.after for one in made], on_hold)
    if made:
        wake_polls()
    if _is_in_list(product):
        return _row(store, product, said)
    flash(said, "success" if made else "info")
    return redirect(url_for(".product", store_id=store.id, product_id=product.product_id), 303)


def store_shown(stores: list[Store]) -> Store | None:
    """Return the store named in the query, else the first connected store, else the first store."""
    if "store" in request.args:
        return _named(stores, request.args["store"])
    return next((store for store in stores if store.sealed_token), stores[0] if stores else None)


def _named(stores: list[Store], text: str) -> Store:
    return next((store for store in stores if str(store.id) == text), None) or abort(404)


def _product_or_404(store: Store, product_id: str) -> Product:
    return access.product_or_404(store.id, product_id) if product_id.isprintable() else abort(404)


def _since() -> datetime | None:
    """Return when the sync that the page follows was requested, or None for a missing or impossible time."""
    try:
        return datetime.fromtimestamp(int(request.args["since"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _live_progress(store: Store, progress: product_refresh.Progress) -> ResponseReturnValue:
    """Return the progress bar while the sync runs, then redirect to the page with the new list."""
    if progress.is_under_way:
        return render_template("products/_progress.html", store=store, progress=progress)
    if progress.phase is Phase.DONE:
        flash(_done(progress), "success")
        return "", 200, {"HX-Redirect": listing.here(since=None)}
    return "", 200, {"HX-Redirect": listing.here()}


def _done(progress: product_refresh.Progress) -> str:
    return f"Synced {progress.read} product{'' if progress.read == 1 else 's'} from Big Cartel."


def _page(listed: Listed) -> dict[str, Any]:
    """Return the number of the page, of how many, and the links to those beside it."""
    number, pages = listed.number, listed.pages
    return {
        "number": number,
        "pages": pages,
        "previous": listing.here(page=number - 1 if number > 2 else None) if number > 1 else None,
        "next": listing.here(page=number + 1) if number < pages else None,
    }
