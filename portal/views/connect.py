"""Connecting a Big Cartel store: the form, and Big Cartel's redirect back after consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, render_template, request, url_for
from sqlalchemy import select

from portal import access, current, oauth
from portal.actions.stores import CannotConnectError, Connected, connect_store
from portal.connect_failures import ConnectFailedError, Failure
from portal.forms.connect import ConnectForm
from portal.fulfillment.products import read_account
from portal.models import Store
from portal.page_extensions import limiter
from portal.queue import Call, JobName
from portal.reports.setup import StepName
from portal.views.setup import back_from_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("connect", __name__)


@blueprint.get("/BigCartel/")
@blueprint.get("/bigcartel/")
@blueprint.get("/connect")
def start() -> str:
    """Show the form. /BigCartel/ is the address in the published instructions."""
    return _page(ConnectForm())


@blueprint.post("/connect")
@limiter.limit("10 per minute")
def begin() -> ResponseReturnValue:
    form = ConnectForm()
    if not _is_set_up():
        return _page(form), 503
    if not form.validate():
        return _page(form), 422
    pending = oauth.PendingConnection(access.viewer().id, int(form.merchant_id.data or 0), form.given_reason())
    return oauth.begin(pending, redirect_uri=f"{current.settings().public_url}/connect/callback")


@blueprint.get("/connect/callback")
@limiter.limit("30 per minute")
def callback() -> ResponseReturnValue:
    """Finish connecting when Big Cartel redirects back. Stores nothing unless everything succeeded."""
    if request.method == "HEAD":  # a link preview must not use up the state and the code
        abort(405)
    try:
        store, is_new = _connect()
    except ConnectFailedError as error:
        failure = error.failure.value
        return render_template("connect/failed.html", failure=failure, words=error.words), failure.status
    if is_new:
        flash(f"{store.title} is connected. We don't send anything to the warehouse until you go live.", "success")
    else:
        flash(f"{store.title} is reconnected. Its orders and settings are unchanged.", "success")
    here = url_for("merchant.connection.connection", merchant_id=store.merchant_id, store_id=store.id)
    return back_from_step(store.merchant, here, opened=StepName.CONNECT)


def _connect() -> Connected:
    pending = oauth.pending_connection()
    if pending.user_id != access.viewer().id:
        raise ConnectFailedError(Failure.STATE)
    access.merchant_or_404(pending.merchant_id)
    session, settings = current.session(), current.settings()
    session.commit()
    granted = oauth.finish()
    try:
        connected = connect_store(
            session,
            pending.merchant_id,
            account_id=granted.account_id,
            token=granted.token,
            settings=settings,
            **access.act(pending.reason),
        )
    except CannotConnectError as error:
        # The new token is dropped, not revoked: that would end the other merchant's access (see deauthorize()).
        session.rollback()
        raise ConnectFailedError(Failure.TAKEN) from error
    store = connected.store
    read_account(session, store, settings)
    current.wake(Call(JobName.POLL, (store.id,)), Call(JobName.PRODUCTS, (store.id,)))
    return connected


def _page(form: ConnectForm) -> str:
    own = access.viewer().merchant_id
    return render_template("connect/start.html", form=form, stores=_stores_of(own), is_set_up=_is_set_up())


def _stores_of(merchant_id: int | None) -> Sequence[Store]:
    """Return the merchant's stores. This page's address names no merchant, so access.stores() doesn't apply."""
    query = select(Store).where(Store.merchant_id == merchant_id).order_by(Store.id)
    return current.session().scalars(query).all() if merchant_id is not None else ()


def _is_set_up() -> bool:
    return bool(current.settings().bigcartel_client_id and current.settings().bigcartel_client_secret)
