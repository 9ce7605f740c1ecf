"""Forms that fix one order: a SKU, the address, the carrier service, an item to leave out, and a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, ValidationError

from portal.clients.bigcartel_types import BigCartelAddress
from portal.forms.common import ReasonMixin, one_line
from portal.forms.notes import plain_text
from portal.forms.products import visible
from portal.reports.shipping_choice import title
from portal.rules.address import missing_fields
from portal.rules.countries import country, country_names
from portal.rules.services import for_shipping_code
from portal.rules.sku_by_hand import why_unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wtforms import Field

    from portal.rules.services import Service
    from portal.rules.shipping import ShippingCode

MAX_SKU = 100
MAX_FIELD = 200
MAX_NOTE = 500
ALL_ORDERS, THIS_ORDER = "all", "this"
_AT_MOST = f"Use at most {MAX_FIELD} characters."
_TYPED = {"autocomplete": "off", "spellcheck": "false"}


class SkuForm(ReasonMixin, FlaskForm):
    """The SKU of an item, for all orders of its product or for one."""

    sku = StringField(
        "SKU",
        [
            DataRequired("Enter the SKU."),
            Length(max=MAX_SKU, message=f"Use at most {MAX_SKU} characters."),
        ],
        filters=[visible],
        description="Enter the SKU exactly as the warehouse has it.",
        render_kw={**_TYPED, "maxlength": MAX_SKU},
    )
    scope = RadioField("Use it for")

    def offer(self, *, called: str, product_is_known: bool, product_is_gone: bool) -> None:
        """Offer what the SKU can be set for. For a product that is gone, this order alone comes first."""
        choices = [(THIS_ORDER, "Only this order")]
        if product_is_known:
            choices.insert(1 if product_is_gone else 0, (ALL_ORDERS, f"All orders with {called}, now and later"))
        self.scope.choices = choices
        if self.scope.data is None:
            self.scope.data = choices[0][0]

    def validate_sku(self, field: Field) -> None:
        if field.data and (why := why_unusable(field.data, [""])):
            raise ValidationError(why)


def _part(label: str) -> StringField:
    return StringField(
        label,
        [Length(max=MAX_FIELD, message=_AT_MOST)],
        filters=[one_line],
        render_kw={**_TYPED, "maxlength": MAX_FIELD},
    )


class AddressForm(ReasonMixin, FlaskForm):
    """The address to send an order to. Its fields are named like those of BigCartelAddress."""

    first_name = _part("First name")
    last_name = _part("Last name")
    address_1 = _part("Street and house number")
    address_2 = _part("Apartment, suite, company")
    city = _part("City")
    state = _part("State or province")
    zip = _part("ZIP or postal code")
    country_code = SelectField("Country", validate_choice=False)
    phone = _part("Phone")
    email = _part("Email")
    seen = HiddenField()
    """Tells whether Big Cartel's address is still the one that was shown."""

    def offer_countries(self, present: str) -> None:
        names = country_names()
        present = country(present) or present
        others = {} if present in names else {present: present or "Choose a country"}
        self.country_code.choices = [*others.items(), *names.items()]

    def entered(self) -> BigCartelAddress:
        code = country(self.country_code.data or "")
        texts = {
            name: str(self[name].data or "")
            for name in (
                "first_name", "last_name", "address_1", "address_2", "city", "state", "zip", "phone", "email",
            )
        }  # fmt: skip
        return BigCartelAddress(**texts, country_code=code, country_name=country_names().get(code, ""))

    def is_complete(self) -> bool:
        """Return whether no field is missing, and put an error beside each that is."""
        missing = missing_fields(self.entered())
        for one in missing:
            field = self[one.field]
            field.errors = [*field.errors, f"Enter {one.words}."]
        return not missing


class ServiceForm(ReasonMixin, FlaskForm):
    """The carrier service for one order, or for all that were rejected because of theirs."""

    service = SelectField("Carrier service")
    scope = RadioField("Use it for")

    def offer(self, code: ShippingCode, services: Sequence[Service], *, mapped: str, present: str, others: int) -> None:
        """Offer the services of the order's shipping code; the first choice is the one under Shipping.

        ``others`` counts the orders that were rejected because of the same service.
        """
        if others:
            all_of_them = f"All {others + 1} orders that were rejected because of their service"
            self.scope.choices = [(ALL_ORDERS, all_of_them), (THIS_ORDER, "Only this order")]
            self.scope.data = self.scope.data or ALL_ORDERS
        else:
            del self.scope
        grouped = {"As chosen under Shipping": [("", mapped or "No service chosen")]} | {
            carrier: [(one.code, title(one) if one.verified else f"{title(one)} (not verified)") for one in group]
            for carrier, group in for_shipping_code(code, services).items()
        }
        known = {one[0] for group in grouped.values() for one in group}
        if present and present not in known:
            grouped["No longer in the list of services"] = [(present, present)]
        self.service.choices = grouped
        if self.service.data is None:
            self.service.data = present


class HoldForm(ReasonMixin, FlaskForm):
    """A hold of the person's own."""

    note = TextAreaField(
        "Note (optional)",
        [Length(max=MAX_NOTE, message=f"Use at most {MAX_NOTE} characters.")],
        filters=[plain_text],
        description="Everyone who sees the order can read it while the order is on hold.",
        render_kw={"rows": 3, "dir": "auto"},
    )


class ConfirmForm(ReasonMixin, FlaskForm):
    """Confirm a fix that has no fields of its own; only support is asked for a reason."""
