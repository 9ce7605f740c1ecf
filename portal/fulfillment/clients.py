"""The clients for a store and a merchant, whether they may be called now, and what stops further calls."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, case, delete, func, or_, select, update

from portal.clients.bigcartel import BigCartel, bigcartel_http
from portal.clients.failures import TRIES
from portal.clients.fcp import Credentials, Fcp, fcp_http
from portal.crypto import SealError, seal, unseal
from portal.fulfillment import hosts
from portal.models import HostName, Merchant, Order, OrderState, Store, WarehouseCheck
from portal.wording.stops import DISCONNECTED, RECONNECT, credentials_rejected_because

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, CursorResult, Update
    from sqlalchemy.orm import Session

    from config import Settings

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 4
"""Parallel calls to one store. Big Cartel does not publish its limits, so the number is modest."""


MAX_UNREADABLE = 5
"""How many merchants or stores are tried for a cheap call: the token of some may not be decryptable."""


class BlockedError(Exception):
    """No call may be made now; the message says why and what to do."""


def why_not_connected(store: Store) -> str:
    """Return why the store isn't connected: Big Cartel rejected its token, or a person disconnected it."""
    return RECONNECT if store.reconnect_needed_at is not None else DISCONNECTED


def bigcartel_for(store: Store, settings: Settings, *, interactive: bool = False, tries: int = TRIES) -> BigCartel:
    """Return the store's Big Cartel client. An ``interactive`` one gives up within seconds: a person is waiting.

    ``tries`` limits how often a call that had no effect is sent again.

    Raises BlockedError if the store is not connected or its token can't be decrypted.
    """
    if not store.is_connected:
        raise BlockedError(why_not_connected(store))
    try:
        token = unseal(store.sealed_token, settings.token_keys)
    except SealError as error:
        raise BlockedError(str(error)) from error
    return BigCartel(
        bigcartel_http(interactive=interactive, tries=tries),
        api_url=settings.bigcartel_api_url,
        account_id=store.account_id,
        token=token,
    )


def may_call_fcp(merchant: Merchant, now: datetime) -> bool:
    """Return whether the merchant's account allows scheduled calls: credentials not rejected, calls not paused."""
    return merchant.credentials_refused_at is None and (merchant.fcp_after is None or merchant.fcp_after <= now)


def may_call_fcp_sql(now: datetime) -> ColumnElement[bool]:
    """Return the condition of a scheduled call: may_call_fcp(), and the FCP doesn't fail for everyone."""
    return and_(
        Merchant.credentials_refused_at.is_(None),
        or_(Merchant.fcp_after.is_(None), Merchant.fcp_after <= now),
        hosts.is_answering_sql(HostName.WAREHOUSE),
    )


def fcp_for(
    session: Session, merchant: Merchant, settings: Settings, *, now: datetime, ignore_pause: bool = False
) -> Fcp:
    """Return the merchant's FCP client. Only this function decides whether the FCP may be called now.

    Set ``ignore_pause`` in a run started by a person to call it even while it fails. Raises BlockedError if the FCP
    rejected the credentials, while it fails for everyone or for this merchant, and if the Merchant Token can't be
    decrypted.
    """
    if merchant.credentials_refused_at is not None:
        raise BlockedError(credentials_rejected_because(merchant.credentials_refused_words))
    if not ignore_pause:
        host = hosts.failing(session, HostName.WAREHOUSE)
        if host is not None:
            raise BlockedError(host.error)
        if not may_call_fcp(merchant, now):
            raise BlockedError(merchant.fcp_error)
    return fcp_client(merchant, settings)


def fcp_client(merchant: Merchant, settings: Settings, *, tries: int = TRIES) -> Fcp:
    """Return the client regardless of earlier failures, for checks and probes. Raises BlockedError.

    ``tries`` limits how often a call that had no effect is sent again.
    """
    try:
        token = unseal(merchant.sealed_token, settings.token_keys)
    except SealError as error:
        raise BlockedError(str(error)) from error
    credentials = Credentials(merchant_id=str(merchant.id), merchant_name=merchant.name, merchant_token=token)
    return Fcp(
        fcp_http(credentials, tries=tries),
        api_url=settings.fcp_api_url,
        credentials=credentials,
        status_path=settings.fcp_status_path,
    )


def cheap_call(
    session: Session, name: HostName, settings: Settings, *, now: datetime, other_than: int | None = None
) -> Callable[[], object] | None:
    """Return a call that changes nothing, sent at most once, for any merchant or store; None if there is none.

    Each time it is for a different one: an account with a problem of its own must not keep the service paused for
    everyone. One whose calls are paused, perhaps by a rate limit of its own, is the last choice. ``other_than`` is the
    merchant or the store to leave out.
    """
    if name is HostName.WAREHOUSE:
        fcp = any_fcp(session, settings, now=now, other_than=other_than)
        return fcp.verify if fcp is not None else None
    connected = (Store.is_connected, Store.id != (other_than or 0))
    for store in session.scalars(select(Store).where(*connected).order_by(func.random()).limit(MAX_UNREADABLE)).all():
        with suppress(BlockedError):
            return bigcartel_for(store, settings, tries=1).account
    return None


def any_fcp(session: Session, settings: Settings, *, now: datetime, other_than: int | None = None) -> Fcp | None:
    """Return the client of any merchant whose credentials weren't rejected, for cheap_call(); None if there is none."""
    accepted = (Merchant.credentials_refused_at.is_(None), Merchant.id != (other_than or 0))
    is_paused = case((Merchant.fcp_after > now, 1), else_=0)
    merchants = select(Merchant).where(*accepted).order_by(is_paused, func.random()).limit(MAX_UNREADABLE)
    for merchant in session.scalars(merchants).all():
        with suppress(BlockedError):
            return fcp_client(merchant, settings, tries=1)
    return None


def token_rejected(session: Session, store: Store, sealed_token: str, now: datetime) -> bool:
    """Stop all calls to Big Cartel for this store until a person reconnects it.

    ``sealed_token`` is the token that was rejected. Returns False and stops nothing if it has been replaced.
    """
    is_stopped = _changed(
        session,
        update(Store)
        .where(Store.id == store.id, Store.sealed_token == sealed_token)
        .values(reconnect_needed_at=now, next_poll_at=None, poll_error=RECONNECT),
    )
    session.refresh(store)
    if is_stopped:
        log.warning("store.reconnect_needed", extra={"store": store.id, "merchant": store.merchant_id})
    return is_stopped


def resume(session: Session, merchant: Merchant, sealed_token: str) -> bool:
    """End the stop after rejected credentials: the FCP accepts them again. Return whether it did; the caller commits.

    ``sealed_token`` is the token that was accepted; nothing changes if it has been replaced.
    """
    is_resumed = _changed(
        session,
        update(Merchant)
        .where(
            Merchant.id == merchant.id,
            Merchant.sealed_token == sealed_token,
            Merchant.credentials_refused_at.is_not(None),
        )
        .values(
            credentials_refused_at=None,
            credentials_refused_words="",
            fcp_error="",
            fcp_after=None,
            fcp_failing_since=None,
            fcp_failures=0,
        ),
    )
    session.refresh(merchant)
    if is_resumed:
        log.warning("merchant.resumed", extra={"merchant": merchant.id})
    return is_resumed


def make_due(session: Session, merchant: Merchant, now: datetime) -> None:
    """Make everything that waits for the merchant due now, because a person doesn't want to wait. The caller commits.

    Orders that were given up start again as if they had never failed.
    """
    merchant.fcp_after = merchant.last_tracked_at = merchant.credentials_checked_at = None
    hosts.probe_soon(session, now)
    mine = (Order.merchant_id == merchant.id, Order.state.in_([OrderState.READY, OrderState.SHIPPED]))
    session.execute(
        update(Order)
        .where(*mine, Order.next_attempt_at.is_(None))
        .values(next_attempt_at=now, failures=0, first_failed_at=None),
        execution_options={"synchronize_session": False},
    )
    waiting = Order.state.in_([OrderState.READY, OrderState.UNCONFIRMED, OrderState.SHIPPED])
    session.execute(
        update(Order)
        .where(Order.merchant_id == merchant.id, waiting, Order.next_attempt_at > now)
        .values(next_attempt_at=now),
        execution_options={"synchronize_session": False},
    )


def set_credentials(
    session: Session, merchant: Merchant, *, name: str, token: str, settings: Settings, now: datetime
) -> None:
    """Set the merchant's name and token. This ends the stop after rejected credentials, and any backoff.

    ``merchant`` must be freshly loaded. Otherwise SQLAlchemy skips columns that look unchanged, and a stop that a
    worker has just written stays. The caller adds the audit entry and commits.
    """
    merchant.name = name
    merchant.sealed_token = seal(token, settings.token_keys)
    merchant.credentials_refused_at = None
    merchant.credentials_refused_words = ""
    merchant.credentials_checked_at = None
    merchant.fcp_after = None
    merchant.fcp_failing_since = None
    merchant.fcp_failures = 0
    merchant.fcp_error = ""
    merchant.rules_changed_at = now
    waiting = (Order.merchant_id == merchant.id, Order.state == OrderState.READY, Order.next_attempt_at.is_not(None))
    session.execute(update(Order).where(*waiting).values(next_attempt_at=now, failures=0, first_failed_at=None))
    session.execute(update(Store).where(Store.merchant_id == merchant.id).values(dry_run_problem=""))
    # portal.fulfillment.warehouse_checks then checks the new name.
    session.execute(
        delete(WarehouseCheck).where(WarehouseCheck.merchant_id == merchant.id, WarehouseCheck.service == "")
    )


def _changed(session: Session, statement: Update) -> bool:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[tuple[()]]", result).rowcount == 1
