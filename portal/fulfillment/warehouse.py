"""The FCP in one run for one merchant: its client, and what its answers mean for the merchant and for everyone."""

from __future__ import annotations

import logging
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, cast

from sqlalchemy import select, update

from portal.clients.errors import Cause, ServiceError, Throttled, Unauthorized
from portal.fulfillment import hosts
from portal.fulfillment.clients import cheap_call, fcp_for
from portal.models import HostName, Merchant, Order, OrderState
from portal.rules import backoff
from portal.wording.stops import CHECK_CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp

log = logging.getLogger(__name__)

MERCHANT_PAUSE = timedelta(seconds=30)
"""How long scheduled calls for one merchant pause when only its calls fail."""


class Credentials(Enum):
    """What the inventory call says about a merchant's credentials."""

    REJECTED = "rejected"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"


class Warehouse:
    """The FCP for one merchant. ``merchant`` is as it was when the client ``fcp`` was created.

    The methods may make a call of their own, so no transaction may be open when they are called; only ``answered``,
    ``answered_submission``, ``note_failing`` and ``pause`` leave the commit to the caller.
    """

    def __init__(
        self,
        session: Session,
        merchant: Merchant,
        fcp: Fcp,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        host_fails: bool,
    ) -> None:
        self.session = session
        self.merchant = merchant
        self.fcp = fcp
        self.settings = settings
        self.clock = clock
        self._sealed_token = merchant.sealed_token
        self.host_fails = host_fails
        """Whether the FCP fails for everyone, as far as this run knows."""

    def answered(self) -> None:
        """Record a clear answer to any call: it ends a failure of the service, for everyone."""
        if self.host_fails:
            hosts.mark_answering(self.session, HostName.WAREHOUSE, self.clock())
            self.host_fails = False

    def answered_submission(self) -> None:
        """Record a clear answer to a submission: it also ends this merchant's pause.

        Other calls don't: they may work while submissions fail.
        """
        self.answered()
        merchant = self.merchant
        if merchant.fcp_failing_since is None and merchant.fcp_after is None and not merchant.fcp_error:
            return
        if merchant.fcp_failing_since is not None:
            self._release_waiting(merchant.fcp_failing_since)
        merchant.fcp_failing_since = merchant.fcp_after = None
        merchant.fcp_failures, merchant.fcp_error = 0, ""

    def is_failing(self, error: ServiceError) -> bool:
        """Return whether the FCP fails for everyone, after ``error`` of Cause.HOST, and record it if so. Commits."""
        probe = cheap_call(
            self.session, HostName.WAREHOUSE, self.settings, now=self.clock(), other_than=self.merchant.id
        )
        if probe is None and not isinstance(error, Throttled):
            probe = self.fcp.verify
        self.host_fails = hosts.fails_for_all(self.session, HostName.WAREHOUSE, error, probe=probe, clock=self.clock)
        return self.host_fails

    def what_stops(self, error: ServiceError) -> str:
        """Return why no further call makes sense now, as a sentence, or "" if only this one failed. Commits."""
        if isinstance(error, Unauthorized):
            credentials = self.check_credentials(error)
            if credentials is Credentials.REJECTED:
                return CHECK_CREDENTIALS
            return str(error) if credentials is Credentials.UNKNOWN and self.host_fails else ""
        return str(error) if error.cause is Cause.HOST and self.is_failing(error) else ""

    def note_failing(self) -> None:
        """Note that no submission of this merchant's last run was answered clearly. The caller commits."""
        self.merchant.fcp_failing_since = self.merchant.fcp_failing_since or self.clock()

    def pause(self, error: ServiceError) -> None:
        """Pause scheduled calls for this merchant: the FCP answers others."""
        merchant, now = self.merchant, self.clock()
        merchant.fcp_failures += 1
        merchant.fcp_error = str(error)
        merchant.fcp_failing_since = merchant.fcp_failing_since or now
        merchant.fcp_after = now + MERCHANT_PAUSE
        if isinstance(error, Throttled):
            asked_for = backoff.throttled(merchant.fcp_failures, error.retry_after, now)
            merchant.fcp_after = min(asked_for, now + hosts.LONGEST_PAUSE)
        log.warning("merchant.paused", extra={"merchant": merchant.id, "error": str(error)})

    def check_credentials(self, error: Unauthorized) -> Credentials:
        """Ask the FCP whether it accepts the credentials, after a call failed with ``error``. Commits.

        Only its rejection stops the merchant, until a person enters other credentials or a later check succeeds. If the
        credentials were replaced while this run used the old ones, nothing is stopped.
        """
        try:
            self.fcp.verify()
        except ServiceError as failure:
            if failure.cause is Cause.HOST:
                self.is_failing(failure)
                return Credentials.UNKNOWN
            self._stop(error)
            return Credentials.REJECTED
        log.warning("merchant.credentials_accepted", extra={"merchant": self.merchant.id, "words": error.words})
        return Credentials.ACCEPTED

    def _release_waiting(self, since: datetime) -> None:
        """Make due now all orders, of any merchant, that began to fail since then: it was probably not their fault."""
        now = self.clock()
        waiting = (
            Order.state.in_([OrderState.READY, OrderState.UNCONFIRMED]),
            Order.next_attempt_at > now,
            Order.first_failed_at >= since,
        )
        # Two workers that release the same orders at once must not wait for each other.
        ids = select(Order.id).where(*waiting).with_for_update(skip_locked=True)
        self.session.execute(
            update(Order).where(Order.id.in_(ids)).values(next_attempt_at=now),
            execution_options={"synchronize_session": False},
        )

    def _stop(self, error: Unauthorized) -> None:
        merchant, now = self.merchant, self.clock()
        stopped = self.session.execute(
            update(Merchant)
            .where(Merchant.id == merchant.id, Merchant.sealed_token == self._sealed_token)
            .values(
                credentials_refused_at=now,
                credentials_refused_words=error.words,
                credentials_checked_at=now,
                fcp_error=CHECK_CREDENTIALS,
            ),
            execution_options={"synchronize_session": False},
        )
        self.session.commit()
        self.session.refresh(merchant)
        self.session.commit()
        if cast("CursorResult[tuple[()]]", stopped).rowcount:
            log.warning("merchant.credentials_rejected", extra={"merchant": merchant.id})


def open_warehouse(
    session: Session,
    merchant: Merchant,
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    ignore_pause: bool = False,
) -> Warehouse:
    """Return the FCP for this merchant, if it may be called now as fcp_for() has it. Commits. Raises BlockedError."""
    fcp = fcp_for(session, merchant, settings, now=clock(), ignore_pause=ignore_pause)
    host_fails = ignore_pause and hosts.failing(session, HostName.WAREHOUSE) is not None
    session.commit()
    return Warehouse(session, merchant, fcp, settings, clock, host_fails=host_fails)
