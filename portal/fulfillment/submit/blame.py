"""Whose failure it was when a drain went wrong: the FCP's, this merchant's, or a single order's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.errors import Cause, Duplicate, NotSent, ServiceError, Throttled
from portal.fulfillment.order_columns import charged_columns
from portal.fulfillment.warehouse import Credentials
from portal.models import OrderState
from portal.models.states import OrderChange, rewrite

if TYPE_CHECKING:
    from portal.fulfillment.submit.context import Submission
    from portal.fulfillment.submit.stored_order import StoredOrder


class Blame:
    """What one drain has seen. Nothing counts against an order that failed because the FCP did."""

    def __init__(self) -> None:
        self.credentials = Credentials.UNKNOWN
        """What the last check of the merchant's credentials said."""
        self._answered = False
        """Whether the FCP gave a clear answer to any call."""
        self._failure: ServiceError | None = None
        """The failure that ended the drain, or else its first unclear answer."""
        self._in_doubt: list[tuple[StoredOrder, ServiceError]] = []
        self._only_this_merchant = False

    def clear(self) -> None:
        """Note a clear answer."""
        self._answered = True

    def in_doubt(self, order: StoredOrder, error: ServiceError) -> None:
        """Note an order that may or may not be at the warehouse."""
        self._in_doubt.append((order, error))
        if error.cause is Cause.HOST:
            self._failure = self._failure or error

    def ended_by(self, error: ServiceError, *, only_this_merchant: bool = False) -> None:
        """Note the failure that ended the drain, and whether it is known to concern only this merchant."""
        self._failure = error
        self._only_this_merchant = only_this_merchant

    def place(self, submission: Submission, *, gave_up: bool) -> None:
        """Find out who failed and record it. ``gave_up`` is True after several unclear answers in a row. Commits."""
        failure = self._failure
        is_hosts = failure is not None and self._is_hosts(submission, failure, gave_up=gave_up)
        # After a single lost connection, the next run simply tries again.
        stops = gave_up or self._only_this_merchant or isinstance(failure, Throttled)
        if failure is not None and not is_hosts:
            if not self._answered:
                submission.warehouse.note_failing()
            if stops:
                submission.warehouse.pause(failure)
        now = submission.context.clock()
        charged = [
            OrderChange(order.id, charged_columns(order.failures, order.first_failed_at, now))
            for order, error in self._in_doubt
            if not is_hosts or isinstance(error, Duplicate)
        ]
        rewrite(submission.session, charged, state=OrderState.UNCONFIRMED)
        submission.session.commit()

    def _is_hosts(self, submission: Submission, failure: ServiceError, *, gave_up: bool) -> bool:
        if failure.cause is not Cause.HOST:
            return self.credentials is Credentials.UNKNOWN and submission.warehouse.host_fails
        has_no_proof = gave_up or not self._answered or isinstance(failure, NotSent)
        return has_no_proof and submission.warehouse.is_failing(failure)
