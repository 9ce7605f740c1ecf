"""How a person sees the order list: saved filters, columns, and lines per order."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import abort, flash, redirect, request, url_for

from portal import access, current
from portal.actions import list_views
from portal.clock import utc_now
from portal.forms.common import one_line
from portal.forms.orders import OrderFilters
from portal.models import SavedFilter
from portal.reports.list_view import as_stored
from portal.views.messages import Undo, flash_with_undo
from portal.views.order_list import blueprint

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.post("/view")
def save_view() -> ResponseReturnValue:
    """Save the reader's choice of columns, and of lines per order."""
    chosen = as_stored(request.form.getlist("column"), is_dense=request.form.get("lines") == "1")
    list_views.save_view(current.session(), access.viewer(), chosen)
    return redirect(url_for(".orders", **OrderFilters().address()), 303)


@blueprint.post("/filters")
def save_filter() -> ResponseReturnValue:
    """Save the filters in the address under the name in the form."""
    given = OrderFilters().address()
    name = one_line(request.form.get("name"))[: list_views.LONGEST_NAME]
    if not name:
        flash("Name the filters to save them.", "warning")
    elif list_views.save_filter(
        current.session(), access.viewer(), access.merchant().id, name, urlencode(given), utc_now()
    ):
        flash(f"Filters saved as “{name}”.", "success")
    else:
        flash(f"You can save up to {list_views.MOST_FILTERS} filters. Delete one first.", "warning")
    return redirect(url_for(".orders", **given), 303)


@blueprint.post("/filters/<int:filter_id>/delete")
def delete_filter(filter_id: int) -> ResponseReturnValue:
    own = access.owned(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.user_id == access.viewer().id)
    saved = current.session().scalar(own) or abort(404)
    name, undo = saved.name, Undo(f"{url_for('.save_filter')}?{saved.query}", {"name": saved.name})
    list_views.delete_filter(current.session(), saved)
    flash_with_undo(f"Filter “{name}” deleted.", undo)
    return redirect(url_for(".orders", **OrderFilters().address()), 303)
