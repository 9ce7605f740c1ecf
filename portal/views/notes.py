"""Notes: what a merchant and support write to each other about an order, or about the merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from portal import access, current, listing
from portal.actions.notes import add_note
from portal.clock import utc_now
from portal.forms.notes import NoteForm
from portal.models import Note, Order
from portal.page_extensions import limiter
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("notes", __name__)

LIMIT = "10 per minute; 100 per hour"
NOTES_SHOWN = 50
"""Newest notes on an order's page; the page of all notes shows the others."""


@blueprint.get("/notes")
def notes() -> str:
    """List all of the merchant's notes, newest first, with the orders that they are about."""
    return _page(NoteForm())


@blueprint.post("/notes")
@limiter.limit(LIMIT, key_func=lambda: access.viewer().email)
def add() -> ResponseReturnValue:
    form = NoteForm()
    if not form.validate_on_submit():
        return _page(form), 422
    return _added(form, None, url_for(".notes", _anchor="notes"))


@blueprint.route("/orders/<number>/notes", methods=["GET", "POST"])
@limiter.limit(LIMIT, key_func=lambda: access.viewer().email, methods=["POST"])
def order_notes(number: str) -> ResponseReturnValue:
    """Add a note about an order. After a mistake, only the notes are shown, with the text that was typed."""
    order = access.order_or_404(number) if number.isprintable() else abort(404)
    form, page = NoteForm(), url_for("merchant.orders.order", number=order.number, _anchor="notes")
    if request.method == "GET":
        return redirect(page)
    if not form.validate_on_submit():
        return render_template("notes/order_notes.html", order=order, form=form, notes=notes_of(order)), 422
    return _added(form, order, page)


def notes_of(order: Order) -> Sequence[Note]:
    """Return the newest notes about an order, oldest first."""
    query = access.owned(Note).where(Note.order_id == order.id).order_by(Note.id.desc()).limit(NOTES_SHOWN)
    return current.session().scalars(query).all()[::-1]


def _page(form: NoteForm) -> str:
    found = listing.page(access.owned(Note), Note.id)
    ids = {note.order_id for note in found.rows if note.order_id is not None}
    numbers = current.session().execute(select(Order.id, Order.number).where(Order.id.in_(ids))).all() if ids else []
    return render_template("notes/notes.html", form=form, page=found, orders=dict(numbers))


def _added(form: NoteForm, order: Order | None, page: str) -> ResponseReturnValue:
    is_new = add_note(
        current.session(),
        current.settings(),
        access.merchant(),
        order,
        str(form.text.data),
        author=access.viewer().email,
        is_by_support=access.is_support(),
        seen=form.newest_seen(),
        now=utc_now(),
    )
    if is_new:
        current.wake(Call(JobName.MESSAGES))
        flash("Note added.", "success")
    return redirect(page, 303)
