"""Access control: every page checks here what the viewer may see; anything else is a 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, TypeVar, cast
from urllib.parse import urlsplit

from flask import abort, flash, g, redirect, request, url_for
from flask import session as flask_session
from flask_login import current_user
from sqlalchemy import Select, select

from portal import current, visits
from portal.clock import utc_now
from portal.extensions import db
from portal.logs import work
from portal.models import (
    Attempt,
    AuditEntry,
    Merchant,
    Message,
    Note,
    Order,
    OrderEvent,
    Product,
    Role,
    SavedFilter,
    Store,
    User,
)
from portal.page_extensions import login
from portal.people import log_ins

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask, Request
    from flask.typing import ResponseReturnValue

    from portal.visits import Visit


Owned = TypeVar("Owned", Order, Attempt, Store, AuditEntry, Message, OrderEvent, Note, SavedFilter)

PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "home.home",
        "bootstrap.static",
        "health.alive",
        "health.ready",
        "health.metrics",
        "auth.log_in",
        "auth.sign_up",
        "auth.forgot_password",
        "auth.reset_password",
        "auth.accept_invitation",
        "emails.unsubscribe",
        "webhooks.bigcartel",
    }
)
"""Every other endpoint requires a login."""


PUBLIC_FORM_BYTES = 16 * 1024
"""Size of the largest form that someone who isn't logged in may send. A complete sign-up has less than 4 KiB."""


def limit_public_forms(app: Flask) -> None:
    """Refuse large forms from strangers before anything reads them. Call it before the CSRF check is set up."""

    @app.before_request
    def limit_form() -> None:
        if request.endpoint in PUBLIC_ENDPOINTS:
            request.max_content_length = PUBLIC_FORM_BYTES


def guard(app: Flask) -> None:
    """Require a login for every endpoint that isn't public."""
    login.login_view = "auth.log_in"
    login.user_loader(_user_of_cookie)

    @app.before_request
    def require_log_in() -> ResponseReturnValue | None:
        if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS or current_user.is_authenticated:
            return None
        if request.headers.get("HX-Request"):
            if "_flashes" not in flask_session:
                flash("Log in again to continue.", "info")
            return "", 401, {"HX-Redirect": url_for("auth.log_in", next=_page_containing(request) or None)}
        flash("Log in to view this page.", "info")
        return redirect(url_for("auth.log_in", next=request.full_path.rstrip("?")))


def _page_containing(fragment: Request) -> str:
    """Return the path of the page that requested this fragment, or "" if it is unknown."""
    try:
        page = urlsplit(fragment.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    return page.path + (f"?{page.query}" if page.query else "")


def _user_of_cookie(key: str) -> User | None:
    """Find the user whom the session or remember cookie logs in, if its log-in hasn't ended."""
    if g.get("without_database"):
        return None
    return log_ins.find_user(db.session(), key, utc_now())


def go_on_without_database() -> None:
    """Give up this request's database session, and everything loaded from it, to answer without the database."""
    db.session.remove()
    g.without_database = True
    for loaded in ("_login_user", "merchant", "stores"):
        g.pop(loaded, None)


def viewer() -> User:
    """Return the logged-in user itself: code that logs someone in would otherwise get a proxy that points to itself."""
    return cast("User", current_user._get_current_object())  # noqa: SLF001 - documented by Werkzeug


def is_support() -> bool:
    return bool(current_user.is_authenticated) and viewer().role is Role.SUPPORT


def any_visit() -> Visit | None:
    """Return support's visit, whatever merchant it is to; None if there is none, or for anyone else."""
    return visits.of(viewer(), utc_now()) if is_support() else None


def visit() -> Visit | None:
    """Return support's visit to the page's merchant; None if there is none, or for anyone else."""
    found = any_visit()
    return found if found is not None and "merchant" in g and found.merchant_id == merchant().id else None


def as_support() -> bool:
    """Return whether the viewer is support and doesn't act as the merchant: forms then ask them for a reason."""
    return is_support() and visit() is None


def support_only() -> None:
    if not is_support():
        abort(404)


def merchant_or_404(merchant_id: int) -> Merchant:
    """Return the merchant if the viewer may see it: their own, or any merchant for support."""
    if not is_support() and viewer().merchant_id != merchant_id:
        abort(404)
    merchant = current.session().get(Merchant, merchant_id) or abort(404)
    work.found(merchant=merchant.id)
    return merchant


def merchant() -> Merchant:
    """Return the merchant of the current page (any address under /m/<merchant_id>)."""
    found: Merchant = g.merchant
    return found


def owned(kind: type[Owned]) -> Select[Owned]:
    """Select the rows of the page's merchant: the one place that scopes queries."""
    return select(kind).where(kind.merchant_id == merchant().id)


def stores() -> list[Store]:
    """Return the merchant's stores. A page that is only read asks for them once."""
    if request.method != "GET":
        return _stores()
    if "stores" not in g:
        g.stores = _stores()
    return list(g.stores)


def _stores() -> list[Store]:
    return list(current.session().scalars(owned(Store).order_by(Store.id)))


def order_or_404(number: str) -> Order:
    """Return the order with this number in any case: Big Cartel uses capitals, people may type lower case."""
    found = owned(Order).where(Order.number.in_({number, number.upper()}))
    order = current.session().scalars(found.order_by((Order.number == number).desc())).first() or abort(404)
    work.found(order=order.number, store=order.store_id)
    return order


def attempt_or_404(attempt_id: int) -> Attempt:
    return current.session().scalar(owned(Attempt).where(Attempt.id == attempt_id)) or abort(404)


def store_or_404(store_id: int) -> Store:
    store = current.session().scalar(owned(Store).where(Store.id == store_id)) or abort(404)
    work.found(store=store.id)
    return store


def product_or_404(store_id: int, product_id: str) -> Product:
    store = store_or_404(store_id)
    query = select(Product).where(Product.store_id == store.id, Product.product_id == product_id)
    return current.session().scalar(query) or abort(404)


def people() -> list[User]:
    """Return the users of the page's merchant."""
    return list(current.session().scalars(select(User).where(User.merchant_id == merchant().id).order_by(User.email)))


def person_or_404(user_id: int) -> User:
    query = select(User).where(User.merchant_id == merchant().id, User.id == user_id)
    return current.session().scalars(query).first() or abort(404)


class Act(TypedDict):
    """Who acts, why, and when: the arguments that every action takes."""

    actor: str
    reason: str
    now: datetime


def act(reason: str) -> Act:
    """Return the arguments for an action by the viewer; ``reason`` is "" if the form doesn't ask for one."""
    return {"actor": viewer().email, "reason": reason, "now": utc_now()}
