"""The carrier service for each shipping code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField

from portal.forms.common import ReasonMixin
from portal.reports.shipping_choice import title
from portal.rules.services import for_shipping_code
from portal.rules.shipping import ServiceChoice, ShippingCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.rules.services import Service

NONE = ("", "None: these orders stay on hold")


class ShippingForm(ReasonMixin, FlaskForm):
    domestic = SelectField("DOMESTIC_DEFAULT", description="For orders to the United States.")
    international = SelectField("INTERNATIONAL_DEFAULT", description="For orders to every other country.")
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
        for field, code in self._selects():
            field.choices = _choices(code, services, saved.service(code))

    def _selects(self) -> tuple[tuple[SelectField, ShippingCode], ...]:
        return (
            (self.domestic, ShippingCode.DOMESTIC_DEFAULT),
            (self.international, ShippingCode.INTERNATIONAL_DEFAULT),
        )

    def choice(self) -> ServiceChoice:
        """Return the chosen services; where the form's value isn't offered, the saved service."""
        domestic, international = (
            field.data if field.data in {value for value, *_ in field.iter_choices()} else self.saved.service(code)
            for field, code in self._selects()
        )
        return ServiceChoice(domestic, international, bool(self.territories_domestic.data))


def _choices(code: ShippingCode, services: Sequence[Service], saved: str) -> dict[str, list[tuple[str, str]]]:
    """Return the choices grouped by carrier. A saved service that left the catalog stays selectable."""
    carriers = for_shipping_code(code, services)
    grouped = {"No service": [NONE]} | {
        carrier: [(one.code, title(one) if one.verified else f"{title(one)} (not verified)") for one in group]
        for carrier, group in carriers.items()
    }
    if saved and all(saved != one.code for group in carriers.values() for one in group):
        grouped["No longer in the list of services"] = [(saved, saved)]
    return grouped
