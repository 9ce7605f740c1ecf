"""Who is told of an incident, and what depends on the reader, read at once for all merchants.

A service that fails for everyone is told to the people of every merchant, so no query may be one merchant's.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from portal.incidents import outcome
from portal.incidents.detect.services import waiting_orders
from portal.incidents.incident_letters import SUPPORT_PAGE, Reader
from portal.incidents.kinds import KINDS, fix_path
from portal.messages.events import Told
from portal.messages.recipients import operators, people_of
from portal.models import Alerts, Incident, Merchant, Store
from portal.reports.store_days import days_of
from portal.rules.time_zones import UTC_ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.messages.recipients import Person


def told_by(session: Session, incident: Incident, now: datetime) -> Callable[[int | None], Told]:
    """Return what a merchant is told of the incident or, for None, the operator."""
    is_shared = incident.merchant_id is None
    is_waiting = is_shared and incident.closed_at is None and KINDS[incident.kind].tells_merchant
    waiting = waiting_orders(session) if is_waiting else {}
    outcomes = outcome.told_to_each(session, incident, now)

    def told(merchant_id: int | None) -> Told:
        whose = merchant_id or incident.merchant_id
        path = SUPPORT_PAGE if whose is None else fix_path(incident.kind, merchant=whose, subject=incident.subject)
        if merchant_id is None:
            return Told(incident.orders, incident.outcome, path)
        orders = waiting.get(merchant_id, 0) if is_shared else incident.orders
        return Told(orders, outcomes(merchant_id), path)

    return told


def readers(
    session: Session, settings: Settings, incident: Incident, told: Callable[[int | None], Told]
) -> Iterator[tuple[Person, Reader]]:
    """Yield who is to be told, with what their mail depends on."""
    row = KINDS[incident.kind]
    if row.tells_merchant:
        choices = {Alerts.ALL, Alerts.STOPS} if row.stops_orders else {Alerts.ALL}
        concerned = _concerned(incident)
        stores: Mapping[int, list[Store]] = defaultdict(list)
        for store in session.scalars(select(Store).where(Store.merchant_id.in_(concerned)).order_by(Store.id)):
            stores[store.merchant_id].append(store)
        for merchant_id, people in people_of(session, concerned, incident.kind, choices=choices).items():
            theirs = told(merchant_id)
            reader = Reader(days_of(stores[merchant_id]).zone, merchant_id, theirs.orders, theirs.outcome)
            for person in people:
                yield person, reader
    if row.tells_operator:
        merchant = None if incident.merchant_id is None else session.get(Merchant, incident.merchant_id)
        name = merchant.name if merchant else ""
        reader = Reader(UTC_ZONE, incident.merchant_id, incident.orders, incident.outcome, name)
        for person in operators(settings):
            yield person, reader


def _concerned(incident: Incident) -> Select[int]:
    """Select the ids of the merchants who are told: whose it is or, if all share it, for whom orders are sent."""
    if incident.merchant_id is not None:
        return select(Merchant.id).where(Merchant.id == incident.merchant_id)
    return select(Store.merchant_id).where(Store.live.is_(True), Store.sealed_token != "")


class StillOpen:
    """What else is open besides an incident that has ended."""

    def __init__(self, session: Session, ended: Incident) -> None:
        is_open = select(Incident).where(Incident.closed_at.is_(None), Incident.id != ended.id)
        if ended.merchant_id is not None:
            is_open = is_open.where(or_(Incident.merchant_id == ended.merchant_id, Incident.merchant_id.is_(None)))
        rank = list(KINDS)
        self._all = sorted(session.scalars(is_open), key=lambda one: (rank.index(one.kind), one.id))

    def for_reader(self, reader: Reader, *, is_operator: bool) -> Sequence[Incident]:
        """Return it worst and oldest first, as far as this reader is told of it."""
        return [
            one
            for one in self._all
            if (KINDS[one.kind].tells_operator if is_operator else KINDS[one.kind].tells_merchant)
            and (reader.merchant_id is None or one.merchant_id in {None, reader.merchant_id})
        ]
