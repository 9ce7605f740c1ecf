"""Actions on a store: connect and disconnect it, go live, sync it now."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.clients.bigcartel import bigcartel_http
from portal.clients.bigcartel_oauth import deauthorize, read_account_id
from portal.clients.errors import ServiceError
from portal.crypto import seal
from portal.fulfillment import dry_run
from portal.fulfillment.clients import make_due
from portal.fulfillment.poll import recount
from portal.models import Merchant, Store
from portal.models.audit import CONNECTED, RECONNECTED, record
from portal.models.base import MAX_ID
from portal.rules.time_zones import zone_named

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

log = logging.getLogger(__name__)


class CannotConnectError(Exception):
    """The store can't be connected; the message says why."""


class Connected(NamedTuple):
    """The store, and whether it is new. An existing store resumes where it stopped."""

    store: Store
    is_new: bool


def connect_store(
    session: Session,
    merchant_id: int,
    *,
    account_id: str,
    token: str,
    settings: Settings,
    actor: str,
    reason: str = "",
    now: datetime,
) -> Connected:
    """Connect a store, or give a connected one a new token. Commits.

    Raises CannotConnectError if the account ID is not a number, the merchant is unknown, or the store belongs to
    another merchant.
    """
    if not account_id or read_account_id(account_id) != account_id:
        raise CannotConnectError(f"{account_id} is not a Big Cartel account ID, which is a number like 1000001.")
    if not 0 < merchant_id <= MAX_ID or session.get(Merchant, merchant_id) is None:
        raise CannotConnectError(f"There is no merchant {merchant_id}. Add it first.")
    store, is_new = _get_or_add(session, merchant_id, account_id, now)
    if store.merchant_id != merchant_id:
        raise CannotConnectError(
            f"Account {account_id} belongs to another merchant, and a store's orders go to one merchant only. "
            "Check the Merchant Id and the account ID."
        )
    store.sealed_token = seal(token, settings.token_keys)
    store.reconnect_needed_at = None
    store.poll_failures = 0
    store.poll_error = ""
    session.flush()
    recount.ask(session, [store.id], now)
    action = CONNECTED if is_new else RECONNECTED
    record(session, action, merchant_id=merchant_id, subject=account_id, actor=actor, reason=reason, now=now)
    session.commit()
    return Connected(store, is_new)


def _get_or_add(session: Session, merchant_id: int, account_id: str, now: datetime) -> Connected:
    """Return the account's store, locked. Of two people who connect it at once, one adds it."""
    known = (
        select(Store)
        .where(Store.account_id == account_id)
        .with_for_update(of=Store)
        .execution_options(populate_existing=True)
    )
    if store := session.scalar(known):
        return Connected(store, is_new=False)
    store = Store(merchant_id=merchant_id, account_id=account_id, connected_at=now)
    try:
        with session.begin_nested():
            session.add(store)
    except IntegrityError:
        return Connected(session.scalars(known).one(), is_new=False)
    return Connected(store, is_new=True)


def disconnect_store(
    session: Session, store: Store, *, settings: Settings, actor: str, reason: str = "", now: datetime
) -> str:
    """Revoke our access at Big Cartel and delete the token, even if revoking fails. Commits.

    Returns why the access may not be revoked, as a sentence, or "" if it is.
    """
    session.commit()
    problem = ""
    try:
        deauthorize(
            bigcartel_http(interactive=True),
            token_url=settings.bigcartel_token_url,
            account_id=store.account_id,
            client_id=settings.bigcartel_client_id,
            client_secret=settings.bigcartel_client_secret,
        )
    except ServiceError as error:
        problem = str(error)
        log.warning("store.not_revoked", extra={"store": store.id, "error": problem})
    session.refresh(store)
    store.sealed_token = ""
    store.next_poll_at = None
    store.reconnect_needed_at = None
    store.poll_failures = 0
    store.poll_error = ""
    action = "store disconnected; access not revoked" if problem else "store disconnected; access revoked"
    _record(session, store, action, store.account_id, actor=actor, reason=reason, now=now)
    session.commit()
    return problem


def go_live(
    session: Session, store: Store, *, starts_at: datetime | None, actor: str, reason: str = "", now: datetime
) -> None:
    """Go live, or change which orders are sent: all (None), or those placed at or after a time. Commits."""
    chosen = f"orders placed since {zone_named(store.time_zone).in_words(starts_at)}" if starts_at else "all orders"
    action = "start date changed" if store.live else "store went live"
    store.live = True
    store.starts_at = starts_at
    store.merchant.rules_changed_at = now
    recount.ask(session, [store.id], now)
    reason = f"{chosen}; {reason}" if reason else chosen
    _record(session, store, action, store.account_id, actor=actor, reason=reason, now=now)
    session.commit()


def sync_now(session: Session, store: Store, *, actor: str, reason: str, now: datetime) -> bool:
    """Make everything due now: the store's poll, and whatever of the merchant's orders waits for a next try. Commits.

    The poll reads every unshipped order and reconciles them. Returns False and changes nothing if the store is not
    connected.
    """
    if not store.is_connected:
        return False
    recount.ask(session, [store.id], now)
    make_due(session, store.merchant, now)
    _record(session, store, "store synced", store.title, actor=actor, reason=reason, now=now)
    session.commit()
    return True


def refresh_products(session: Session, store: Store, *, actor: str, reason: str, now: datetime) -> bool:
    """Mark the product list as due for a refresh. Return False if the store is not connected. Commits."""
    if not store.is_connected:
        return False
    store.products_refreshed_at = None
    _record(session, store, "products synced", store.title, actor=actor, reason=reason, now=now)
    session.commit()
    return True


def start_dry_run(session: Session, store: Store, *, actor: str, reason: str, now: datetime) -> bool:
    """Request a dry run of the backlog. A dry run already in progress continues. Commits.

    Returns False if there is no order to test.
    """
    if store.dry_run_asked_at is None:
        count = dry_run.read_backlog(session, store).testable
        store.dry_run_problem = ""
        if count:
            store.dry_run_asked_at, store.dry_run_total = now, count
            _record(session, store, "dry run requested", store.title, actor=actor, reason=reason, now=now)
    session.commit()
    return store.dry_run_asked_at is not None


def show_token(session: Session, store: Store, *, actor: str, reason: str, now: datetime) -> None:
    """Record that the access token was shown to a person. Commits."""
    _record(session, store, "access token shown", store.account_id, actor=actor, reason=reason, now=now)
    session.commit()


def _record(
    session: Session, store: Store, action: str, subject: str, *, actor: str, reason: str, now: datetime
) -> None:
    record(session, action, merchant_id=store.merchant_id, subject=subject, actor=actor, reason=reason, now=now)
