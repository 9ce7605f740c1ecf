"""Connecting a Big Cartel shop: the form, Big Cartel's consent, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import select

from portal import access, current, oauth
from portal.actions.stores import Connected, ConnectionRefusedByRuleError, connect_store
from portal.extensions import limiter
from portal.forms.connect import ConnectForm
from portal.fulfillment.products import read_store_name
from portal.models import Store
from portal.oauth import FailedError, Failure
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("connect", __name__)


@blueprint.get("/BigCartel/")
@blueprint.get("/bigcartel/")
@blueprint.get("/connect")
def start() -> str:
    """/BigCartel/ is the address in the published instructions."""
    return _page(ConnectForm())


@blueprint.post("/connect")
@limiter.limit("10 per minute")
def begin() -> ResponseReturnValue:
    form = ConnectForm()
    if not _is_set_up():
        return _page(form), 503
    if not form.validate():
        return _page(form), 422
    begun = oauth.Begun(access.viewer().id, int(form.merchant_id.data or 0), form.given_reason())
    return oauth.begin(begun, redirect_uri=f"{current.settings().public_url}/connect/callback")


@blueprint.get("/connect/callback")
@limiter.limit("30 per minute")
def callback() -> ResponseReturnValue:
    """Where Big Cartel sends the person back to; nothing is stored before everything is in order."""
    try:
        store, is_new = _connect()
    except FailedError as error:
        told = error.failure.value
        return render_template("connect/failed.html", told=told, words=error.words), told.status
    if is_new:
        flash(f"{store.title} is connected. Nothing is sent to the warehouse before you go live.", "success")
    else:
        flash(f"{store.title} is connected again. Its orders and settings are as they were.", "success")
    return redirect(url_for("merchant.connection.connection", merchant_id=store.merchant_id, store_id=store.id), 303)


def _connect() -> Connected:
    begun = oauth.returned()
    if begun.user_id != access.viewer().id:
        raise FailedError(Failure.STATE)
    access.merchant_or_404(begun.merchant_id)
    session, settings = current.session(), current.settings()
    session.commit()
    given = oauth.finish()
    try:
        connected = connect_store(
            session,
            begun.merchant_id,
            account_id=given.account_id,
            token=given.token,
            settings=settings,
            **access.act(begun.reason),
        )
    except ConnectionRefusedByRuleError as error:
        session.rollback()
        raise FailedError(Failure.TAKEN) from error
    store = connected.store
    read_store_name(session, store, settings)
    current.wake(Call(JobName.POLL, (store.id,)), Call(JobName.PRODUCTS, (store.id,)))
    return connected


def _page(form: ConnectForm) -> str:
    own = access.viewer().merchant_id
    return render_template("connect/start.html", form=form, stores=_stores_of(own), is_set_up=_is_set_up())


def _stores_of(merchant_id: int | None) -> Sequence[Store]:
    """Those of the person's own merchant: there is no merchant in this page's address."""
    query = select(Store).where(Store.merchant_id == merchant_id).order_by(Store.id)
    return current.session().scalars(query).all() if merchant_id is not None else ()


def _is_set_up() -> bool:
    return bool(current.settings().bigcartel_client_id and current.settings().bigcartel_client_secret)
