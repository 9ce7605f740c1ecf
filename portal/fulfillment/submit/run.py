"""One round of handing over for a merchant: what is in doubt is settled, then what is ready is submitted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.crypto import SealError
from portal.engine.leases import Work, leased
from portal.fulfillment.clients import CHECK_TOKEN, warehouse_for
from portal.fulfillment.run_context import RunContext, kept_from_fcp, waiting
from portal.fulfillment.submit import drain, settle
from portal.models import Merchant, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.engine.leases import HeldLease

MAX_JOB_TIME = timedelta(minutes=10)
"""How long one job goes on claiming orders; well below the queue's time limit, and the tick wakes the next."""
ROUNDS = 3
"""How often a person's run sends again what the warehouse turned out not to have."""


@dataclass(slots=True)
class SubmitRound:
    accepted: int = 0
    refused: int = 0
    held: int = 0
    not_sent: int = 0
    in_doubt: int = 0
    problem: str = ""


def submit_merchant(
    session: Session,
    merchant_id: int,
    settings: Settings,
    *,
    asked: RunContext | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> SubmitRound:
    """Settle what is in doubt, then submit what is ready. Refused credentials stop the merchant until they are mended.

    Raises LeaseTakenError while another worker submits for this merchant.
    """
    asked = asked or RunContext()
    round_ = SubmitRound()
    word = waiting(asked, "submitting for this merchant")
    with leased(session, Work.SUBMITTING.of(merchant_id), wait=asked.wait, waiting=word) as lease:
        merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
        settle.recover(session, merchant, lease, clock)
        if problem := kept_from_fcp(merchant, asked, clock()):
            round_.problem = problem
            return round_
        try:
            fcp = warehouse_for(merchant, settings)
        except SealError as error:
            round_.problem = str(error)
            return round_
        for _ in range(ROUNDS if asked.by_person else 1):
            sent_again = _settle_and_drain(session, merchant, fcp, settings, lease, asked, clock, round_)
            if round_.problem or not sent_again:
                break
    return round_


def _settle_and_drain(
    session: Session,
    merchant: Merchant,
    fcp: Fcp,
    settings: Settings,
    lease: HeldLease,
    asked: RunContext,
    clock: Callable[[], datetime],
    round_: SubmitRound,
) -> bool:
    """Returns whether the warehouse turned out not to have orders that were sent: they wait to be sent again."""
    settled = _settle(session, merchant, fcp, asked, clock)
    _count_settled(round_, settled)
    if settled.stopped:
        return False
    submitted = drain.drain(
        session,
        merchant,
        fcp,
        lease=lease,
        clock=clock,
        trigger=asked.trigger,
        concurrency=settings.fcp_concurrency,
        ignore_back_off=asked.by_person,
        until=None if asked.by_person else clock() + MAX_JOB_TIME,
        progress=asked.progress,
    )
    round_.accepted += submitted.accepted
    round_.refused += submitted.refused
    round_.held += submitted.held
    round_.not_sent = submitted.not_sent
    round_.problem = submitted.stopped or round_.problem
    if not submitted.unconfirmed or submitted.stopped == CHECK_TOKEN:
        return False
    again = _settle(session, merchant, fcp, asked, clock)
    _count_settled(round_, again)
    round_.problem = submitted.stopped or round_.problem
    return again.missing > 0


def _count_settled(round_: SubmitRound, settled: settle.Settled) -> None:
    round_.accepted += settled.found
    round_.refused += settled.refused
    round_.in_doubt = settled.open
    round_.problem = settled.stopped or settled.unclear


def _settle(
    session: Session, merchant: Merchant, fcp: Fcp, asked: RunContext, clock: Callable[[], datetime]
) -> settle.Settled:
    """A person's run waits, half a minute at most, until the warehouse's "I do not have it" can be believed."""
    settled = settle.settle(session, merchant, fcp, clock=clock, trigger=asked.trigger, ignore_back_off=asked.by_person)
    if settled.wait_until is None or settled.stopped or not asked.by_person:
        return settled
    seconds = (settled.wait_until - clock()).total_seconds()
    asked.say(
        f"{settled.open} sent without a clear answer. The warehouse may still be taking them in: "
        f"asking again in {seconds:.0f} s."
    )
    Event().wait(max(seconds, 0) + 0.1)
    again = settle.settle(session, merchant, fcp, clock=clock, trigger=asked.trigger, ignore_back_off=True)
    again.found += settled.found
    again.missing += settled.missing
    again.refused += settled.refused
    return again


def settle_merchant(
    session: Session,
    merchant_id: int,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> settle.Settled:
    """Settle what is in doubt without sending anything new. Raises LeaseTakenError."""
    with leased(session, Work.SUBMITTING.of(merchant_id)) as lease:
        merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
        settle.recover(session, merchant, lease, clock)
        if kept_from_fcp(merchant, RunContext(), clock()):
            return settle.Settled()
        try:
            fcp = warehouse_for(merchant, settings)
        except SealError as error:
            return settle.Settled(stopped=str(error))
        return settle.settle(session, merchant, fcp, clock=clock, trigger=Trigger.SCHEDULE)
