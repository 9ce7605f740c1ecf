"""Support's desk: what is wrong now, and which merchants have problems of their own, the worst first.

What everyone suffers from (a service fails, no worker runs) is one line, and isn't said again of each merchant.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.incidents.kinds import KINDS, OF_THE_ENGINE
from portal.incidents.shown import worst_first
from portal.models import Incident, IncidentKind
from portal.reports import merchant_list
from portal.reports.attention import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.reports.attention import Health, Problem

_RANKS = {kind: position for position, kind in enumerate(IncidentKind)}
_COUNT_ORDERS = frozenset(
    {
        IncidentKind.ORDERS_REJECTED,
        IncidentKind.ORDERS_NOT_SENT,
        IncidentKind.ORDERS_LOST,
        IncidentKind.BIG_CARTEL_NOT_TOLD,
        IncidentKind.ORDERS_ON_HOLD,
    }
)
"""The kinds that say more of orders that need attention than their number."""
_PAGES: Mapping[Kind, str] = {
    Kind.ORDERS: "/m/{merchant}/orders?needs=attention",
    Kind.UNKNOWN_STATUS: "#unknown-statuses",
}
"""Where counts of orders are listed. No incident says the same of these problems."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One line of what is wrong now. It concerns everyone, or is what the incidents of one kind have in common."""

    kind: IncidentKind
    words: str
    since: datetime | None
    merchants: int
    orders: int
    incidents: Sequence[Incident] = ()
    """The oldest first."""
    path: str = "/support/incidents"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong at one merchant. ``path`` leads to the page that says more."""

    kind: IncidentKind
    words: str
    since: datetime | None
    path: str


@dataclass(frozen=True, slots=True)
class MerchantRow:
    health: Health
    troubles: Sequence[Trouble]


@dataclass(frozen=True, slots=True)
class Desk:
    causes: Sequence[Cause]
    merchants: Sequence[MerchantRow]
    stops_everyone: bool
    """Whether something keeps the orders of all merchants from being sent, also of those without other problems."""


def desk(session: Session, now: datetime) -> Desk:
    """Return the desk in five queries, regardless of the number of merchants."""
    incidents = worst_first(session.scalars(select(Incident).where(Incident.closed_at.is_(None))))
    everyone = merchant_list.everyone(session, now)
    own: dict[int | None, list[Incident]] = defaultdict(list)
    for incident in incidents:
        own[incident.merchant_id].append(incident)
    shared = own.pop(None, [])
    engine_fails = any(incident.kind in OF_THE_ENGINE for incident in shared)
    rows = [
        MerchantRow(health, _troubles(health, own[health.merchant.id], engine_fails=engine_fails))
        for health in everyone
    ]
    of_everyone = list(_of_everyone(shared, everyone))
    causes = [*of_everyone, *_of_merchants(own.values())]
    return Desk(
        causes=sorted(causes, key=lambda cause: _RANKS[cause.kind]),
        merchants=sorted(rows, key=lambda row: _worst_and_oldest(row, now)),
        stops_everyone=any(KINDS[cause.kind].stops_orders for cause in of_everyone),
    )


def _worst_and_oldest(row: MerchantRow, now: datetime) -> tuple[int, datetime, int, int]:
    rank, since = min(((_RANKS[one.kind], one.since or now) for one in row.troubles), default=(len(_RANKS), now))
    return rank, since, -row.health.orders.needing_attention, row.health.merchant.id


def _troubles(health: Health, incidents: Sequence[Incident], *, engine_fails: bool) -> list[Trouble]:
    """Return what is wrong at this merchant alone: what is true now, and what its incidents say beyond that."""
    counts_are_explained = any(incident.kind in _COUNT_ORDERS for incident in incidents)
    problems = [
        problem
        for problem in health.problems
        if problem.host is None
        and not (engine_fails and problem.says is IncidentKind.NO_POLL)
        and not (counts_are_explained and problem.says is IncidentKind.ORDERS_REJECTED)
    ]
    stated = {problem.says for problem in problems if problem.kind not in _PAGES}
    found = [_of_problem(problem, health.merchant.id, incidents) for problem in problems]
    found += [Trouble(one.kind, one.title, one.opened_at, _page_of(one)) for one in incidents if one.kind not in stated]
    return sorted(found, key=lambda trouble: _RANKS[trouble.kind])


def _of_problem(problem: Problem, merchant_id: int, incidents: Iterable[Incident]) -> Trouble:
    incident = next((one for one in incidents if one.kind is problem.says), None)
    if problem.kind in _PAGES:
        return Trouble(problem.says, problem.label, None, _PAGES[problem.kind].format(merchant=merchant_id))
    if incident is None:
        return Trouble(problem.says, problem.label, problem.since, f"/m/{merchant_id}/")
    return Trouble(problem.says, problem.label, problem.since or incident.opened_at, _page_of(incident))


def _page_of(incident: Incident) -> str:
    return f"/m/{incident.merchant_id}/incidents/{incident.id}"


def _of_everyone(shared: Iterable[Incident], everyone: Sequence[Health]) -> Iterator[Cause]:
    """Yield what concerns all merchants. A service that fails is said at once, before its incident is opened."""
    live = sum(any(store.live for store in health.stores) for health in everyone)
    stated = set()
    for incident in shared:
        is_service = incident.kind is IncidentKind.HOST_FAILING
        stated.add(incident.subject if is_service else "")
        merchants = live if is_service else 0
        yield Cause(incident.kind, incident.title, incident.opened_at, merchants, incident.orders, (incident,))
    failing = {problem.host: problem for health in everyone for problem in health.problems if problem.host}
    waiting = sum(health.orders.waiting for health in everyone)
    for host, problem in failing.items():
        if host.value not in stated:
            yield Cause(IncidentKind.HOST_FAILING, problem.headline, problem.since, live, waiting)


def _of_merchants(own: Iterable[Sequence[Incident]]) -> Iterator[Cause]:
    """Yield one line for each kind of problem that merchants have, whoever has it."""
    kinds: Mapping[IncidentKind, list[Incident]] = defaultdict(list)
    for incident in (incident for incidents in own for incident in incidents):
        kinds[incident.kind].append(incident)
    for kind, incidents in kinds.items():
        oldest_first = sorted(incidents, key=lambda incident: incident.opened_at)
        first, orders = oldest_first[0], sum(incident.orders for incident in incidents)
        merchants = len({incident.merchant_id for incident in incidents})
        if len(incidents) == 1:
            yield Cause(kind, first.title, first.opened_at, 1, orders, oldest_first, _page_of(first))
        else:
            yield Cause(kind, KINDS[kind].label, first.opened_at, merchants, orders, oldest_first)
