"""What the service mapping means: how many recent orders take each code, and which orders a change would affect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from portal.clients.bigcartel import read_stored
from portal.models import Order, OrderState
from portal.models.states import NOT_SENT
from portal.rules.countries import country
from portal.rules.services import find, known_services
from portal.rules.shipping import US_TERRITORIES, ServiceChoice, ShippingCode, shipping_code

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import Merchant
    from portal.rules.services import Service

LAST = 50
"""Recent orders that the effect is shown for."""


@dataclass(frozen=True, slots=True)
class Example:
    """An order and its country, without the buyer's data."""

    number: str
    country: str


@dataclass(frozen=True, slots=True)
class Share:
    """How many recent orders take a code, with the newest of them as an example; None if there is none."""

    code: ShippingCode
    service: str
    orders: int
    example: Example | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that has not been sent yet."""

    number: str
    state: OrderState


@dataclass(frozen=True, slots=True)
class Effect:
    """What a choice means for the ``recent_orders`` last orders, and which unsent orders it changes."""

    shares: tuple[Share, ...]
    recent_orders: int
    without_code: int
    changed: tuple[Waiting, ...]


def title(service: Service) -> str:
    """Return the service's name with its carrier, without repeating the carrier."""
    return service.name if service.name.startswith(service.carrier) else f"{service.carrier} {service.name}"


def service_name(code: str) -> str:
    """Return the name of the service with this code, or the code itself if the catalog doesn't have it."""
    service = find(code, known_services())
    return title(service) if service else code


def choice_of(merchant: Merchant) -> ServiceChoice:
    return ServiceChoice(merchant.domestic_service, merchant.international_service, merchant.territories_domestic)


def effect(session: Session, merchant: Merchant, choice: ServiceChoice) -> Effect:
    """Return what ``choice`` would mean if it replaced the saved one. Writes nothing."""
    last = session.execute(
        select(Order.number, Order.document, Order.shipping_code, Order.purged_at)
        .where(Order.merchant_id == merchant.id)
        .order_by(Order.id.desc())
        .limit(LAST)
    ).all()
    taking: dict[ShippingCode, list[Example]] = {code: [] for code in ShippingCode}
    for row in last:
        document = row.document if row.purged_at is None else None
        code, country = _destination(document, row.shipping_code, choice)
        if code is not None:
            taking[code].append(Example(row.number, country))
    return Effect(
        shares=tuple(
            Share(code, choice.service(code), len(found), next((one for one in found if one.country), None))
            for code, found in taking.items()
        ),
        recent_orders=len(last),
        without_code=len(last) - sum(map(len, taking.values())),
        changed=tuple(changed(session, merchant, choice)),
    )


def changed(session: Session, merchant: Merchant, choice: ServiceChoice) -> list[Waiting]:
    """Return the unsent orders, newest first, that ``choice`` would move to another service than the saved choice."""
    saved = choice_of(merchant)
    if saved == choice:
        return []
    codes = [code for code in ShippingCode if saved.service(code) != choice.service(code)]
    query = select(Order.id, Order.number, Order.state).where(
        Order.merchant_id == merchant.id, Order.state.in_(NOT_SENT)
    )
    found = {row.id: row for row in session.execute(query.where(Order.shipping_code.in_(codes)))}
    if saved.territories_domestic or choice.territories_domestic:
        # Only the document says which orders go to a territory. A match elsewhere in it does no harm.
        mention = or_(*(Order.document.icontains(f'"{code}"') for code in sorted(US_TERRITORIES)))
        columns = (Order.document, Order.shipping_code, Order.purged_at)
        for row in session.execute(query.where(mention).add_columns(*columns)):
            document = row.document if row.purged_at is None else None
            before, after = (one.service(_destination(document, row.shipping_code, one)[0]) for one in (saved, choice))
            if before == after:
                found.pop(row.id, None)
            else:
                found[row.id] = row
    return [Waiting(found[key].number, found[key].state) for key in sorted(found, reverse=True)]


def _destination(document: str | None, stored_code: str, choice: ServiceChoice) -> tuple[ShippingCode | None, str]:
    """Return the order's shipping code under ``choice``, and its country's name; a purged order keeps its code."""
    address = read_stored(document).address if document is not None else None
    if address is None or not country(address.country_code):
        return ShippingCode(stored_code) if stored_code else None, ""
    code = shipping_code(address.country_code, territories_domestic=choice.territories_domestic)
    return code, address.country_name or address.country_code
