"""Setup: one page with all steps from a new account to a live store, the next one open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from portal import access, current
from portal.forms.connect import ConnectForm, TokenForm
from portal.forms.settings import CredentialsForm
from portal.forms.shipping import CheckForm, ShippingForm
from portal.models import Store
from portal.reports import setup as report
from portal.reports.service_standing import standings
from portal.reports.shipping_choice import choice_of
from portal.rules.services import known_services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import Merchant
    from portal.reports.setup import StepName

blueprint = Blueprint("setup", __name__, url_prefix="/setup")


@blueprint.get("")
def setup() -> ResponseReturnValue:
    """Show the steps, or to htmx those that changed since it asked."""
    merchant, stores = access.merchant(), access.stores()
    found = report.set_up(current.session(), merchant, stores)
    is_update = request.headers.get("HX-Target") == "steps"
    if is_update and request.args.get("seen") == found.version:
        return "", 204
    services = known_services()
    return render_template(
        "setup/_steps.html" if is_update else "setup/setup.html",
        set_up=found,
        stores=stores,
        is_update=is_update,
        opened=request.args.get("opened"),
        titles=TITLES,
        standings=standings(current.session(), merchant.id, services),
        shipping_form=ShippingForm(services, choice_of(merchant), formdata=None),
        check_form=CheckForm(formdata=None),
        connect_form=ConnectForm(formdata=None),
        token_form=TokenForm(formdata=None),
        credentials_form=CredentialsForm(formdata=None, data={"merchant_name": merchant.name}),
    )


TITLES = {
    report.StepName.ACCOUNT: "Account",
    report.StepName.CONNECT: "Connect your store",
    report.StepName.SERVICES: "Choose carrier services",
    report.StepName.CATALOG: "Check your catalog",
    report.StepName.DRY_RUN: "Do a dry run",
    report.StepName.LIVE: "Go live",
}


def back_from_step(merchant: Merchant, otherwise: str, *, opened: StepName | None = None) -> ResponseReturnValue:
    """Redirect to the setup page after one of its steps, or to ``otherwise`` once setup is complete.

    The page shows the step ``opened`` in full, even if it is complete.
    """
    stores = current.session().scalars(select(Store).where(Store.merchant_id == merchant.id)).all()
    if report.is_complete(merchant, stores):
        return redirect(otherwise, 303)
    return redirect(url_for("merchant.setup.setup", merchant_id=merchant.id, opened=opened), 303)
