"""The dry run before going live: what would be sent, what would be on hold, and what the FCP says about each order.

The FCP gets submissions marked as a test (FCP API, Version TEST), which don't create orders. Each has a number of its
own, so that the order's real number stays free.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select, update

from portal.clients.bigcartel import read_stored
from portal.clients.errors import NotSent, OutcomeUnknown, Rejected, Unauthorized
from portal.clients.fcp import Accepted
from portal.engine.fan_out import Done, SlowStart, Steps, fan_out
from portal.engine.leases import LeaseKind, leased
from portal.fulfillment.clients import BlockedError
from portal.fulfillment.rulebook import Rulebook
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.warehouse import Credentials, open_warehouse
from portal.logs.work import found, working_on
from portal.models import Order, Store
from portal.models.states import NOT_SENT
from portal.rules.packing import pack
from portal.wording.stops import CHECK_CREDENTIALS, DRY_RUN_FAILED, DRY_RUN_UNCLEAR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.bigcartel import BigCartelOrder
    from portal.clients.errors import ServiceError
    from portal.clients.fcp import OrderRequest
    from portal.engine.leases import HeldLease
    from portal.fulfillment.warehouse import Warehouse
    from portal.models import StoredEdits, StoredHold
    from portal.rules.assessment import Assessment
    from portal.rules.hold_reasons import HoldReason

log = logging.getLogger(__name__)

CHUNK = 200
TEST_SUFFIX = "-T"
"""Ends the order number of a TEST order: whether the FCP reserves the number of a TEST order isn't known (ASSUMED)."""


class _Unsent(NamedTuple):
    """The columns needed to assess an unsent order and show its verdict."""

    id: int
    number: str
    document: str
    released_holds: list[StoredHold] | None
    edits: StoredEdits | None
    unlisted_since: datetime | None
    placed_at: datetime | None
    dry_run_at: datetime | None
    dry_run_verdict: str | None


@dataclass(frozen=True, slots=True)
class BacklogOrder:
    """One unsent order, assessed as if the store were live and sent all its orders.

    ``verdict`` is the FCP's: None if it has not been asked, "" if it would accept the order, otherwise its words.
    """

    order_id: int
    number: str
    placed_at: datetime | None
    assessment: Assessment
    tested_at: datetime | None
    verdict: str | None

    @property
    def would_be_sent(self) -> bool:
        return not self.assessment.holds

    @property
    def can_be_tested(self) -> bool:
        return _can_be_tested(self.assessment)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The unsent orders, newest first."""

    orders: Sequence[BacklogOrder]

    def to_send(self, starts_at: datetime | None = None) -> Sequence[BacklogOrder]:
        """Return the orders that would be sent right away if the store went live with this start (None: all orders)."""
        return [
            one
            for one in self.orders
            if one.would_be_sent and (starts_at is None or (one.placed_at is not None and one.placed_at >= starts_at))
        ]

    def count_to_send(self, starts_at: datetime | None = None) -> int:
        return len(self.to_send(starts_at))

    @property
    def reasons(self) -> Mapping[HoldReason, int]:
        """The number of orders that each reason holds, most frequent first. An order may have several reasons."""
        counted = Counter(reason for one in self.orders for reason in {hold.reason for hold in one.assessment.holds})
        return dict(counted.most_common())

    @property
    def testable(self) -> int:
        return sum(one.can_be_tested for one in self.orders)

    @property
    def accepted(self) -> int:
        return sum(one.verdict == "" for one in self.orders)

    @property
    def rejected(self) -> int:
        return sum(bool(one.verdict) for one in self.orders)


def read_backlog(session: Session, store: Store) -> Backlog:
    """Assess every unsent order of the store under the current rules and products. Writes nothing."""
    orders = [
        BacklogOrder(row.id, row.number, row.placed_at, assessment, row.dry_run_at, row.dry_run_verdict)
        for row, _, assessment in _assessed(session, store)
    ]
    orders.sort(key=lambda one: (one.placed_at is not None and one.placed_at.timestamp(), one.order_id), reverse=True)
    return Backlog(orders)


def count_tested(session: Session, store: Store) -> int:
    """Return how many orders of the dry run in progress have a verdict."""
    done = (Order.store_id == store.id, Order.state.in_(NOT_SENT), Order.dry_run_at >= store.dry_run_asked_at)
    return min(session.scalar(select(func.count()).select_from(Order).where(*done)) or 0, store.dry_run_total)


def dry_run_store(session: Session, store_id: int, settings: Settings, context: RunContext = ON_SCHEDULE) -> None:
    """Ask the FCP about each order in the backlog, if a dry run was requested. Commits.

    Skips orders with a hold that blocks a dry run, and orders that have had a verdict since the request: an interrupted
    run resumes. Raises LeaseTakenError while another worker does the same dry run.
    """
    with working_on(store=store_id), leased(session, LeaseKind.DRY_RUN.of(store_id)) as lease:
        store = session.get_one(Store, store_id, populate_existing=True)
        found(merchant=store.merchant_id)
        if store.dry_run_asked_at is None:
            return
        problem = DRY_RUN_FAILED
        try:
            problem = _ask_fcp(session, store, settings, lease, context)
        finally:
            session.rollback()
            if not lease.lost:
                store.dry_run_asked_at, store.dry_run_problem = None, problem
                session.commit()


def _ask_fcp(session: Session, store: Store, settings: Settings, lease: HeldLease, context: RunContext) -> str:
    """Return why the run stopped early, as a sentence, or "" if it finished."""
    try:
        warehouse = open_warehouse(session, store.merchant, settings, context.clock, ignore_pause=True)
    except BlockedError as error:
        return str(error)
    concurrency = context.at_once(settings.fcp_concurrency)
    run = _DryRun(session, store, warehouse, lease, context, SlowStart(full=concurrency))
    fan_out(run, width=run.pace.width, threads=concurrency, commit=session.commit)
    if run.failure is not None:
        warehouse.is_failing(run.failure)
    return run.stopped


@dataclass(frozen=True, slots=True)
class _TestOrder:
    order_id: int
    request: OrderRequest


class _DryRun(Steps[_TestOrder, Accepted]):
    """One dry run of a store's backlog; ``stopped`` says why it ended early."""

    def __init__(
        self,
        session: Session,
        store: Store,
        warehouse: Warehouse,
        lease: HeldLease,
        context: RunContext,
        pace: SlowStart,
    ) -> None:
        self.session = session
        self.store = store
        self.warehouse = warehouse
        self.lease = lease
        self.context = context
        self.pace = pace
        self.stopped = ""
        self.failure: ServiceError | None = None
        """The failure of the FCP that ended it, if one did."""
        self._credentials = Credentials.UNKNOWN
        self.test_orders = _test_orders(session, store)

    def take(self, room: int) -> list[_TestOrder]:
        if self.stopped or self.lease.lost:
            return []
        return [test_order for _, test_order in zip(range(room), self.test_orders, strict=False)]

    def call(self, test_order: _TestOrder) -> Accepted:
        with working_on(order=test_order.request.order_number):
            return self.warehouse.fcp.submit(test_order.request, test=True)

    def record(self, answers: Sequence[Done[_TestOrder, Accepted]]) -> None:
        unauthorized = [answer.error for answer in answers if isinstance(answer.error, Unauthorized)]
        if unauthorized:
            # A call of its own, before this turn's transaction begins.
            self._credentials = self.warehouse.check_credentials(unauthorized[0])
        for answer in answers:
            verdict = self._verdict(answer.error)
            if verdict is not None:
                self.pace.clear()
                self.warehouse.answered()
                values = {"dry_run_at": self.context.clock(), "dry_run_verdict": verdict}
                self.session.execute(update(Order).where(Order.id == answer.work.order_id).values(**values))

    def _verdict(self, error: ServiceError | None) -> str | None:
        """Return the FCP's message if it would reject the order, "" if it would accept it, None if we don't know."""
        if error is None:
            return ""
        if isinstance(error, Rejected):
            return error.words or str(error)
        if isinstance(error, Unauthorized):
            if self._credentials is Credentials.ACCEPTED:
                return error.words or str(error)
            self._stop(CHECK_CREDENTIALS if self._credentials is Credentials.REJECTED else str(error))
        elif isinstance(error, NotSent):
            self.failure = error
            self._stop(str(error))
        elif isinstance(error, OutcomeUnknown) and self.pace.unclear():
            self.failure = error
            self._stop(DRY_RUN_UNCLEAR)
        return None

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        log.warning("dry_run.stopped", extra={"store": self.store.id, "why": why})


def _test_orders(session: Session, store: Store) -> Iterator[_TestOrder]:
    asked_at = store.dry_run_asked_at
    for row, order, assessment in _assessed(session, store):
        has_verdict = asked_at is not None and row.dry_run_at is not None and row.dry_run_at >= asked_at
        if not has_verdict and _can_be_tested(assessment):
            request = pack(order, assessment)[0]
            yield _TestOrder(row.id, replace(request, order_number=f"{request.order_number}{TEST_SUFFIX}"))


def _assessed(session: Session, store: Store) -> Iterator[tuple[_Unsent, BigCartelOrder, Assessment]]:
    """Yield each unsent order with its assessment, oldest first."""
    book = Rulebook(session, as_if_live=True)
    last_id = 0
    while True:
        found = session.execute(
            select(
                Order.id,
                Order.number,
                Order.document,
                Order.released_holds,
                Order.edits,
                Order.unlisted_since,
                Order.placed_at,
                Order.dry_run_at,
                Order.dry_run_verdict,
            )
            .where(Order.store_id == store.id, Order.state.in_(NOT_SENT), Order.id > last_id)
            .order_by(Order.id)
            .limit(CHUNK)
        )
        rows = [_Unsent._make(row) for row in found]
        if not rows:
            return
        last_id = rows[-1].id
        orders = [(row, read_stored(row.document)) for row in rows]
        book.load([(store.id, order) for _, order in orders])
        for row, order in orders:
            released, unlisted_since = row.released_holds, row.unlisted_since
            assessment = book.assess(store.id, order, released=released, edits=row.edits, unlisted_since=unlisted_since)
            yield row, order, assessment


def _can_be_tested(assessment: Assessment) -> bool:
    return not any(hold.reason.row.blocks_dry_run for hold in assessment.holds)
