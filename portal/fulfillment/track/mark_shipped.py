"""Mark shipped orders as shipped in Big Cartel, with one PATCH each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import exists, select, update

from portal.clients.bigcartel import read_order
from portal.clients.errors import Cause, Exchange, NotFound, NotSent, ServiceError, Throttled, Unauthorized
from portal.engine.fan_out import SlowStart, Steps, fan_out
from portal.fulfillment import attempts, hosts
from portal.fulfillment.big_cartel import is_big_cartel_failing
from portal.fulfillment.clients import CALLS_AT_ONCE, bigcartel_for, token_rejected
from portal.fulfillment.order_columns import closed_columns, failure_columns
from portal.logs.work import working_on
from portal.models import Attempt, AttemptKind, AttemptOutcome, HostName, Order, OrderState
from portal.models.states import ClosedBecause, OrderChange, lock, move, rewrite
from portal.wording import attempts as wording
from portal.wording.states import SHIPPED_BUT_GONE
from portal.wording.stops import ANOTHER_TOOK_OVER, RECONNECT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from config import Settings
    from portal.clients.bigcartel import BigCartel
    from portal.engine.fan_out import Done
    from portal.fulfillment.track.context import Tracking
    from portal.models import Store

DEFAULT_PAUSE = 60.0
"""Seconds to wait if Big Cartel asks us to slow down without saying for how long, or fails for one store only."""


class Shipped(NamedTuple):
    """An order that the warehouse shipped and that we have not marked in Big Cartel yet."""

    id: int
    number: str
    failures: int
    first_failed_at: datetime | None
    may_be_marked: bool
    """An earlier PATCH got no clear answer."""


class Marking(NamedTuple):
    """One order to mark, and its attempt."""

    order: Shipped
    attempt_id: int


class _Marking(Steps[Marking, Exchange | None]):
    """One run for one store. Each shipped order is marked once."""

    def __init__(self, tracking: Tracking, store: Store, bigcartel: BigCartel) -> None:
        self.tracking = tracking
        self.store = store
        self.bigcartel = bigcartel
        self.sealed_token = store.sealed_token
        self.stopped = ""
        self.failure: ServiceError | None = None
        """The last failure that may be Big Cartel's own."""
        self._unclear: list[Shipped] = []
        self.calls_at_once = tracking.context.at_once(CALLS_AT_ONCE)
        self.pace = SlowStart(full=self.calls_at_once)
        self.queue = iter(_due(tracking, store))
        self._until = tracking.context.turn_ends_at()

    def take(self, room: int) -> list[Marking]:
        if self.stopped or self.tracking.lease.lost:
            return []
        if self._until is not None and self.tracking.context.clock() >= self._until:
            self.tracking.result.turn_is_over = True
            return []
        orders = [order for _, order in zip(range(room), self.queue, strict=False)]
        opened = attempts.open_attempts(
            self.tracking.session,
            [order.id for order in orders],
            merchant_id=self.store.merchant_id,
            kind=AttemptKind.MARK_SHIPPED,
            trigger=self.tracking.context.trigger,
            now=self.tracking.context.clock(),
        )
        return [Marking(order, attempt_id) for order, attempt_id in zip(orders, opened, strict=True)]

    def call(self, marking: Marking) -> Exchange | None:
        """PATCH the order; return None if Big Cartel shows that an earlier PATCH took effect after all."""
        order = marking.order
        if self.tracking.lease.lost:
            raise NotSent(ANOTHER_TOOK_OVER, service="We")
        with working_on(order=order.number):
            if order.may_be_marked and read_order(self.bigcartel.order(order.number)).shipping_status == "shipped":
                return None
            return self.bigcartel.mark_shipped(order.number)

    def record(self, answers: Sequence[Done[Marking, Exchange | None]]) -> None:
        session, now = self.tracking.session, self.tracking.context.clock()
        completed, closed, completions = [], [], []
        lock(session, [answer.work.order.id for answer in answers])
        for answer in answers:
            order_id, attempt_id = answer.work.order.id, answer.work.attempt_id
            if answer.error is None:
                self.pace.clear()
                completed.append(OrderChange(order_id, {"completed_at": now, "next_attempt_at": None}))
                completions.append(
                    attempts.Completion(attempt_id, AttemptOutcome.DONE, now, wording.MARKED, exchange=answer.result)
                )
                continue
            completions.append(attempts.failed(attempt_id, AttemptKind.MARK_SHIPPED, answer.error, now))
            if isinstance(answer.error, NotFound):
                closed.append(OrderChange(order_id, closed_columns(SHIPPED_BUT_GONE, ClosedBecause.SHIPPED_BUT_GONE)))
            else:
                self._failed(answer.work.order, answer.error, now)
        at = OrderState.SHIPPED
        self.tracking.result.completed += move(
            session, completed, from_state=at, to_state=OrderState.COMPLETED, now=now
        )
        move(session, closed, from_state=at, to_state=OrderState.CLOSED, now=now)
        attempts.complete(session, completions)

    def _failed(self, order: Shipped, error: ServiceError, now: datetime) -> None:
        self.tracking.result.failed += 1
        columns = failure_columns(order.failures, order.first_failed_at, now)
        if isinstance(error, Unauthorized):
            token_rejected(self.tracking.session, self.store, self.sealed_token, now)
            self.stopped = RECONNECT
            columns = {"next_attempt_at": now}
        elif isinstance(error, Throttled):
            self.stopped = str(error)
            self._postpone(now + timedelta(seconds=error.retry_after or DEFAULT_PAUSE))
            del columns["next_attempt_at"]
        elif error.cause is Cause.HOST:
            # Counted against the order later, unless Big Cartel turns out to fail for everyone.
            columns = {"next_attempt_at": now}
            self.failure = error
            if isinstance(error, NotSent):
                self.stopped = str(error)
            else:
                self._unclear.append(order)
                if self.pace.unclear():
                    self.stopped = str(error)
        rewrite(self.tracking.session, [OrderChange(order.id, columns)], state=OrderState.SHIPPED)

    def charge_unclear(self) -> None:
        """Count the unclear answers against their orders: Big Cartel answers, so it may be about them. Commits.

        If they ended the run, the store's other orders wait a minute: all its updates may fail.
        """
        now = self.tracking.context.clock()
        changes = [
            OrderChange(order.id, failure_columns(order.failures, order.first_failed_at, now))
            for order in self._unclear
        ]
        rewrite(self.tracking.session, changes, state=OrderState.SHIPPED)
        if self.stopped:
            self._postpone(now + timedelta(seconds=DEFAULT_PAUSE))
        self.tracking.session.commit()

    def _postpone(self, until: datetime) -> None:
        """Postpone all of the store's shipped orders."""
        self.tracking.session.execute(
            update(Order)
            .where(Order.store_id == self.store.id, Order.state == OrderState.SHIPPED, Order.next_attempt_at < until)
            .values(next_attempt_at=until),
            execution_options={"synchronize_session": False},
        )


def mark_shipped(tracking: Tracking, store: Store, settings: Settings) -> str:
    """Mark every shipped order of the store in Big Cartel. A failed call never raises. Commits as it goes.

    Returns why it stopped early, as a sentence, or "" if it finished. Raises BlockedError.
    """
    bigcartel = bigcartel_for(store, settings)
    _recover(tracking, store)
    if not tracking.context.by_person and (host := hosts.failing(tracking.session, HostName.BIG_CARTEL)):
        tracking.session.commit()
        return host.error
    run = _Marking(tracking, store, bigcartel)
    fan_out(run, width=run.pace.width, threads=run.calls_at_once, commit=tracking.session.commit)
    if run.failure is not None and not is_big_cartel_failing(
        tracking.session, store, settings, run.failure, tracking.context.clock
    ):
        run.charge_unclear()
    return run.stopped


def _due(tracking: Tracking, store: Store) -> list[Shipped]:
    may_be_marked = exists().where(
        Attempt.order_id == Order.id,
        Attempt.kind == AttemptKind.MARK_SHIPPED,
        Attempt.outcome.in_([AttemptOutcome.UNKNOWN, AttemptOutcome.INTERRUPTED]),
    )
    query = select(Order.id, Order.number, Order.failures, Order.first_failed_at, may_be_marked).where(
        Order.store_id == store.id, Order.state == OrderState.SHIPPED
    )
    if not tracking.context.by_person:
        query = query.where(Order.next_attempt_at <= tracking.context.clock())
    return [Shipped._make(row) for row in tracking.session.execute(query.order_by(Order.failures, Order.id))]


def _recover(tracking: Tracking, store: Store) -> None:
    """Complete the attempts that a dead worker left open."""
    now = tracking.context.clock()
    ids = tracking.session.scalars(
        select(Attempt.id)
        .join(Order, Order.id == Attempt.order_id)
        .where(
            Order.store_id == store.id,
            Order.state == OrderState.SHIPPED,
            Attempt.kind == AttemptKind.MARK_SHIPPED,
            Attempt.outcome == AttemptOutcome.OPEN,
        )
    ).all()
    attempts.complete(
        tracking.session,
        [
            attempts.Completion(attempt_id, AttemptOutcome.INTERRUPTED, now, wording.MARKING_INTERRUPTED)
            for attempt_id in ids
        ],
    )
    tracking.session.commit()
