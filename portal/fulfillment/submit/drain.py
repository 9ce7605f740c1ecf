"""Handing orders to the warehouse, each once: the intent is committed, the order leaves, the outcome is committed."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from portal.clients.bigcartel import read_stored
from portal.clients.errors import Duplicate, NotSent, OutcomeUnknown, Unauthorized
from portal.clients.fcp import names_the_cause
from portal.engine import fan_out
from portal.fulfillment import attempts
from portal.fulfillment.clients import CHECK_TOKEN, credentials_refused
from portal.fulfillment.outcomes import (
    accepted_columns,
    failure_columns,
    fcp_answered,
    fcp_failed,
    rejected_columns,
)
from portal.fulfillment.rulebook import Rulebook, assessed_columns, held_columns, rules_version
from portal.models import AttemptKind, AttemptOutcome, Merchant, Order, OrderState
from portal.models.states import move
from portal.rules.packing import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.clients.errors import ServiceError
    from portal.clients.fcp import Accepted, Fcp, OrderRequest
    from portal.engine.leases import HeldLease
    from portal.models import Trigger

log = logging.getLogger(__name__)

CONTENTS = (
    Order.id,
    Order.store_id,
    Order.number,
    Order.document,
    Order.released,
    Order.assessed_at,
    Order.failures,
    Order.first_failed_at,
)
"""What is read of an order to look at it and pack it."""
CHUNK = 50
"""Orders read at a time, ahead of their claim: cheap to read, and soon packed, as answers wait meanwhile."""
GIVE_WAY_AFTER = 3
"""Unclear answers in a row, after which the rest waits: the warehouse is ill, and each more would be in doubt."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One order ready to leave: packed, not yet claimed."""

    order_id: int
    number: str
    assessed_at: datetime | None
    """When the order was last looked at: one that changed since it was packed is not claimed."""
    failures: int
    first_failed_at: datetime | None
    request: OrderRequest
    columns: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Submitted:
    """What one drain did, as numbers of orders, and why it stopped early if it did."""

    accepted: int = 0
    refused: int = 0
    unconfirmed: int = 0
    not_sent: int = 0
    held: int = 0
    stopped: str = ""


@dataclass(slots=True)
class _Drain:
    session: Session
    merchant: Merchant
    fcp: Fcp
    lease: HeldLease
    clock: Callable[[], datetime]
    trigger: Trigger
    concurrency: int
    until: datetime | None
    progress: Callable[[int], None]
    ignore_back_off: bool
    credentials: str
    """Those that the client was made with, sealed."""
    done: Submitted = field(default_factory=Submitted)
    packed: deque[Parcel] = field(default_factory=deque)
    unread: Iterator[Parcel] = field(default_factory=lambda: iter(()))
    rules: tuple[datetime | None, ...] = ()
    """The version of the merchant's rules by which the parcels are packed."""
    last_id: int = 0
    """Of the last order that was claimed; they leave in the order of their ids."""
    proven: bool = False
    unclear_in_a_row: int = 0

    def width(self) -> int:
        """One at a time until the warehouse has answered clearly, and again after an unclear answer.

        Else twice as many as are sent at once: the next are claimed while the outcomes of a group are recorded.
        """
        return 2 * self.concurrency if self.proven else 1

    def take(self, room: int) -> list[Parcel]:
        """Claim the next parcels: intent and attempt are committed together by the pipeline, before they leave."""
        if self.done.stopped or self.lease.lost or (self.until is not None and self.clock() >= self.until):
            return []
        self._go_by_the_rules_of_now()
        self._pack(room)
        parcels = [self.packed.popleft() for _ in range(min(room, len(self.packed)))]
        if not parcels:
            return []
        self.last_id = parcels[-1].order_id
        now = self.clock()
        moved = move(
            self.session,
            [
                {
                    "id": parcel.order_id,
                    "seen_assessed_at": parcel.assessed_at,
                    "claim": self.lease.owner,
                    **parcel.columns,
                }
                for parcel in parcels
            ],
            frm=OrderState.READY,
            to=OrderState.SUBMITTING,
            now=now,
        )
        if moved != len(parcels):
            parcels = self._really_claimed(parcels)
        attempts.open_attempts(
            self.session,
            [parcel.order_id for parcel in parcels],
            merchant_id=self.merchant.id,
            kind=AttemptKind.SUBMIT,
            trigger=self.trigger,
            now=now,
        )
        return parcels

    def look_ahead(self) -> None:
        """Pack what leaves next while calls are out, so that their answers need not wait for it."""
        if not self.done.stopped:
            self._pack(2 * self.concurrency)
            if self.session.in_transaction():
                self.session.commit()

    def _go_by_the_rules_of_now(self) -> None:
        """Unpack what was packed by rules that have changed since: a merchant who pauses waits for nothing."""
        rules = rules_version(self.session, self.merchant.id)
        if rules != self.rules:
            self.rules = rules
            self.packed.clear()
            self.unread = self._parcels(self.last_id)

    def _pack(self, number: int) -> None:
        while len(self.packed) < number and (parcel := next(self.unread, None)) is not None:
            self.packed.append(parcel)

    def _parcels(self, last_id: int) -> Iterator[Parcel]:
        """Read what is due in chunks, look at each order once more, hold what cannot go, pack the rest."""
        while True:
            looked_at = self.clock()
            due = _due(self.merchant.id, looked_at, ignore_back_off=self.ignore_back_off)
            query = select(*CONTENTS).where(*due, Order.id > last_id).order_by(Order.id).limit(CHUNK)
            rows = self.session.execute(query).all()
            if not rows:
                return
            last_id = rows[-1].id
            orders = [(row, read_stored(row.document)) for row in rows]
            book = Rulebook(self.session)
            book.learn([(row.store_id, order) for row, order in orders])
            assessed = [(row, order, book.assess(row.store_id, order, released=row.released)) for row, order in orders]
            held = [
                {"id": row.id, "seen_assessed_at": row.assessed_at, **held_columns(assessment, looked_at)}
                for row, _, assessment in assessed
                if assessment.holds
            ]
            self.done.held += move(self.session, held, frm=OrderState.READY, to=OrderState.HELD, now=looked_at)
            for row, order, assessment in assessed:
                if not assessment.holds:
                    request, notes = pack(order, assessment)
                    columns = assessed_columns(assessment, looked_at)
                    yield Parcel(
                        row.id, row.number, row.assessed_at, row.failures, row.first_failed_at, request, columns, notes
                    )

    def _really_claimed(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Without those that another process moved between our look and our claim."""
        ids = set(
            self.session.scalars(
                select(Order.id).where(
                    Order.id.in_([parcel.order_id for parcel in parcels]),
                    Order.state == OrderState.SUBMITTING,
                    Order.claim == self.lease.owner,
                )
            )
        )
        return [parcel for parcel in parcels if parcel.order_id in ids]

    def call(self, parcel: Parcel) -> Accepted:
        if self.lease.lost:
            raise NotSent("This run slept past its turn, and another has taken over. Nothing was sent.", service="We")
        return self.fcp.submit(parcel.request)

    def record(self, answers: Sequence[fan_out.Done[Parcel, Accepted]]) -> None:
        now = self.clock()
        moves: dict[OrderState, list[dict[str, Any]]] = {}
        completions = []
        for answer in answers:
            to, columns, completion = (
                self._accepted(answer.work, answer.result, now)
                if answer.result is not None
                else self._failed(answer.work, answer.error, now)
            )
            moves.setdefault(to, []).append({"id": answer.work.order_id, **columns})
            completions.append(completion)
        for to, changes in moves.items():
            moved = move(self.session, changes, frm=OrderState.SUBMITTING, to=to, now=now, claim=self.lease.owner)
            if moved != len(changes) and to is not OrderState.READY:
                log.error("submission.claim_gone", extra={"merchant": self.merchant.id, "orders": len(changes) - moved})
        attempts.complete(self.session, AttemptKind.SUBMIT, completions)
        self.progress(len(answers))

    def _accepted(
        self, parcel: Parcel, accepted: Accepted, now: datetime
    ) -> tuple[OrderState, dict[str, Any], attempts.Completion]:
        self.done.accepted += 1
        self._clear_answer()
        explanation = " ".join((f"Accepted by the warehouse as {accepted.order_id or parcel.number}.", *parcel.notes))
        columns = accepted_columns(accepted.order_id, accepted.order_status, now)
        return (
            OrderState.SUBMITTED,
            columns,
            attempts.Completion(parcel.order_id, AttemptOutcome.DONE, now, explanation, exchange=accepted.exchange),
        )

    def _failed(
        self, parcel: Parcel, error: ServiceError | None, now: datetime
    ) -> tuple[OrderState, dict[str, Any], attempts.Completion]:
        assert error is not None  # noqa: S101 - a call either returned or raised
        completion = attempts.failed(parcel.order_id, AttemptKind.SUBMIT, error, now)
        if isinstance(error, Unauthorized):
            credentials_refused(self.session, self.merchant, self.credentials, error, now)
            self._stop(CHECK_TOKEN)
            return OrderState.READY, {"claim": "", "next_attempt_at": now}, completion
        if isinstance(error, NotSent):
            self.done.not_sent += 1
            self._give_way(error, now)
            return (
                OrderState.READY,
                {"claim": "", **failure_columns(parcel.failures, parcel.first_failed_at, now)},
                completion,
            )
        if isinstance(error, OutcomeUnknown | Duplicate):
            self.done.unconfirmed += 1
            self._unclear_answer(error, now)
            return OrderState.UNCONFIRMED, {"claim": "", "next_attempt_at": now}, completion
        self.done.refused += 1
        self._clear_answer()
        return OrderState.REJECTED, rejected_columns(error.words), completion

    def _clear_answer(self) -> None:
        self.proven = True
        self.unclear_in_a_row = 0
        if self.merchant.fcp_failures or self.merchant.fcp_error:
            fcp_answered(self.merchant)

    def _unclear_answer(self, error: ServiceError, now: datetime) -> None:
        if isinstance(error, Duplicate) or names_the_cause(error.words):
            self._clear_answer()
            return
        self.proven = False
        self.unclear_in_a_row += 1
        if self.unclear_in_a_row >= GIVE_WAY_AFTER:
            self._give_way(error, now)

    def _give_way(self, error: ServiceError, now: datetime) -> None:
        if not self.done.stopped:
            if not self.lease.lost:
                fcp_failed(self.merchant, error, now)
            self._stop(str(error))

    def _stop(self, why: str) -> None:
        self.done.stopped = why
        log.warning("submission.stopped", extra={"merchant": self.merchant.id, "why": why})


def drain(
    session: Session,
    merchant: Merchant,
    fcp: Fcp,
    *,
    lease: HeldLease,
    clock: Callable[[], datetime],
    trigger: Trigger,
    concurrency: int,
    ignore_back_off: bool = False,
    until: datetime | None = None,
    progress: Callable[[int], None],
) -> Submitted:
    """Submit what is ready, oldest first, up to ``concurrency`` at once; each order at most once per call.

    ``ignore_back_off`` is for a person who asks: orders whose next try lies ahead are tried now. Nothing is claimed
    after ``until``. The lease is the merchant's; ``progress`` is called with the number of orders that have just come
    back. Commits as it goes. A failed call never raises: it is in the order's state, its attempt and the returned
    numbers. ``merchant`` is as it was when ``fcp`` was made for it.
    """
    run = _Drain(
        session,
        merchant,
        fcp,
        lease,
        clock,
        trigger,
        concurrency,
        until,
        progress,
        ignore_back_off,
        merchant.sealed_token,
    )
    fan_out.run(
        threads=concurrency,
        width=run.width,
        take=run.take,
        call=run.call,
        meanwhile=run.look_ahead,
        group=concurrency,
        record=run.record,
        commit=session.commit,
    )
    return run.done


def count_ready(session: Session, merchant_id: int, now: datetime, *, ignore_back_off: bool) -> int:
    """How many orders a drain would look at now."""
    return session.scalar(select(func.count()).where(*_due(merchant_id, now, ignore_back_off=ignore_back_off))) or 0


def _due(merchant_id: int, now: datetime, *, ignore_back_off: bool) -> list[ColumnElement[bool]]:
    due = [Order.merchant_id == merchant_id, Order.state == OrderState.READY]
    return due if ignore_back_off else [*due, Order.next_attempt_at <= now]
