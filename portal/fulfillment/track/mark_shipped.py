"""From the warehouse's shelf to *shipped* in Big Cartel: the FCP's statuses in, one PATCH per shipped order out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select, update

from portal.clients.bigcartel import read_order
from portal.clients.errors import Exchange, NotFound, NotSent, ServiceError, Throttled, Unauthorized
from portal.clients.fcp import MAX_STATUSES
from portal.engine import fan_out
from portal.fulfillment import attempts
from portal.fulfillment.clients import CALLS_AT_ONCE, RECONNECT, credentials_refused, token_refused
from portal.fulfillment.outcomes import failure_columns, fcp_answered, fcp_failed
from portal.models import Attempt, AttemptKind, AttemptOutcome, Merchant, Order, OrderState, Store
from portal.models.states import move

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartel
    from portal.clients.fcp import Fcp, OrderStatus
    from portal.engine.leases import HeldLease
    from portal.models import Trigger

log = logging.getLogger(__name__)

SOON = 60.0
"""Seconds to wait when Big Cartel asks for less and does not say how long."""
NO_STATUS_CALL = (
    "The warehouse's system does not say which orders it has shipped, so nothing is set to shipped in Big Cartel. "
    "Set shipped orders to shipped there by hand, and ask support to have it mended."
)


@dataclass(slots=True)
class Tracked:
    """What one round found, as numbers of orders."""

    asked: int = 0
    shipped: int = 0
    cancelled: int = 0
    missing: int = 0
    """Orders that the warehouse took and does not know any more."""
    stopped: str = ""


@dataclass(slots=True)
class Marked:
    """What one round of telling Big Cartel did, as numbers of orders."""

    completed: int = 0
    failed: int = 0
    stopped: str = ""


def track(
    session: Session, merchant: Merchant, fcp: Fcp, *, clock: Callable[[], datetime], trigger: Trigger
) -> Tracked:
    """Ask the FCP for every order that it has and has not shipped. A failed call never raises; commits as it goes."""
    done = Tracked()
    used, last_id = merchant.sealed_token, 0
    while not done.stopped:
        rows = session.execute(
            select(Order.id, Order.number, Order.fcp_order_id, Order.fcp_status, Order.fcp_missing_since)
            .where(Order.merchant_id == merchant.id, Order.state == OrderState.SUBMITTED, Order.id > last_id)
            .order_by(Order.id)
            .limit(MAX_STATUSES)
        ).all()
        session.commit()
        if not rows:
            break
        last_id = rows[-1].id
        started_at = clock()
        try:
            statuses = fcp.statuses([row.number for row in rows])
        except NotFound as error:
            # Sending goes on: orders in doubt are settled by their number.
            done.stopped = merchant.tracking_error = NO_STATUS_CALL
            merchant.last_tracked_at = clock()
            log.warning("shipment.no_status_call", extra={"merchant": merchant.id, "error": str(error)})
        except ServiceError as error:
            done.stopped = str(error)
            if isinstance(error, Unauthorized):
                credentials_refused(session, merchant, used, error, clock())
            elif isinstance(error, NotSent):
                fcp_failed(merchant, error, clock())
            else:
                # This says nothing of submissions, which go on.
                merchant.tracking_error = str(error)
                merchant.last_tracked_at = clock()
                log.warning("shipment.unclear", extra={"merchant": merchant.id, "error": str(error)})
        else:
            done.asked += len(rows)
            fcp_answered(merchant)
            merchant.tracking_error = ""
            _learn(session, merchant, rows, statuses, done, started_at, clock(), trigger)
        session.commit()
    if not done.stopped:
        merchant.last_tracked_at = clock()
        session.commit()
    return done


def _learn(
    session: Session,
    merchant: Merchant,
    rows: Sequence[Row[*tuple[Any, ...]]],
    statuses: dict[str, OrderStatus],
    done: Tracked,
    started_at: datetime,
    now: datetime,
    trigger: Trigger,
) -> None:
    shipped, cancelled, news = [], [], []
    for row in rows:
        status = statuses.get(row.number)
        if status is None:
            done.missing += 1
            if row.fcp_missing_since is None:
                _note(session, row.id, fcp_missing_since=now)
                news.append(
                    _news(row, status, "The warehouse took this order and does not know it any more. Ask it.", now)
                )
            continue
        known = {"fcp_order_id": status.order_id or row.fcp_order_id, "fcp_status": status.status}
        if status.is_shipped:
            shipped.append({"id": row.id, **known, **_shipment_columns(status, now)})
            news.append(_news(row, status, "The warehouse has shipped the order.", now))
        elif status.is_cancelled:
            reason = "Cancelled at the warehouse."
            cancelled.append({"id": row.id, **known, "state_reason": reason, "next_attempt_at": None})
            news.append(_news(row, status, "The warehouse has cancelled the order. It is not sent again.", now))
        elif row.fcp_missing_since is not None or known["fcp_status"] != row.fcp_status:
            _note(session, row.id, **known, fcp_missing_since=None)
            news.append(_news(row, status, f"The warehouse says: {status.status or 'no status given'}.", now))
    done.shipped += move(session, shipped, frm=OrderState.SUBMITTED, to=OrderState.SHIPPED, now=now)
    done.cancelled += move(session, cancelled, frm=OrderState.SUBMITTED, to=OrderState.CLOSED, now=now)
    attempts.log_finished(
        session,
        news,
        merchant_id=merchant.id,
        kind=AttemptKind.STATUS,
        trigger=trigger,
        started_at=started_at,
    )


def _news(row: Row[*tuple[Any, ...]], status: OrderStatus | None, sentence: str, now: datetime) -> attempts.Completion:
    exchange = attempts.about_one(row.number, status)
    return attempts.Completion(row.id, AttemptOutcome.DONE, now, sentence, exchange=exchange)


def _note(session: Session, order_id: int, **columns: Any) -> None:
    session.execute(
        update(Order).where(Order.id == order_id, Order.state == OrderState.SUBMITTED).values(**columns),
        execution_options={"synchronize_session": False},
    )


def _shipment_columns(status: OrderStatus, now: datetime) -> dict[str, Any]:
    return {
        "shipped_on": status.ship_date.isoformat() if status.ship_date else "",
        "carrier": status.carrier,
        "tracking_numbers": list(status.tracking_numbers),
        "fcp_missing_since": None,
        "next_attempt_at": now,
        "failures": 0,
        "first_failed_at": None,
    }


@dataclass(slots=True)
class _Marking:
    """One round for one store: the shop is told of each shipped order, once."""

    session: Session
    store: Store
    shop: BigCartel
    lease: HeldLease
    clock: Callable[[], datetime]
    trigger: Trigger
    queue: Iterator[Row[*tuple[Any, ...]]]
    done: Marked
    token: str
    """That which the client was made with, sealed."""
    proven: bool = False

    def width(self) -> int:
        """One at a time until Big Cartel has taken one: a refused token is used once."""
        return CALLS_AT_ONCE if self.proven else 1

    def take(self, room: int) -> list[Row[*tuple[Any, ...]]]:
        if self.done.stopped or self.lease.lost:
            return []
        rows = [row for _, row in zip(range(room), self.queue, strict=False)]
        attempts.open_attempts(
            self.session,
            [row.id for row in rows],
            merchant_id=self.store.merchant_id,
            kind=AttemptKind.MARK_SHIPPED,
            trigger=self.trigger,
            now=self.clock(),
        )
        return rows

    def call(self, row: Row[*tuple[Any, ...]]) -> Exchange | None:
        """PATCH, unless an earlier PATCH is in doubt and Big Cartel shows that it took effect (then None)."""
        if row.in_doubt and read_order(self.shop.order(row.number)).shipping_status == "shipped":
            return None
        return self.shop.mark_shipped(row.number)

    def record(self, answers: Sequence[fan_out.Done[Row[*tuple[Any, ...]], Exchange | None]]) -> None:
        now = self.clock()
        completed, closed, completions = [], [], []
        for answer in answers:
            order_id = answer.work.id
            if answer.error is None:
                self.proven = True
                completed.append({"id": order_id, "completed_at": now, "next_attempt_at": None})
                sentence = "Big Cartel shows the order as shipped."
                completions.append(
                    attempts.Completion(order_id, AttemptOutcome.DONE, now, sentence, exchange=answer.result)
                )
                continue
            completions.append(attempts.failed(order_id, AttemptKind.MARK_SHIPPED, answer.error, now))
            if isinstance(answer.error, NotFound):
                reason = "Shipped by the warehouse; Big Cartel has no such order any more."
                closed.append({"id": order_id, "state_reason": reason, "next_attempt_at": None})
            else:
                self._failed(answer.work, answer.error, now)
        self.done.completed += move(self.session, completed, frm=OrderState.SHIPPED, to=OrderState.COMPLETED, now=now)
        move(self.session, closed, frm=OrderState.SHIPPED, to=OrderState.CLOSED, now=now)
        attempts.complete(self.session, AttemptKind.MARK_SHIPPED, completions)

    def _failed(self, row: Row[*tuple[Any, ...]], error: ServiceError, now: datetime) -> None:
        self.done.failed += 1
        columns = failure_columns(row.failures, row.first_failed_at, now)
        if isinstance(error, Unauthorized):
            token_refused(self.session, self.store, self.token, now)
            self.done.stopped = RECONNECT
            columns = {"next_attempt_at": now}
        elif isinstance(error, Throttled):
            self.done.stopped = str(error)
            self._put_off(now + timedelta(seconds=error.retry_after or SOON))
            columns.pop("next_attempt_at")
        self._set(Order.id == row.id, **columns)

    def _put_off(self, until: datetime) -> None:
        """Big Cartel asked us to wait: that goes for all of the store's orders."""
        self._set(Order.store_id == self.store.id, Order.next_attempt_at < until, next_attempt_at=until)

    def _set(self, *which: ColumnElement[bool], **columns: Any) -> None:
        self.session.execute(
            update(Order).where(Order.state == OrderState.SHIPPED, *which).values(**columns),
            execution_options={"synchronize_session": False},
        )


def mark_shipped(
    session: Session,
    store: Store,
    shop: BigCartel,
    *,
    lease: HeldLease,
    clock: Callable[[], datetime],
    trigger: Trigger,
    ignore_back_off: bool = False,
) -> Marked:
    """Set every shipped order of the store to shipped in Big Cartel. A failed call never raises; commits as it goes.

    Call it with the merchant's tracking lease in hand: an open attempt is then a dead worker's.
    """
    done = Marked()
    _recover(session, store, clock())
    queue = iter(_due(session, store, clock(), ignore_back_off=ignore_back_off))
    run = _Marking(session, store, shop, lease, clock, trigger, queue, done, store.sealed_token)
    fan_out.run(
        threads=CALLS_AT_ONCE,
        width=run.width,
        take=run.take,
        call=run.call,
        record=run.record,
        commit=session.commit,
    )
    return done


def _due(session: Session, store: Store, now: datetime, *, ignore_back_off: bool) -> Sequence[Row[*tuple[Any, ...]]]:
    in_doubt = exists().where(
        Attempt.order_id == Order.id,
        Attempt.kind == AttemptKind.MARK_SHIPPED,
        Attempt.outcome.in_([AttemptOutcome.UNKNOWN, AttemptOutcome.INTERRUPTED]),
    )
    query = select(Order.id, Order.number, Order.failures, Order.first_failed_at, in_doubt.label("in_doubt")).where(
        Order.store_id == store.id, Order.state == OrderState.SHIPPED
    )
    if not ignore_back_off:
        query = query.where(Order.next_attempt_at <= now)
    return session.execute(query.order_by(Order.id)).all()


def _recover(session: Session, store: Store, now: datetime) -> None:
    ids = session.scalars(
        select(Attempt.order_id)
        .join(Order, Order.id == Attempt.order_id)
        .where(
            Order.store_id == store.id,
            Order.state == OrderState.SHIPPED,
            Attempt.kind == AttemptKind.MARK_SHIPPED,
            Attempt.outcome == AttemptOutcome.OPEN,
        )
    ).all()
    sentence = "Our worker stopped before the answer came. We look whether Big Cartel shows the order as shipped."
    attempts.complete(
        session,
        AttemptKind.MARK_SHIPPED,
        [attempts.Completion(order_id, AttemptOutcome.INTERRUPTED, now, sentence) for order_id in ids],
    )
    session.commit()
