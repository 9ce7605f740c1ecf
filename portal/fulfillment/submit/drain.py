"""Send ready orders, each once: commit the intent, send the order, commit the outcome."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from portal.clients.errors import Duplicate, NotSent, OutcomeUnknown, Unauthorized
from portal.clients.failures import rejected
from portal.clients.fcp import Accepted, names_the_cause
from portal.engine.fan_out import Groups, SlowStart, Steps, fan_out
from portal.fulfillment import attempts
from portal.fulfillment.order_columns import accepted_columns, failure_columns, rejected_columns, unsent_columns
from portal.fulfillment.submit.blame import Blame
from portal.fulfillment.submit.claim import Sending, claim
from portal.fulfillment.submit.parcels import Parcels
from portal.fulfillment.warehouse import Credentials
from portal.logs.work import working_on
from portal.models import AttemptKind, AttemptOutcome, OrderState
from portal.models.states import OrderChange, lock, move
from portal.wording import attempts as wording
from portal.wording.stops import ANOTHER_TOOK_OVER, CHECK_CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.clients.errors import ServiceError
    from portal.engine.fan_out import Done
    from portal.fulfillment.submit.context import Submission
    from portal.fulfillment.submit.stored_order import StoredOrder
    from portal.models.states import OrderColumns

log = logging.getLogger(__name__)

MOST_TOGETHER = 64
"""Most outcomes that are recorded together, and half of the orders that a crash may leave unconfirmed."""
TO_SEND_WHAT_IS_CLAIMED = timedelta(seconds=5)
"""How long after its time is up a drain still sends what it has claimed. Less than a second, unless the FCP is slow."""


class _WithdrawnError(NotSent):
    """The run ended before the request left, so it didn't. That says nothing about the FCP."""

    def __init__(self) -> None:
        super().__init__(wording.WITHDRAWN, service="We")


class _Outcome(NamedTuple):
    """What to save after one call: the order's new state, its columns, and the completed attempt."""

    to_state: OrderState
    columns: OrderColumns
    completion: attempts.Completion


class Drain(Steps[Sending, Accepted]):
    """One drain. ``stopped`` says why it ended early; ``unconfirmed`` counts the orders it left unconfirmed."""

    def __init__(self, submission: Submission, until: datetime | None) -> None:
        self.submission = submission
        self.stopped = ""
        self.credentials_rejected = False
        self.unconfirmed = 0
        self._until = until
        self._parcels = Parcels(submission)
        self._groups = Groups(least=submission.concurrency, most=MOST_TOGETHER)
        self._pace = SlowStart(full=2 * MOST_TOGETHER)
        self._blame = Blame()
        self._gave_up = False
        """Whether it ended because of several unclear answers in a row."""

    def run(self) -> None:
        self.submission.result.not_sent = 0
        fan_out(
            self,
            width=lambda: min(self._pace.width(), self._ahead),
            threads=self.submission.concurrency,
            commit=self.submission.session.commit,
            meanwhile=self._pack_ahead,
            group=lambda: self._groups.size,
        )
        if not self.submission.lease.lost:
            self._blame.place(self.submission, gave_up=self._gave_up)

    @property
    def _ahead(self) -> int:
        """How many orders are claimed at once: callers stay busy while a group of outcomes is recorded."""
        return 2 * self._groups.size

    def _is_over(self, grace: timedelta = timedelta()) -> bool:
        """Return whether it stopped, another worker took over, or its time is up, and the grace after it."""
        if self.stopped or self.submission.lease.lost:
            return True
        return self._until is not None and self.submission.context.clock() >= self._until + grace

    def take(self, room: int) -> list[Sending]:
        """Claim the next parcels. Intent and attempt are committed together, before anything is sent."""
        if self._is_over():
            return []
        return claim(self.submission, self._parcels.take(room))

    def _pack_ahead(self) -> None:
        """Pack the next orders while calls are in flight, so answers don't have to wait for packing."""
        if not self.stopped:
            self._parcels.pack(self._ahead)
            if self.submission.session.in_transaction():
                self.submission.session.commit()

    def call(self, sending: Sending) -> Accepted:
        if self._is_over(TO_SEND_WHAT_IS_CLAIMED):
            raise _WithdrawnError
        sending.departed_at = self.submission.context.clock()
        with working_on(order=sending.parcel.order.number, store=sending.parcel.order.store_id):
            return self.submission.fcp.submit(sending.parcel.request)

    def record(self, answers: Sequence[Done[Sending, Accepted]]) -> None:
        rejections = [answer.error for answer in answers if isinstance(answer.error, Unauthorized)]
        if rejections:
            # A call of its own, before this turn's transaction begins.
            self._blame.credentials = self.submission.warehouse.check_credentials(rejections[0])
        if self._pace.is_proven:
            self._groups.arrived(len(answers))
        now = self.submission.context.clock()
        changes: dict[OrderState, list[OrderChange]] = {}
        completions = []
        for answer in answers:
            outcome = (
                self._accepted(answer.work, answer.result, now)
                if answer.result is not None
                else self._failed(answer.work, answer.error, now)
            )
            order_id = answer.work.parcel.order.id
            changes.setdefault(outcome.to_state, []).append(OrderChange(order_id, outcome.columns))
            completions.append(outcome.completion)
        if len(changes) > 1:
            lock(self.submission.session, [answer.work.parcel.order.id for answer in answers])
        for to_state, group in changes.items():
            moved = move(
                self.submission.session,
                group,
                from_state=OrderState.SUBMITTING,
                to_state=to_state,
                now=now,
                claim=self.submission.lease.owner,
            )
            if moved != len(group) and to_state is not OrderState.READY:
                gone = len(group) - moved
                log.error("submit.claim_gone", extra={"merchant": self.submission.merchant.id, "orders": gone})
        attempts.complete(self.submission.session, completions)
        self.submission.context.progress(len(answers))

    def _accepted(self, sending: Sending, accepted: Accepted, now: datetime) -> _Outcome:
        self.submission.result.accepted += 1
        self._clear_answer()
        order = sending.parcel.order
        explanation = " ".join((wording.accepted_as(accepted.order_id or order.number), *sending.parcel.notes))
        return _Outcome(
            OrderState.SUBMITTED,
            accepted_columns(accepted.order_id, accepted.order_status, now),
            attempts.Completion(
                sending.attempt_id,
                AttemptOutcome.DONE,
                now,
                explanation,
                exchange=accepted.exchange,
                departed_at=sending.departed_at,
            ),
        )

    def _failed(self, sending: Sending, error: ServiceError | None, now: datetime) -> _Outcome:
        assert error is not None  # noqa: S101 - a call either returned or raised
        order, result = sending.parcel.order, self.submission.result
        if isinstance(error, Unauthorized) and error.words and self._blame.credentials is Credentials.ACCEPTED:
            # The credentials are fine, so the rejection is about this order.
            error = rejected(error.service, f': "{error.words}"', words=error.words, exchange=error.exchange)
        completion = attempts.failed(sending.attempt_id, AttemptKind.SUBMIT, error, now, sending.departed_at)
        if isinstance(error, _WithdrawnError):
            result.not_sent += 1
            if self.submission.lease.lost:
                self._end(ANOTHER_TOOK_OVER)
            return _Outcome(
                OrderState.READY,
                unsent_columns(order.failures, order.first_failed_at, now),
                replace(completion, explanation=str(error)),
            )
        if isinstance(error, Unauthorized):
            return _Outcome(OrderState.READY, self._not_authorized(order, error, now), completion)
        if isinstance(error, NotSent):
            result.not_sent += 1
            self._stop(error)
            return _Outcome(OrderState.READY, unsent_columns(order.failures, order.first_failed_at, now), completion)
        if isinstance(error, OutcomeUnknown | Duplicate):
            self._unclear_answer(order, error)
            return _Outcome(OrderState.UNCONFIRMED, {"claim": "", "next_attempt_at": now}, completion)
        result.rejected += 1
        self._clear_answer()
        return _Outcome(OrderState.REJECTED, rejected_columns(error.words), completion)

    def _not_authorized(self, order: StoredOrder, error: Unauthorized, now: datetime) -> OrderColumns:
        """Return the columns of an order that was turned away because of the credentials, and stop the drain."""
        match self._blame.credentials:
            case Credentials.REJECTED:
                self.credentials_rejected = True
                self._stop(error, why=CHECK_CREDENTIALS)
            case Credentials.UNKNOWN:
                self._stop(error, only_this_merchant=not self.submission.warehouse.host_fails)
            case Credentials.ACCEPTED:
                # Something in between, such as a firewall, turned it away without the FCP's words.
                self._stop(error, only_this_merchant=True)
                return {**failure_columns(order.failures, order.first_failed_at, now), "claim": ""}
        return unsent_columns(order.failures, order.first_failed_at, now)

    def _clear_answer(self) -> None:
        self._blame.clear()
        self._pace.clear()
        self.submission.warehouse.answered_submission()

    def _unclear_answer(self, order: StoredOrder, error: ServiceError) -> None:
        self.unconfirmed += 1
        self._blame.in_doubt(order, error)
        if isinstance(error, Duplicate) or names_the_cause(error.words):
            self._clear_answer()
        else:
            self._groups.start_over()
            if self._pace.unclear():
                self._gave_up = True
                self._stop(error)

    def _stop(self, error: ServiceError, *, why: str = "", only_this_merchant: bool = False) -> None:
        if not self.stopped:
            self._blame.ended_by(error, only_this_merchant=only_this_merchant)
            self._end(why or str(error))

    def _end(self, why: str) -> None:
        if not self.stopped:
            self.stopped = why
            log.warning("submit.stopped", extra={"merchant": self.submission.merchant.id, "why": why})


def drain(submission: Submission, *, until: datetime | None = None) -> Drain:
    """Send ready orders, oldest first, each at most once per call. Return the finished drain.

    If a person started the run, orders are sent without waiting for their next try. Nothing is claimed after ``until``.
    Commits as it goes. A failed call never raises: it is recorded in the order's state, its attempt and the result.
    """
    run = Drain(submission, until)
    run.run()
    return run
