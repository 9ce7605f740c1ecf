"""The catalog check as a CSV file: download it, edit its own SKUs, upload it, and save what it changes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from portal import access, current, listing, uploaded_csv
from portal.actions import overrides
from portal.forms.products import ChangesForm, ProductFilters, UploadForm, visible
from portal.models import Order
from portal.reports import links, product_list, product_orders, sku_file
from portal.uploaded_csv import UnreadableFileError
from portal.views.products import LEVELS, SOURCES, store_shown
from portal.views.waking import wake_polls
from portal.wording import products as wording

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import Store
    from portal.reports.sku_file import Entry, Line, Plan

blueprint = Blueprint("file", __name__)

PRODUCT_ID, OPTION_ID, OWN, DOWNLOADED = "product id", "option id", "own sku", "own sku when downloaded"
"""Titles of the columns that an uploaded file is read from, in lower case."""
REQUIRED = (PRODUCT_ID, OPTION_ID, OWN)
MAX_CHANGES = 1_000
"""Of one file. They are sent with the page that shows them, so that no file is kept here."""
ERRORS_SHOWN = 100


@blueprint.get("/products.csv")
def download() -> ResponseReturnValue:
    store = store_shown(access.stores()) or abort(404)
    title = store.title
    columns: tuple[listing.Column[Line], ...] = (
        ("store", lambda _: title),
        ("product", lambda one: one.preview.name),
        ("product id", lambda one: one.preview.product_id),
        ("option", lambda one: one.option),
        ("option id", lambda one: one.option_id),
        ("Big Cartel says", lambda one: one.says),
        ("SKU", lambda one: one.row.sku if one.row else ""),
        ("SKU from", lambda one: SOURCES[one.row.source] if one.row else ""),
        ("own SKU", lambda one: one.own),
        ("verdict", lambda one: LEVELS[one.preview.verdict(one.row)[0]][1] if one.row else ""),
        ("what is wrong", lambda one: one.preview.verdict(one.row)[1] if one.row else ""),
        ("Big Cartel", lambda one: links.product_in_big_cartel(one.preview.product_id)),
        ("own SKU when downloaded", lambda one: one.own),
    )
    parts = product_list.parts(current.session(), store, ProductFilters().wanted())
    lines = ([line for one in part for line in sku_file.lines_of(one)] for part in parts)
    return listing.csv_response(f"products-{store.account_id}", listing.csv_parts(columns, lines))


@blueprint.route("/<int:store_id>/upload", methods=["GET", "POST"])
def upload(store_id: int) -> ResponseReturnValue:
    """Show what an uploaded file would change. Nothing is saved yet."""
    store, form = access.store_or_404(store_id), UploadForm()
    if form.validate_on_submit():
        with closing(form.file.data) as file:
            data = file.read()
        try:
            plan = sku_file.check(current.session(), store, entries_of(data))
        except UnreadableFileError as error:
            form.file.errors = [str(error)]
        else:
            if len(plan.changes) <= MAX_CHANGES:
                return _preview(store, plan, ChangesForm(formdata=None))
            many = f"{len(plan.changes):,}"
            form.file.errors = [f"The file changes {many} SKUs. Change at most {MAX_CHANGES:,} in one file."]
    return render_template(
        "products/upload.html",
        store=store,
        form=form,
        megabytes=f"{uploaded_csv.MAX_BYTES / 1e6:g}",
        max_changes=f"{MAX_CHANGES:,}",
    )


@blueprint.post("/<int:store_id>/upload/save")
def save(store_id: int) -> ResponseReturnValue:
    """Save the changes that a person has seen, unless one of them isn't possible anymore."""
    store, form = access.store_or_404(store_id), ChangesForm()
    session, entries = current.session(), form.entries()
    if not entries or len(entries) > MAX_CHANGES:
        abort(400)
    overrides.lock(session, store)
    plan = sku_file.check(session, store, entries)
    if not form.validate() or plan.errors:
        session.commit()
        return _preview(store, plan, form, is_again=bool(plan.errors))
    made = overrides.set_many(session, store, plan.by_product, **access.act(form.given_reason()))
    owned, concerned = access.owned(Order), plan.by_product.keys()
    on_hold = product_orders.count_on_hold(session, owned, store.id, concerned) if made else 0
    if made:
        wake_polls()
    flash(wording.saved([one.after for one in made], on_hold), "success" if made else "info")
    return redirect(url_for("merchant.products.products", store=store.id), 303)


def entries_of(data: bytes) -> list[Entry]:
    """Return the rows of an uploaded file. Raises UnreadableFileError."""
    return [
        sku_file.Entry(
            number=row.number,
            product_id=row.cells[PRODUCT_ID].strip(),
            option_id=row.cells[OPTION_ID].strip(),
            wanted=visible(row.cells[OWN]),
            downloaded=visible(row.cells[DOWNLOADED]) if DOWNLOADED in row.cells else None,
        )
        for row in uploaded_csv.read(data, REQUIRED)
    ]


def _preview(store: Store, plan: Plan, form: ChangesForm, *, is_again: bool = False) -> ResponseReturnValue:
    form.put(plan.changes)
    return render_template(
        "products/upload_preview.html", store=store, plan=plan, form=form, is_again=is_again, errors_shown=ERRORS_SHOWN
    )
