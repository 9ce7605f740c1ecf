"""What every detector needs to know: the stores with their merchants, and the services that fail for everyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment import hosts
from portal.models import Host, HostName, Merchant, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings


@dataclass(frozen=True, slots=True)
class Scene:
    """The same for all detectors of one look."""

    now: datetime
    settings: Settings
    poll_every: timedelta
    failing: Mapping[HostName, Host]
    stores: Sequence[Store]
    """Those with a token, by id: a store that its merchant disconnected isn't expected to do anything."""
    stopped: Sequence[Merchant]
    """Merchants whose account at the warehouse has a problem."""

    @property
    def live_merchants(self) -> set[int]:
        return {store.merchant_id for store in self.stores if store.live}


def read_scene(session: Session, settings: Settings, now: datetime) -> Scene:
    stores = select(Store).where(Store.sealed_token != "").order_by(Store.id)
    has_problem = (
        Merchant.credentials_refused_at.is_not(None)
        | Merchant.fcp_failing_since.is_not(None)
        | (Merchant.tracking_error != "")
    )
    return Scene(
        now=now,
        settings=settings,
        poll_every=timedelta(seconds=settings.poll_seconds),
        failing=hosts.all_failing(session),
        stores=session.scalars(stores).all(),
        stopped=session.scalars(select(Merchant).where(has_problem)).all(),
    )
