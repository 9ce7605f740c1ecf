"""Find out with TEST orders which carrier services the warehouse offers, and whether it knows a merchant's name.

A service that the catalog doesn't call verified is checked once a merchant chooses it, for everyone; a merchant's name
before the first store goes live, because no other call has it. No real order depends on either: a check neither stops
a merchant nor records that the service fails, and it waits while calls to the FCP are paused.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from portal.clients.errors import Cause, Duplicate, Rejected, ServiceError, Unauthorized
from portal.clients.failure_kinds import MERCHANT
from portal.fulfillment.clients import BlockedError, fcp_for
from portal.logs.work import working_on
from portal.models import CheckVerdict, Merchant, OptionSku, SkuVerdict, Store, WarehouseCheck
from portal.rules.services import CatalogError, catalog, find, known_services
from portal.rules.sku_findings import Level
from portal.rules.test_orders import is_about_service, order_to_test

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, CursorResult, Table
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp, OrderRequest
    from portal.rules.services import Service

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=5)
"""How long a check waits for a worker that died during it."""
NO_SKU_YET, UNREACHABLE, OTHER_FAULT = timedelta(seconds=30), timedelta(minutes=2), timedelta(hours=1)
"""How soon a check without a verdict is tried again, by why it has none."""
SKUS = 3
"""SKUs to try one after the other: the warehouse may not know the first."""
RUN_SECONDS = 20.0
"""Seconds after which a run leaves the rest to the next one."""
NEEDS_SKU = "We need a product with a SKU for the test order."

_checks = cast("Table", WarehouseCheck.__table__)


class Answer(NamedTuple):
    """What a try found out; without a verdict, when to try again and why."""

    verdict: CheckVerdict | None
    words: str = ""
    problem: str = ""
    again_in: timedelta | None = None


def find_due(session: Session, now: datetime) -> None:
    """Add checks of services that merchants chose, and of the names of merchants who aren't live. Commits."""
    chosen: dict[str, int] = {}
    for column in (Merchant.domestic_service, Merchant.international_service):
        for code, merchant_id in session.execute(select(column, func.min(Merchant.id)).group_by(column)):
            chosen.setdefault(code, merchant_id)
    known = set(session.scalars(select(WarehouseCheck.service).where(WarehouseCheck.service.in_(chosen))))
    for code, service in _unverified().items():
        if code in chosen and code not in known:
            _add(session, chosen[code], service.code, now)
    check, live = aliased(WarehouseCheck), aliased(Store)
    unchecked = (
        select(Merchant.id)
        .join(Store, Store.merchant_id == Merchant.id)
        .where(
            Store.is_connected,
            or_(Merchant.domestic_service != "", Merchant.international_service != ""),
            ~select(live.id).where(live.merchant_id == Merchant.id, live.live).exists(),
            ~select(check.id).where(check.merchant_id == Merchant.id, check.service == "").exists(),
        )
        .distinct()
    )
    for merchant_id in session.scalars(unchecked).all():
        _add(session, merchant_id, "", now)
    session.commit()


def check_due(session: Session, settings: Settings, clock: Callable[[], datetime]) -> bool:
    """Try the checks that are due. Return whether all of them were tried; commits."""
    ends_at = time.monotonic() + RUN_SECONDS
    due = select(WarehouseCheck.id).where(WarehouseCheck.due_at <= clock()).order_by(WarehouseCheck.due_at)
    ids = session.scalars(due).all()
    session.commit()
    for check_id in ids:
        if time.monotonic() >= ends_at:
            return False
        if _claim(session, check_id, clock()):
            _check(session, check_id, settings, clock)
    return True


def ask(session: Session, merchant_id: int, service: str, now: datetime) -> None:
    """Have a service that a merchant chose checked, unless its code is known. The caller commits."""
    if service in _unverified():
        _add(session, merchant_id, service, now)


def ask_again(session: Session, merchant_id: int, service: str, now: datetime) -> None:
    """Have a service, or with "" the merchant's name, checked now. One that is being checked stays so.

    The caller commits.
    """
    _add(session, merchant_id, service, now)
    whose = WarehouseCheck.service == service if service else WarehouseCheck.merchant_id == merchant_id
    session.execute(
        update(WarehouseCheck)
        .where(whose, WarehouseCheck.service == service, WarehouseCheck.due_at.is_(None))
        .values(merchant_id=merchant_id, due_at=now),
        execution_options={"synchronize_session": False},
    )


def save_verdicts(session: Session, merchant_id: int, verdicts: Mapping[str, Answer], now: datetime) -> None:
    """Record what TEST orders found out about these services. The caller commits."""
    for code, answer in verdicts.items():
        _add(session, merchant_id, code, now)
        _save(session, WarehouseCheck.service == code, answer, now)


def about_service(error: ServiceError, service: str, number: str) -> Answer | None:
    """Return the verdict if a TEST order was rejected because of its service; None if for anything else."""
    if not isinstance(error, Rejected) or isinstance(error, Duplicate):
        return None
    is_it = is_about_service(error.words.replace(number, ""), service)
    return Answer(CheckVerdict.REJECTED, error.words) if is_it else None


def _unverified() -> dict[str, Service]:
    try:
        return {service.code: service for service in catalog() if not service.verified}
    except CatalogError:
        log.exception("checks.no_catalog")
        return {}


def _add(session: Session, merchant_id: int, service: str, now: datetime) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"merchant_id": merchant_id, "service": service, "words": "", "problem": "", "due_at": now}
    session.execute(dialect.insert(_checks).values(row).on_conflict_do_nothing())


def _claim(session: Session, check_id: int, now: datetime) -> bool:
    """Return whether this worker may do the check, and nobody else until the claim ends. Commits."""
    claim = update(WarehouseCheck).where(WarehouseCheck.id == check_id, WarehouseCheck.due_at <= now)
    claimed = session.execute(claim.values(due_at=now + CLAIM), execution_options={"synchronize_session": False})
    session.commit()
    return cast("CursorResult[tuple[()]]", claimed).rowcount == 1


def _check(session: Session, check_id: int, settings: Settings, clock: Callable[[], datetime]) -> None:
    check = session.get(WarehouseCheck, check_id, populate_existing=True)
    if check is None:  # the credentials were replaced, so the name is checked again
        session.commit()
        return
    service, merchant = check.service, session.get_one(Merchant, check.merchant_id, populate_existing=True)
    order = _Order(service or merchant.domestic_service or merchant.international_service, check_id, clock())
    skus = _some_skus(session, merchant.id)
    with working_on(merchant=merchant.id):
        try:
            fcp = fcp_for(session, merchant, settings, now=clock())
        except BlockedError as error:
            answer = Answer(None, problem=str(error), again_in=UNREACHABLE)
        else:
            session.commit()
            answer = _try(fcp, order, skus, is_of_name=not service)
        _save(session, WarehouseCheck.id == check_id, answer, clock())
        session.commit()
        log.info("checks.tried", extra={"service": service, "verdict": answer.verdict or "none"})


class _Order(NamedTuple):
    """What the TEST orders of one check have in common."""

    service: str
    check_id: int
    now: datetime

    def with_sku(self, sku: str, nth: int) -> OrderRequest:
        known = find(self.service, known_services())
        which = f"{self.check_id}-{nth}"
        return order_to_test(self.service, known.reach if known else "domestic", sku, self.now, which=which)


def _try(fcp: Fcp, order: _Order, skus: Sequence[str], *, is_of_name: bool) -> Answer:
    answer = Answer(None, problem=NEEDS_SKU, again_in=NO_SKU_YET)
    for nth, sku in enumerate(skus):
        request = order.with_sku(sku, nth)
        try:
            fcp.submit(request, test=True)
        except ServiceError as error:
            if error.cause is Cause.HOST:
                return Answer(None, problem=str(error), again_in=UNREACHABLE)
            verdict = _about_name(error) if is_of_name else about_service(error, order.service, request.order_number)
            if verdict is not None:
                return verdict
            answer = Answer(None, problem=str(error), again_in=OTHER_FAULT)
            if isinstance(error, Unauthorized):
                return answer
        else:
            return Answer(CheckVerdict.ACCEPTED)
    return answer


def _about_name(error: ServiceError) -> Answer | None:
    """Return the verdict if the FCP rejected the merchant; without its words, it may be something else."""
    is_it = bool(error.words) and (isinstance(error, Unauthorized) or MERCHANT.search(error.words) is not None)
    return Answer(CheckVerdict.REJECTED, error.words) if is_it else None


def _some_skus(session: Session, merchant_id: int) -> Sequence[str]:
    """Return a few of the merchant's SKUs that can be sent, others each time."""
    skus = (
        select(OptionSku.sku)
        .join(Store, Store.id == OptionSku.store_id)
        .join(
            SkuVerdict, and_(SkuVerdict.store_id == OptionSku.store_id, SkuVerdict.product_id == OptionSku.product_id)
        )
        .where(Store.merchant_id == merchant_id, SkuVerdict.level != Level.STOPS, SkuVerdict.is_forgettable.is_(False))
    )
    return session.scalars(skus.order_by(func.random()).limit(SKUS)).all()


def _save(session: Session, which: ColumnElement[bool], answer: Answer, now: datetime) -> None:
    """Record a try. One without a verdict leaves an earlier verdict as it is."""
    columns: dict[str, object] = {
        "tried_at": now,
        "problem": answer.problem,
        "due_at": now + answer.again_in if answer.again_in is not None else None,
    }
    if answer.verdict is not None:
        columns |= {"verdict": answer.verdict, "words": answer.words}
    session.execute(
        update(WarehouseCheck).where(which).values(**columns), execution_options={"synchronize_session": False}
    )
