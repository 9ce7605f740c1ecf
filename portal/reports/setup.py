"""The setup steps from a new merchant to a live store, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import Order
from portal.models.states import NOT_SENT
from portal.reports.product_list import count_stopping
from portal.reports.service_standing import Standing, checks_of, name_check
from portal.rules.services import known_services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.models import Merchant, Store
    from portal.reports.service_standing import ServiceChecks, ServiceStanding


class StepName(StrEnum):
    ACCOUNT = "account"
    CONNECT = "connect"
    SERVICES = "services"
    CATALOG = "catalog"
    DRY_RUN = "dry-run"
    LIVE = "live"


_NEEDS = {
    StepName.CATALOG: (StepName.CONNECT,),
    StepName.DRY_RUN: (StepName.CONNECT, StepName.SERVICES),
    StepName.LIVE: (StepName.CONNECT, StepName.SERVICES),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One setup step. It is possible once the steps that it ``needs`` are complete; those listed aren't yet."""

    name: StepName
    is_complete: bool
    needs: Sequence[StepName] = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """The warehouse's verdicts on the unsent orders of the store that goes live next."""

    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class SetUp:
    steps: Sequence[Step]
    is_complete: bool
    """Whether every store is live. Products and services may get a problem any day, and that is not setup."""
    to_fix: int
    """Number of products whose orders are held because of a missing or invalid SKU."""
    are_products_read: bool
    store: Store | None
    """The store that goes live next; None if there is none."""
    dry_run: DryRun
    checks: ServiceChecks
    name: ServiceStanding | None
    """What a TEST order told about the merchant's name; None if none is planned."""

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if not step.is_complete), None)

    @property
    def complete_steps(self) -> int:
        return sum(step.is_complete for step in self.steps)

    @property
    def is_under_way(self) -> bool:
        """Whether a worker is doing something whose end changes a step."""
        is_of_store = self.store is not None and (not self.are_products_read or self.store.dry_run_asked_at is not None)
        is_name_checked = self.name is not None and self.name.standing is Standing.CHECKING
        return is_of_store or is_name_checked or self.checks.is_checking

    @property
    def version(self) -> str:
        """Return a text that changes with what the page shows of the steps."""
        name = f"{self.name.standing}{'!' if self.name.problem else ''}" if self.name else ""
        is_asked = self.store is not None and self.store.dry_run_asked_at is not None
        facts = (
            "".join("x" if step.is_complete else "-" for step in self.steps), self.to_fix, self.are_products_read,
            is_asked, self.dry_run.accepted, self.dry_run.rejected, self.checks.version, name,
        )  # fmt: skip
        return ".".join(str(int(fact)) if isinstance(fact, int) else fact for fact in facts)


def is_complete(merchant: Merchant, stores: Sequence[Store]) -> bool:
    """Return whether the merchant's setup is complete: services are chosen, and every connected store is live."""
    has_services = bool(merchant.domestic_service and merchant.international_service)
    connected = [store for store in stores if store.sealed_token]
    return has_services and bool(connected) and all(store.live for store in connected)


def set_up(session: Session, merchant: Merchant, stores: Sequence[Store]) -> SetUp:
    to_fix, name = count_stopping(session, stores), name_check(session, merchant.id)
    checks = checks_of(session, merchant, known_services())
    are_read = any(store.products_refreshed_at is not None for store in stores)
    dark = next((store for store in stores if store.sealed_token and not store.live), None)
    dry_run = _dry_run(session, dark)
    is_live = any(store.sealed_token and store.live for store in stores) and dark is None
    complete = {
        StepName.ACCOUNT: name is None or name.standing is not Standing.REJECTED,
        StepName.CONNECT: any(store.is_connected for store in stores),
        StepName.SERVICES: bool(merchant.domestic_service and merchant.international_service)
        and not checks.are_rejected,
        StepName.CATALOG: are_read and not to_fix,
        StepName.DRY_RUN: is_live or bool(dry_run.accepted or dry_run.rejected),
        StepName.LIVE: is_live,
    }
    steps = [
        Step(step, is_done, [need for need in _NEEDS.get(step, ()) if not complete[need]])
        for step, is_done in complete.items()
    ]
    return SetUp(steps, is_complete(merchant, stores), to_fix, are_read, dark, dry_run, checks, name)


def _dry_run(session: Session, store: Store | None) -> DryRun:
    if store is None:
        return DryRun(0, 0)
    tested = (Order.store_id == store.id, Order.state.in_(NOT_SENT), Order.dry_run_verdict.is_not(None))
    accepted, total = session.execute(
        select(func.count().filter(Order.dry_run_verdict == ""), func.count()).where(*tested)
    ).one()
    return DryRun(accepted, total - accepted)
