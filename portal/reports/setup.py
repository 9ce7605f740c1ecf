"""The setup steps from a new merchant to a live store."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.reports.product_list import count_stopping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.models import Merchant, Store


class StepName(StrEnum):
    CONNECT = "connect"
    SERVICES = "services"
    SKUS = "skus"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Step:
    """One setup step; ``store_id`` is set if the step is for one particular store."""

    name: StepName
    is_done: bool
    store_id: int | None = None


@dataclass(frozen=True, slots=True)
class SetUp:
    steps: Sequence[Step]
    to_fix: int
    """Number of products whose orders are held because of a missing or invalid SKU."""

    @property
    def is_complete(self) -> bool:
        """Whether setup is complete. SKUs don't count: products may lose theirs any day, and that is not setup."""
        return all(step.is_done for step in self.steps if step.name is not StepName.SKUS)

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)


def set_up(session: Session, merchant: Merchant, stores: Sequence[Store]) -> SetUp:
    to_fix = count_stopping(session, stores)
    are_read = any(store.products_refreshed_at is not None for store in stores)
    dark = next((store for store in stores if store.sealed_token and not store.live), None)
    steps = (
        Step(StepName.CONNECT, any(store.sealed_token for store in stores)),
        Step(StepName.SERVICES, bool(merchant.domestic_service and merchant.international_service)),
        Step(StepName.SKUS, are_read and not to_fix),
        Step(StepName.LIVE, bool(stores) and dark is None and any(s.live for s in stores), dark.id if dark else None),
    )
    return SetUp(steps, to_fix)
