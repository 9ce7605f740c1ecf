"""Fix one order: its SKUs, address, carrier service, what the warehouse ships, and a hold of the person's own.

Each fix is a page of its own, which opens in a dialog over the order's page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, request, url_for
from sqlalchemy import select

from portal import access, current
from portal.actions import order_fixes as actions
from portal.clients.bigcartel import read_stored
from portal.forms.order_fixes import ALL_ORDERS, AddressForm, ConfirmForm, HoldForm, ServiceForm, SkuForm
from portal.fulfillment import warehouse_checks
from portal.models import Order, Product
from portal.reports import links
from portal.reports.order_fixes import excerpt, fixes_of, with_rejected_service, with_same_problem
from portal.reports.service_standing import as_known
from portal.reports.shipping_choice import choice_of, service_name
from portal.rules.countries import country
from portal.rules.order_edits import version_of
from portal.rules.services import known_services
from portal.rules.shipping import ShippingCode
from portal.views import fix_pages, fix_undo
from portal.views.messages import Undo
from portal.views.waking import wake_polls
from portal.wording import order_fixes as wording
from portal.wording.actions import CHANGED_SINCE, cannot_be

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import StoredLine
    from portal.reports.order_fixes import Fixes

blueprint = Blueprint("fixes", __name__)


@blueprint.before_request
def refuse_late_undo() -> ResponseReturnValue | None:
    if not fix_undo.is_undoing():
        return None
    found = fix_pages.order_or_404((request.view_args or {})["number"])
    late = fix_undo.is_outdated(found)
    return fix_pages.refused(found, cannot_be("undone", found.number, CHANGED_SINCE), is_whole=True) if late else None


@blueprint.route("/<number>/sku", methods=["GET", "POST"])
def set_sku(number: str) -> ResponseReturnValue:
    """Set the SKU of the item in the address, and send the orders with the same problem on request."""
    found = fix_pages.order_or_404(number)
    fixes = fixes_of(found)
    if not fixes.can_be_fixed:
        return fix_pages.refused(found, fixes.why_not)
    line = _line_or_404(found, fixes)
    form, product = SkuForm(), _product(found, line)
    called = " / ".join(filter(None, (line["name"], line["option"])))
    form.offer(called=called, product_is_known=product is not None, product_is_gone=product is None or product.gone)
    if request.method == "GET":
        form.sku.data = line["sku"]
    same = with_same_problem(current.session(), access.owned(Order), found, line) if product is not None else []
    if form.validate_on_submit():
        undo = None
        is_for_all = form.scope.data == ALL_ORDERS and product is not None
        sku, act = str(form.sku.data), access.act(form.given_reason())
        if is_for_all and product is not None:
            result = actions.set_product_sku(current.session(), found, product, line["item_id"], sku, **act)
            wake_polls()
        else:
            undo = fix_undo.of_item(found, line["item_id"])
            result = actions.set_sku(current.session(), found, line["item_id"], sku, **act)
        return fix_pages.saved(result, undo, also=same if is_for_all else (), reason=form.given_reason())
    return fix_pages.page(
        "sku",
        found,
        form,
        title=f"Set SKU for {called}",
        line=line,
        fixes=fixes,
        product=product,
        description=excerpt(product) if product is not None and not product.gone else None,
        product_in_big_cartel=links.product_in_big_cartel,
        **fix_pages.with_others(same),
    )


@blueprint.route("/<number>/item", methods=["GET", "POST"])
def ship_item(number: str) -> ResponseReturnValue:
    """Say that the warehouse doesn't ship the item in the address, or that it does after all."""
    found = fix_pages.order_or_404(number)
    fixes = fixes_of(found)
    if not fixes.can_be_fixed:
        return fix_pages.refused(found, fixes.why_not)
    line, form = _line_or_404(found, fixes), ConfirmForm()
    by_warehouse = fixes.is_not_shipped(line)
    if form.validate_on_submit():
        act, undo = access.act(form.given_reason()), Undo(request.full_path)
        result = actions.ship_item(current.session(), found, line["item_id"], by_warehouse=by_warehouse, **act)
        return fix_pages.saved(result, undo, reason=form.given_reason())
    others = [one for one in found.lines if one is not line and not one["left_out"] and one["quantity"]]
    title = "Have the warehouse ship this item" if by_warehouse else "Leave out this item"
    return fix_pages.page("item", found, form, title=title, line=line, by_warehouse=by_warehouse, is_last=not others)


@blueprint.route("/<number>/item/big-cartel", methods=["GET", "POST"])
def use_big_cartels_item(number: str) -> ResponseReturnValue:
    """Take back what was changed about the item in the address."""
    found = fix_pages.order_or_404(number)
    fixes = fixes_of(found)
    if not fixes.can_be_fixed:
        return fix_pages.refused(found, fixes.why_not)
    line, form = _line_or_404(found, fixes), ConfirmForm()
    if form.validate_on_submit():
        act, undo = access.act(form.given_reason()), fix_undo.of_item(found, line["item_id"])
        result = actions.use_big_cartels_item(current.session(), found, line["item_id"], **act)
        return fix_pages.saved(result, undo, reason=form.given_reason())
    return fix_pages.page("big_cartels_item", found, form, title="Use what Big Cartel shows", line=line)


@blueprint.route("/<number>/address", methods=["GET", "POST"])
def correct_address(number: str) -> ResponseReturnValue:
    found = fix_pages.order_or_404(number)
    fixes = fixes_of(found)
    if not fixes.can_be_fixed:
        return fix_pages.refused(found, fixes.why_not)
    shown = read_stored(found.document).address
    present = fixes.address or shown
    form = AddressForm(obj=present)
    form.offer_countries(form.country_code.data or "")
    if request.method == "GET":
        form.country_code.data = country(present.country_code) or present.country_code
    if form.validate_on_submit() and form.is_complete():
        if form.seen.data == version_of(shown):
            act, undo = access.act(form.given_reason()), fix_undo.of_address(found)
            entered = form.entered()
            result = actions.correct_address(current.session(), found, entered, instead_of=shown, **act)
            return fix_pages.saved(result, undo, reason=form.given_reason())
        form.first_name.errors = ["The address has just changed in Big Cartel. Check it, then save again."]
    form.seen.data = version_of(shown)
    return fix_pages.page("address", found, form, title="Correct address", shown=shown, fixes=fixes)


@blueprint.route("/<number>/address/big-cartel", methods=["GET", "POST"])
def use_big_cartels_address(number: str) -> ResponseReturnValue:
    found, form = fix_pages.order_or_404(number), ConfirmForm()
    fixes = fixes_of(found)
    if not fixes.can_be_fixed:
        return fix_pages.refused(found, fixes.why_not)
    if form.validate_on_submit():
        result = actions.use_big_cartels_address(current.session(), found, **access.act(form.given_reason()))
        return fix_pages.saved(result, reason=form.given_reason())
    shown = read_stored(found.document).address
    return fix_pages.page(
        "big_cartels_address", found, form, title="Use Big Cartel's address", shown=shown, fixes=fixes
    )


@blueprint.route("/<number>/service", methods=["GET", "POST"])
def change_service(number: str) -> ResponseReturnValue:
    found, form = fix_pages.order_or_404(number), ServiceForm()
    fixes = fixes_of(found)
    if not fixes.can_be_fixed:
        return fix_pages.refused(found, fixes.why_not)
    if not found.shipping_code:
        return fix_pages.refused(found, "We don't know which country it ships to. Correct the address first.")
    code = ShippingCode(found.shipping_code)
    services = as_known(current.session(), known_services())
    mapped = choice_of(access.merchant()).service(code)
    present = fixes.edits.service.code if fixes.edits.service is not None else ""
    same = with_rejected_service(current.session(), access.owned(Order), found)
    form.offer(code, services, mapped=service_name(mapped) if mapped else "", present=present, others=len(same))
    if form.validate_on_submit():
        chosen = str(form.service.data or "")
        name = service_name(chosen) if chosen else ""
        act, undo = access.act(form.given_reason()), Undo(request.path, {"service": present})
        warehouse_checks.ask(current.session(), found.merchant_id, chosen, act["now"])
        result = actions.choose_service(current.session(), found, chosen, name=name, **act)
        if not form.scope or form.scope.data != ALL_ORDERS:
            return fix_pages.saved(result, undo, reason=form.given_reason())
        for other in same[: fix_pages.MOST_SENT - 1]:
            actions.choose_service(current.session(), other, chosen, name=name, **act)
        return fix_pages.saved(result, also=same, reason=form.given_reason())
    return fix_pages.page(
        "service", found, form, title="Change service", code=code.value, **fix_pages.with_others(same)
    )


@blueprint.route("/<number>/hold", methods=["GET", "POST"])
def hold(number: str) -> ResponseReturnValue:
    found, form = fix_pages.order_or_404(number), HoldForm()
    if why := wording.why_not(found):
        return fix_pages.refused(found, why)
    if form.validate_on_submit():
        undo = Undo(url_for(".end_hold", number=found.number))
        result = actions.hold(current.session(), found, form.note.data or "", **access.act(form.given_reason()))
        return fix_pages.saved(result, undo, reason=form.given_reason())
    return fix_pages.page("hold", found, form, title="Hold order")


@blueprint.route("/<number>/hold/release", methods=["GET", "POST"])
def end_hold(number: str) -> ResponseReturnValue:
    found, form = fix_pages.order_or_404(number), ConfirmForm()
    if why := wording.why_not(found):
        return fix_pages.refused(found, why)
    if form.validate_on_submit():
        undo = fix_undo.of_end_of_hold(found)
        result = actions.end_hold(current.session(), found, **access.act(form.given_reason()))
        return fix_pages.saved(result, undo, reason=form.given_reason())
    return fix_pages.page("end_hold", found, form, title="Release hold", own_hold=fixes_of(found).own_hold)


def _line_or_404(order: Order, fixes: Fixes) -> StoredLine:
    item_id = request.args.get("item", "")
    return next((line for line in order.lines if line["item_id"] == item_id and fixes.can_change(line)), None) or abort(
        404
    )


def _product(order: Order, line: StoredLine) -> Product | None:
    """Return the item's product as we know it, None if we don't."""
    product_id = line["product_id"]
    if product_id is None:
        return None
    query = select(Product).where(Product.store_id == order.store_id, Product.product_id == product_id)
    return current.session().scalar(query)
