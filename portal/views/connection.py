"""The page of one connected store: its access token and account ID, and disconnecting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import func, select

from portal import access, current
from portal.actions.stores import disconnect_store, show_token
from portal.crypto import SealError, unseal
from portal.forms.connect import DisconnectForm, TokenForm
from portal.models import Order, OrderState, Store

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("connection", __name__, url_prefix="/connection/<int:store_id>")

REVOKE_THERE = "Remove it in Big Cartel's settings too."


@blueprint.get("")
def connection(store_id: int) -> str:
    return _page(access.store_or_404(store_id))


@blueprint.post("/token")
def token(store_id: int) -> ResponseReturnValue:
    """Show the page with the token, and record who viewed it. Support must give a reason."""
    store = access.store_or_404(store_id)
    form = TokenForm()
    if not form.validate():
        return _page(store, token_form=form), 422
    show_token(current.session(), store, **access.act(form.given_reason()))
    return _page(store, token=_token(store))


@blueprint.post("/disconnect")
def disconnect(store_id: int) -> ResponseReturnValue:
    store = access.store_or_404(store_id)
    form = DisconnectForm()
    if not form.validate():
        return _page(store, disconnect_form=form), 422
    if not store.sealed_token:
        flash(f"{store.title} is already disconnected.", "info")
        return redirect(url_for(".connection", store_id=store.id), 303)
    problem = disconnect_store(current.session(), store, settings=current.settings(), **access.act(form.given_reason()))
    if problem:
        flash(
            f"{store.title} is disconnected here, but Big Cartel still lists our access. {problem} {REVOKE_THERE}",
            "warning",
        )
    else:
        flash(f"{store.title} is disconnected, and our access at Big Cartel is revoked.", "success")
    return redirect(url_for(".connection", store_id=store.id), 303)


def _page(
    store: Store,
    *,
    token: str = "",
    token_form: TokenForm | None = None,
    disconnect_form: DisconnectForm | None = None,
) -> str:
    return render_template(
        "connect/connection.html",
        store=store,
        token=token,
        is_token_unreadable=bool(store.sealed_token) and not _token(store),
        token_form=token_form or TokenForm(formdata=None),
        disconnect_form=disconnect_form or DisconnectForm(formdata=None),
        ready=_count(store, OrderState.READY),
        at_warehouse=_count(
            store, OrderState.SUBMITTED, OrderState.SHIPPED, OrderState.UNCONFIRMED, OrderState.SUBMITTING
        ),
    )


def _token(store: Store) -> str:
    """Return the access token, or "" if the store is disconnected or the token can't be decrypted."""
    if not store.sealed_token:
        return ""
    try:
        return unseal(store.sealed_token, current.settings().token_keys)
    except SealError:
        return ""


def _count(store: Store, *states: OrderState) -> int:
    query = access.owned(Order).where(Order.store_id == store.id, Order.state.in_(states))
    return current.session().scalar(select(func.count()).select_from(query.subquery())) or 0
