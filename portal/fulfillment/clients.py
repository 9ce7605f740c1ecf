"""The ways to the two services: clients for a store and a merchant, and what a refusal of their credentials means."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, Update, select, update

from portal.clients.bigcartel import BigCartel, bigcartel_http
from portal.clients.bigcartel_oauth import deauthorize
from portal.clients.errors import ServiceError
from portal.clients.fcp import Credentials, Fcp, fcp_http
from portal.crypto import SealError, seal, unseal
from portal.models import AuditEntry, Merchant, Order, OrderState, Store

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.errors import Unauthorized

log = logging.getLogger(__name__)

RECONNECT = "Big Cartel does not accept our access any more. Reconnect the store."
CHECK_TOKEN = (
    "The warehouse does not accept the merchant's credentials. Check the Merchant Token and the Merchant Name."  # noqa: S105 - a sentence
)


CALLS_AT_ONCE = 4
"""To one shop: Big Cartel's limits are not published, so a modest number."""


class ConnectionRefusedByRuleError(Exception):
    """A store cannot be connected as asked; the text says why."""


def shop_for(store: Store, settings: Settings, *, hurried: bool = False) -> BigCartel:
    """The store's Big Cartel client. Raises SealError when its token cannot be opened.

    A ``hurried`` one gives up after a few seconds, because a person waits.
    """
    return BigCartel(
        bigcartel_http(pool=CALLS_AT_ONCE, hurried=hurried),
        api_url=settings.bigcartel_api_url,
        account_id=store.account_id,
        token=unseal(store.sealed_token, settings.token_keys),
    )


def warehouse_for(merchant: Merchant, settings: Settings) -> Fcp:
    """The merchant's FCP client. Raises SealError when the Merchant Token cannot be opened."""
    credentials = Credentials(
        merchant_id=str(merchant.id),
        merchant_name=merchant.name,
        merchant_token=unseal(merchant.sealed_token, settings.token_keys),
    )
    return Fcp(
        fcp_http(credentials, pool=settings.fcp_concurrency),
        api_url=settings.fcp_api_url,
        credentials=credentials,
    )


def save_merchant(
    session: Session,
    *,
    merchant_id: int,
    name: str,
    token: str,
    settings: Settings,
    now: datetime,
    actor: str,
    reason: str = "",
) -> bool:
    """Add a merchant, or replace the name and token of one that is there. Returns whether it is new; commits."""
    merchant = session.get(Merchant, merchant_id, populate_existing=True, with_for_update=True)
    is_new = merchant is None
    if merchant is None:
        merchant = Merchant(id=merchant_id, created_at=now)
        session.add(merchant)
    give_credentials(session, merchant, name=name, token=token, settings=settings, now=now)
    session.flush()
    action = "merchant added" if is_new else "merchant credentials replaced"
    session.add(AuditEntry(at=now, actor=actor, merchant_id=merchant_id, action=action, reason=reason))
    session.commit()
    return is_new


def give_credentials(
    session: Session, merchant: Merchant, *, name: str, token: str, settings: Settings, now: datetime
) -> None:
    """Set the merchant's name and token; that ends a stop after refused ones, and any back-off.

    ``merchant`` is as the database has it now: what a worker has written meanwhile would stay otherwise.
    """
    merchant.name = name
    merchant.sealed_token = seal(token, settings.token_keys)
    merchant.credentials_refused_at = None
    merchant.credentials_refused_words = ""
    merchant.fcp_after = None
    merchant.fcp_failures = 0
    merchant.fcp_error = ""
    merchant.rules_changed_at = now
    waiting = (Order.merchant_id == merchant.id, Order.state == OrderState.READY, Order.next_attempt_at.is_not(None))
    session.execute(update(Order).where(*waiting).values(next_attempt_at=now, failures=0, first_failed_at=None))
    session.execute(update(Store).where(Store.merchant_id == merchant.id).values(rehearsal_problem=""))


def connect_store(
    session: Session,
    *,
    merchant_id: int,
    account_id: str,
    token: str,
    settings: Settings,
    now: datetime,
    actor: str,
    reason: str = "",
) -> Store:
    """Connect a shop, or give a connected one a new token; a reconnected store goes on where it stopped. Commits.

    Raises ConnectionRefusedByRuleError when the merchant is unknown or the shop belongs to another merchant.
    """
    if session.get(Merchant, merchant_id) is None:
        raise ConnectionRefusedByRuleError(f"There is no merchant {merchant_id}. Add it first.")
    store = session.scalar(
        select(Store)
        .where(Store.account_id == account_id)
        .with_for_update(of=Store)
        .execution_options(populate_existing=True)
    )
    if store is not None and store.merchant_id != merchant_id:
        raise ConnectionRefusedByRuleError(
            f"Account {account_id} is kept here for another merchant, and a store's orders go to one merchant only. "
            "Check the Merchant Id and the account id."
        )
    is_new = store is None
    if store is None:
        store = Store(merchant_id=merchant_id, account_id=account_id, connected_at=now)
        session.add(store)
    store.sealed_token = seal(token, settings.token_keys)
    store.reconnect_needed_at = None
    store.poll_failures = 0
    store.poll_error = ""
    store.next_poll_at = now
    action = "store connected" if is_new else "store reconnected"
    session.add(
        AuditEntry(at=now, actor=actor, merchant_id=merchant_id, action=action, subject=account_id, reason=reason)
    )
    session.commit()
    return store


def read_name(session: Session, store: Store, settings: Settings) -> None:
    """Ask Big Cartel for the shop's name and address and keep them. One that cannot be had now is left. Commits."""
    session.commit()
    try:
        account = shop_for(store, settings, hurried=True).account()
    except (ServiceError, SealError) as error:
        log.warning("store.name_not_read", extra={"store": store.id, "error": str(error)})
        return
    store.name, store.url = account.name or store.name, account.url or store.url
    session.commit()


def disconnect_store(
    session: Session, store: Store, *, settings: Settings, now: datetime, actor: str, reason: str = ""
) -> str:
    """Give the access back to Big Cartel and forget the token, whatever Big Cartel says. Commits.

    Returns why Big Cartel still holds the access as far as we know, as a sentence; "" when it is revoked.
    """
    session.commit()
    problem = ""
    try:
        deauthorize(
            bigcartel_http(hurried=True),
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
    action = "store disconnected; not revoked at Big Cartel" if problem else "store disconnected; revoked at Big Cartel"
    session.add(
        AuditEntry(
            at=now, actor=actor, merchant_id=store.merchant_id, action=action, subject=store.account_id, reason=reason
        )
    )
    session.commit()
    return problem


def go_live(
    session: Session, store: Store, *, starts_at: datetime | None, now: datetime, actor: str, reason: str = ""
) -> None:
    """Choose which orders are sent: all (None), or those placed from a time on. Commits."""
    chosen = f"orders placed from {starts_at:%Y-%m-%d %H:%M} UTC on" if starts_at else "all orders"
    action = "start changed" if store.live else "store went live"
    store.live = True
    store.starts_at = starts_at
    store.merchant.rules_changed_at = now
    if store.sealed_token and store.reconnect_needed_at is None:
        store.next_poll_at = now
    session.add(
        AuditEntry(
            at=now,
            actor=actor,
            merchant_id=store.merchant_id,
            action=action,
            subject=store.account_id,
            reason=f"{chosen}; {reason}" if reason else chosen,
        )
    )
    session.commit()


def token_refused(session: Session, store: Store, used: str, now: datetime) -> bool:
    """Stop the store until a person reconnects it: no further call is made with a refused token.

    ``used`` is the sealed token that was refused. Returns False, and stops nothing, when the store has been given
    another one since.
    """
    is_stopped = _stop(
        session,
        update(Store)
        .where(Store.id == store.id, Store.sealed_token == used)
        .values(reconnect_needed_at=now, next_poll_at=None, poll_error=RECONNECT),
    )
    session.refresh(store)
    if is_stopped:
        log.warning("store.reconnect_needed", extra={"store": store.id, "merchant": store.merchant_id})
    return is_stopped


def credentials_refused(session: Session, merchant: Merchant, used: str, error: Unauthorized, now: datetime) -> None:
    """Stop the merchant's way to the FCP until a person enters the credentials anew.

    ``used`` is the sealed token that was refused; nothing stops when the merchant has been given another one since.
    """
    is_stopped = _stop(
        session,
        update(Merchant)
        .where(Merchant.id == merchant.id, Merchant.sealed_token == used)
        .values(credentials_refused_at=now, credentials_refused_words=error.words, fcp_error=CHECK_TOKEN),
    )
    session.refresh(merchant)
    if is_stopped:
        log.warning("merchant.credentials_refused", extra={"merchant": merchant.id})


def _stop(session: Session, statement: Update) -> bool:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount == 1
