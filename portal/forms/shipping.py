"""The carrier service for each shipping code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField

from portal.forms.common import ReasonMixin
from portal.reports.shipping_choice import title
from portal.rules.services import for_shipping_code
from portal.rules.shipping import ServiceChoice, ShippingCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.rules.services import Service

NONE = "None: these orders stay on hold"


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice of a shipping code. ``service`` is None for no service, and for one that left the catalog."""

    code: str
    title: str
    service: Service | None


class ShippingForm(ReasonMixin, FlaskForm):
    domestic = RadioField("DOMESTIC_DEFAULT", description="For orders to the United States.")
    international = RadioField("INTERNATIONAL_DEFAULT", description="For orders to every other country.")
    territories_domestic = BooleanField(
        "Treat US territories as domestic",
        description="Puerto Rico, Guam, the US Virgin Islands, American Samoa, the Northern Mariana Islands, the US "
        "Minor Outlying Islands, the Marshall Islands, Micronesia, and Palau then use DOMESTIC_DEFAULT.",
    )

    def __init__(self, services: Sequence[Service], saved: ServiceChoice, **options: Any) -> None:
        super().__init__(
            data={
                "domestic": saved.domestic,
                "international": saved.international,
                "territories_domestic": saved.territories_domestic,
            },
            **options,
        )
        self.saved = saved
        self.offers: dict[str, dict[str, list[Offer]]] = {}
        """The choices of each field, by carrier; "" stands for those that belong to none."""
        for field, code in self._radios():
            offers = _offers(code, services, saved.service(code))
            self.offers[field.name] = offers
            field.choices = [(one.code, one.title) for group in offers.values() for one in group]

    def _radios(self) -> tuple[tuple[RadioField, ShippingCode], ...]:
        return (
            (self.domestic, ShippingCode.DOMESTIC_DEFAULT),
            (self.international, ShippingCode.INTERNATIONAL_DEFAULT),
        )

    def choice(self) -> ServiceChoice:
        """Return the chosen services; where the form's value isn't offered, the saved service."""
        domestic, international = (
            field.data if field.data in {value for value, *_ in field.iter_choices()} else self.saved.service(code)
            for field, code in self._radios()
        )
        return ServiceChoice(domestic, international, bool(self.territories_domestic.data))


class CheckForm(ReasonMixin, FlaskForm):
    """Ask the warehouse again about the service with the code in ``service``."""

    service = HiddenField()


def _offers(code: ShippingCode, services: Sequence[Service], saved: str) -> dict[str, list[Offer]]:
    """Return the choices by carrier. A saved service that left the catalog can still be chosen."""
    carriers = for_shipping_code(code, services)
    offers = {"": [Offer("", NONE, None)]} | {
        carrier: [Offer(one.code, title(one), one) for one in group] for carrier, group in carriers.items()
    }
    if saved and all(saved != one.code for group in carriers.values() for one in group):
        offers["No longer in the list of services"] = [Offer(saved, saved, None)]
    return offers
