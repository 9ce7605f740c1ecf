"""Metrics about the last hour or day, counted in the database, so that they are the same whichever process answers.

They are not counters: they go down when something is no longer recent. Each reads at most NEWEST rows, by their id.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from sqlalchemy import case, func, select

from portal.models import Attempt, AttemptKind, Channel, HostName, Message, Order

if TYPE_CHECKING:
    from datetime import datetime

    from prometheus_client import Metric
    from sqlalchemy import ScalarSelect
    from sqlalchemy.orm import Session

NEWEST = 5_000
"""Rows of a table that are looked at. Beyond that, the figures are about these rows only."""
BUCKETS = (60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
"""Seconds from a purchase until the warehouse has the order."""
HOST_OF = {
    AttemptKind.SUBMIT: HostName.WAREHOUSE,
    AttemptKind.STATUS: HostName.WAREHOUSE,
    AttemptKind.MARK_SHIPPED: HostName.BIG_CARTEL,
}
STATUSES = ("sent", "waiting", "failed")


def read(session: Session, now: datetime) -> tuple[Metric, ...]:
    return (
        _calls(session, now - timedelta(hours=1)),
        _messages(session, now - timedelta(days=1)),
        _to_warehouse(session, now - timedelta(days=1)),
    )


def _calls(session: Session, since: datetime) -> Metric:
    found = GaugeMetricFamily(
        "portal_calls_last_hour",
        "Calls about single orders in the last hour, by service, kind and outcome.",
        labels=["host", "kind", "outcome"],
    )
    rows = (
        select(Attempt.kind, Attempt.outcome, func.count().label("number"))
        .where(Attempt.id > _newest(Attempt), Attempt.started_at >= since)
        .group_by(Attempt.kind, Attempt.outcome)
    )
    for row in session.execute(rows):
        found.add_metric([HOST_OF[row.kind].value, row.kind.value, row.outcome.value], row.number)
    return found


def _messages(session: Session, since: datetime) -> Metric:
    """Count messages as they are now: one that was folded into another counts as that one."""
    found = GaugeMetricFamily(
        "portal_messages_last_day",
        "Messages of the last 24 hours, by channel and whether they were sent.",
        labels=["channel", "status"],
    )
    status = case(
        (Message.sent_at.is_not(None), "sent"), (Message.next_attempt_at.is_not(None), "waiting"), else_="failed"
    ).label("status")
    rows = (
        select(Message.channel, status, func.count().label("number"))
        .where(Message.id > _newest(Message), Message.created_at >= since, Message.folded_into.is_(None))
        .group_by(Message.channel, status)
    )
    numbers = {(row.channel, row.status): row.number for row in session.execute(rows)}
    for channel in Channel:
        for one in STATUSES:
            found.add_metric([channel.value, one], numbers.get((channel, one), 0))
    return found


def _to_warehouse(session: Session, since: datetime) -> Metric:
    rows = session.execute(
        select(Order.placed_at, Order.submitted_at).where(
            Order.id > _newest(Order), Order.submitted_at >= since, Order.placed_at.is_not(None)
        )
    )
    seconds = [max((submitted - placed).total_seconds(), 0.0) for placed, submitted in rows if placed and submitted]
    places = Counter(bisect_left(BUCKETS, one) for one in seconds)
    counts = accumulate(places[place] for place in range(len(BUCKETS) + 1))
    names = [*(str(float(bucket)) for bucket in BUCKETS), "+Inf"]
    return HistogramMetricFamily(
        "portal_purchase_to_warehouse_seconds",
        "Seconds from a purchase until the warehouse had the order, for orders sent in the last 24 hours.",
        buckets=list(zip(names, counts, strict=True)),
        sum_value=sum(seconds),
    )


def _newest(table: type[Attempt | Message | Order]) -> ScalarSelect[int]:
    """Return the id after which the newest rows come, as a query that uses the primary key."""
    return select(func.coalesce(func.max(table.id), 0) - NEWEST).scalar_subquery()
