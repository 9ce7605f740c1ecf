"""Whether the warehouse offers each carrier service, as far as the catalog and TEST orders say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import CheckVerdict, Order, WarehouseCheck
from portal.models.states import NOT_SENT
from portal.reports.shipping_choice import choice_of, service_name
from portal.rules.shipping import ShippingCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Merchant
    from portal.rules.services import Service


class Standing(StrEnum):
    OFFERED = "offered"
    REJECTED = "rejected"
    CHECKING = "checking"
    UNKNOWN = "unknown"
    """Not verified, and no merchant has chosen it."""


_OPEN = frozenset({Standing.CHECKING, Standing.UNKNOWN})


@dataclass(frozen=True, slots=True)
class ServiceStanding:
    """``words`` are the warehouse's, when it rejected the service; ``problem`` says why it couldn't be checked yet."""

    standing: Standing
    words: str = ""
    problem: str = ""
    tried_at: datetime | None = None


def standings(session: Session, merchant_id: int, services: Iterable[Service]) -> Mapping[str, ServiceStanding]:
    """Return the standing of each service, by code. What kept another merchant's check from working isn't shown."""
    checks = {
        check.service: check for check in session.scalars(select(WarehouseCheck).where(WarehouseCheck.service != ""))
    }
    found = {}
    for service in services:
        check = checks.get(service.code)
        if check is None:
            found[service.code] = ServiceStanding(Standing.OFFERED if service.verified else Standing.UNKNOWN)
        else:
            found[service.code] = _of(check, is_own=check.merchant_id == merchant_id)
    return found


def as_known(session: Session, services: Iterable[Service]) -> tuple[Service, ...]:
    """Return the services, each verified if TEST orders or else the catalog say that the warehouse accepts it."""
    services = tuple(services)
    found = standings(session, 0, services)
    return tuple(replace(one, verified=found[one.code].standing is Standing.OFFERED) for one in services)


@dataclass(frozen=True, slots=True)
class ChosenService:
    code: str
    title: str
    known: ServiceStanding
    unsent: int
    """Orders not sent yet that use it, counted only if the warehouse rejected it."""


@dataclass(frozen=True, slots=True)
class ServiceChecks:
    chosen: Sequence[ChosenService]

    @property
    def is_checking(self) -> bool:
        return any(one.known.standing in _OPEN for one in self.chosen)

    @property
    def are_rejected(self) -> bool:
        return any(one.known.standing is Standing.REJECTED for one in self.chosen)

    @property
    def version(self) -> str:
        """Return a text that changes with what there is to show."""
        return "-".join(f"{one.known.standing}{'!' if one.known.problem else ''}" for one in self.chosen)


def checks_of(session: Session, merchant: Merchant, services: Sequence[Service]) -> ServiceChecks:
    """Return what is known of the merchant's saved services."""
    known, choice = standings(session, merchant.id, services), choice_of(merchant)
    codes = {code: choice.service(code) for code in ShippingCode}
    return ServiceChecks(
        [
            ChosenService(
                service, service_name(service), known[service], _unsent(session, merchant, code, known[service])
            )
            for code, service in codes.items()
            if service in known
        ]
    )


def _unsent(session: Session, merchant: Merchant, code: ShippingCode, known: ServiceStanding) -> int:
    if known.standing is not Standing.REJECTED:
        return 0
    theirs = (Order.merchant_id == merchant.id, Order.state.in_(NOT_SENT), Order.shipping_code == code)
    return session.scalar(select(func.count()).where(*theirs)) or 0


def name_check(session: Session, merchant_id: int) -> ServiceStanding | None:
    """Return what a TEST order told about the merchant's name; None if none is planned or was sent."""
    query = select(WarehouseCheck).where(WarehouseCheck.merchant_id == merchant_id, WarehouseCheck.service == "")
    check = session.scalar(query)
    return _of(check, is_own=True) if check is not None else None


def _of(check: WarehouseCheck, *, is_own: bool) -> ServiceStanding:
    if check.due_at is not None or check.verdict is None:
        return ServiceStanding(Standing.CHECKING, problem=check.problem if is_own else "", tried_at=check.tried_at)
    standing = Standing.OFFERED if check.verdict is CheckVerdict.ACCEPTED else Standing.REJECTED
    return ServiceStanding(standing, words=check.words, tried_at=check.tried_at)
