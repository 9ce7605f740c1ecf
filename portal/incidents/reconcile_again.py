"""Reconcile stores again after they were cut off: what happened in the meantime must not wait for the hourly sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment.poll import recount
from portal.models import IncidentKind, Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Incident

_OF_A_STORE = frozenset({IncidentKind.RECONNECT_NEEDED, IncidentKind.STORE_NOT_SYNCED})


def reconcile_again(session: Session, ended: Sequence[Incident], now: datetime) -> None:
    """Have the stores reconciled at their next poll that these incidents were about. The caller commits."""
    store_ids = {int(one.subject) for one in ended if one.kind in _OF_A_STORE and one.subject.isdecimal()}
    hosts = [one for one in ended if one.kind is IncidentKind.HOST_FAILING]
    if any(one.merchant_id is None for one in hosts):
        store_ids |= set(session.scalars(select(Store.id).where(Store.live)))
    elif hosts:
        merchants = {one.merchant_id for one in hosts}
        store_ids |= set(session.scalars(select(Store.id).where(Store.live, Store.merchant_id.in_(merchants))))
    if store_ids:
        recount.ask(session, sorted(store_ids), now)
