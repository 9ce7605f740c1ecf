"""The clients for a store and a merchant, whether they may be called now, and what stops further calls."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, or_, update

from portal.clients.bigcartel import BigCartel, bigcartel_http
from portal.clients.errors import Throttled
from portal.clients.fcp import Credentials, Fcp, fcp_http
from portal.crypto import SealError, seal, unseal
from portal.models import Merchant, Order, OrderState, Store
from portal.rules import backoff
from portal.wording.stops import CHECK_CREDENTIALS, DISCONNECTED, RECONNECT

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, CursorResult, Update
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.errors import ServiceError, Unauthorized

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 4
"""Parallel calls to one store. Big Cartel does not publish its limits, so the number is modest."""


class BlockedError(Exception):
    """No call may be made now; the message says why and what to do."""


def why_not_connected(store: Store) -> str:
    """Return why the store isn't connected: Big Cartel rejected its token, or a person disconnected it."""
    return RECONNECT if store.reconnect_needed_at is not None else DISCONNECTED


def bigcartel_for(store: Store, settings: Settings, *, interactive: bool = False) -> BigCartel:
    """Return the store's Big Cartel client. An ``interactive`` one gives up within seconds: a person is waiting.

    Raises BlockedError if the store is not connected or its token can't be decrypted.
    """
    if not store.is_connected:
        raise BlockedError(why_not_connected(store))
    try:
        token = unseal(store.sealed_token, settings.token_keys)
    except SealError as error:
        raise BlockedError(str(error)) from error
    return BigCartel(
        bigcartel_http(pool=CALLS_AT_ONCE, interactive=interactive),
        api_url=settings.bigcartel_api_url,
        account_id=store.account_id,
        token=token,
    )


def may_call_fcp(merchant: Merchant, now: datetime) -> bool:
    """Return whether the schedule may call the FCP: the credentials were not rejected, and calls are not paused."""
    return merchant.credentials_refused_at is None and (merchant.fcp_after is None or merchant.fcp_after <= now)


def may_call_fcp_sql(now: datetime) -> ColumnElement[bool]:
    """Return may_call_fcp() as a query condition."""
    return and_(Merchant.credentials_refused_at.is_(None), or_(Merchant.fcp_after.is_(None), Merchant.fcp_after <= now))


def fcp_for(merchant: Merchant, settings: Settings, *, now: datetime, ignore_pause: bool = False) -> Fcp:
    """Return the merchant's FCP client. Only this function decides whether the FCP may be called now.

    Set ``ignore_pause`` in a run started by a person to ignore the pause after failures. Raises BlockedError if the FCP
    rejected the credentials, while calls are paused, and if the Merchant Token can't be decrypted.
    """
    if merchant.credentials_refused_at is not None:
        raise BlockedError(CHECK_CREDENTIALS)
    if not ignore_pause and not may_call_fcp(merchant, now):
        raise BlockedError(merchant.fcp_error)
    return fcp_client(merchant, settings)


def fcp_client(merchant: Merchant, settings: Settings) -> Fcp:
    """Return the client regardless of earlier failures, for checks started by a person. Raises BlockedError."""
    try:
        token = unseal(merchant.sealed_token, settings.token_keys)
    except SealError as error:
        raise BlockedError(str(error)) from error
    credentials = Credentials(merchant_id=str(merchant.id), merchant_name=merchant.name, merchant_token=token)
    return Fcp(
        fcp_http(credentials, pool=settings.fcp_concurrency),
        api_url=settings.fcp_api_url,
        credentials=credentials,
    )


def fcp_failed(merchant: Merchant, error: ServiceError, now: datetime) -> None:
    """Pause scheduled calls to the FCP for this merchant. The caller commits."""
    merchant.fcp_failures += 1
    merchant.fcp_error = str(error)
    if isinstance(error, Throttled):
        merchant.fcp_after = backoff.throttled(merchant.fcp_failures, error.retry_after, now)
    else:
        merchant.fcp_after = backoff.later(merchant.fcp_failures, now)


def fcp_answered(merchant: Merchant) -> None:
    """End the pause after failures. The caller commits."""
    if merchant.fcp_failures or merchant.fcp_error or merchant.fcp_after is not None:
        merchant.fcp_failures = 0
        merchant.fcp_error = ""
        merchant.fcp_after = None


def token_rejected(session: Session, store: Store, sealed_token: str, now: datetime) -> bool:
    """Stop all calls to Big Cartel for this store until a person reconnects it.

    ``sealed_token`` is the token that was rejected. Returns False and stops nothing if it has been replaced.
    """
    is_stopped = _stop(
        session,
        update(Store)
        .where(Store.id == store.id, Store.sealed_token == sealed_token)
        .values(reconnect_needed_at=now, next_poll_at=None, poll_error=RECONNECT),
    )
    session.refresh(store)
    if is_stopped:
        log.warning("store.reconnect_needed", extra={"store": store.id, "merchant": store.merchant_id})
    return is_stopped


def credentials_rejected(
    session: Session, merchant: Merchant, sealed_token: str, error: Unauthorized, now: datetime
) -> None:
    """Stop all calls to the FCP for this merchant until a person enters the credentials again.

    ``sealed_token`` is the token that was rejected; nothing is stopped if it has been replaced.
    """
    is_stopped = _stop(
        session,
        update(Merchant)
        .where(Merchant.id == merchant.id, Merchant.sealed_token == sealed_token)
        .values(credentials_refused_at=now, credentials_refused_words=error.words, fcp_error=CHECK_CREDENTIALS),
    )
    session.refresh(merchant)
    if is_stopped:
        log.warning("merchant.credentials_rejected", extra={"merchant": merchant.id})


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
    merchant.fcp_after = None
    merchant.fcp_failures = 0
    merchant.fcp_error = ""
    merchant.rules_changed_at = now
    waiting = (Order.merchant_id == merchant.id, Order.state == OrderState.READY, Order.next_attempt_at.is_not(None))
    session.execute(update(Order).where(*waiting).values(next_attempt_at=now, failures=0, first_failed_at=None))
    session.execute(update(Store).where(Store.merchant_id == merchant.id).values(dry_run_problem=""))


def _stop(session: Session, statement: Update) -> bool:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[tuple[()]]", result).rowcount == 1
