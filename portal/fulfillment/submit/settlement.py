"""One pass over a merchant's unconfirmed orders: what its steps share and what it found."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from portal.clients.errors import NotSent, Unauthorized
from portal.fulfillment.clients import credentials_refused, fcp_failed
from portal.models import OrderState
from portal.models.states import OrderChange, move, rewrite
from portal.rules import backoff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.clients.errors import ServiceError
    from portal.fulfillment.submit.context import StoredOrder, Submission
    from portal.models import AttemptOutcome

log = logging.getLogger(__name__)


class Unconfirmed(NamedTuple):
    """An unconfirmed order with how it was last sent."""

    order: StoredOrder
    sent_at: datetime | None
    outcome: AttemptOutcome | None
    words: str | None
    duplicates: int
    """How often the FCP has refused its number as a duplicate."""


class Settlement:
    """One pass over the unconfirmed orders, and what it found.

    ``stopped`` says why nothing can be sent now, ``unclear`` why some orders could not be settled although the
    warehouse can be reached.
    """

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.missing = 0
        """The warehouse does not have them: they are ready to be sent again."""
        self.wait_until: datetime | None = None
        """When the youngest of those still unconfirmed may be believed to be missing."""
        self.unclear = ""
        self.stopped = ""
        submission.result.unconfirmed = 0

    @property
    def problem(self) -> str:
        return self.stopped or self.unclear

    def accept(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.submission.result.accepted += self._move(changes, OrderState.SUBMITTED, now)

    def reject(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.submission.result.rejected += self._move(changes, OrderState.REJECTED, now)

    def send_again(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.missing += self._move(changes, OrderState.READY, now)

    def _move(self, changes: Sequence[OrderChange], to_state: OrderState, now: datetime) -> int:
        session = self.submission.session
        return move(session, changes, from_state=OrderState.UNCONFIRMED, to_state=to_state, now=now)

    def ask_later(self, orders: Sequence[Unconfirmed], now: datetime) -> None:
        """Leave them unconfirmed: they are never given up, but asked for later and later, at least hourly."""
        self.submission.result.unconfirmed += len(orders)
        changes = [
            OrderChange(
                one.order.id,
                {"failures": one.order.failures + 1, "next_attempt_at": backoff.later(one.order.failures + 1, now)},
            )
            for one in orders
        ]
        rewrite(self.submission.session, changes, state=OrderState.UNCONFIRMED)

    def ask_once_more(self, order: Unconfirmed, at: datetime, now: datetime) -> None:
        """Leave it unconfirmed until the warehouse's no can be believed."""
        self.submission.result.unconfirmed += 1
        change = OrderChange(order.order.id, {"next_attempt_at": at})
        rewrite(self.submission.session, [change], state=OrderState.UNCONFIRMED)
        self.wait_until = max(self.wait_until or now, at)

    def note(self, error: ServiceError, now: datetime) -> None:
        """Draw from an answer that settles nothing what it means for the merchant's other orders."""
        submission = self.submission
        if isinstance(error, Unauthorized):
            self.stopped = str(error)
            credentials_refused(submission.session, submission.merchant, submission.sealed_token, error, now)
        elif isinstance(error, NotSent):
            self.stopped = str(error)
            fcp_failed(submission.merchant, error, now)
        else:
            self.unclear = str(error)
            log.warning("submit.unclear", extra={"merchant": submission.merchant.id, "error": str(error)})
