"""Forms of the settings."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field

from portal.forms.auth import CredentialsMixin, check_address, email_field
from portal.forms.common import ReasonMixin


class OptionsForm(ReasonMixin, FlaskForm):
    submit_unpaid = BooleanField(
        "Submit unpaid orders",
        description="Also orders that are unpaid or whose payment is pending. Off: they wait until they are paid.",
    )
    ignore_items_without_sku = BooleanField(
        "Ignore items without a SKU",
        description="For merchants who ship some goods themselves: items whose product names no SKU are not sent, "
        "the others are. Off: such an order waits until its product has a SKU.",
    )


class CredentialsForm(CredentialsMixin, ReasonMixin, FlaskForm):
    pass


class ConfirmForm(ReasonMixin, FlaskForm):
    """A button, and why when support presses it."""


class InviteForm(ReasonMixin, FlaskForm):
    email = email_field(description="A mail with a link goes there. The link works once, for seven days.")

    def validate_email(self, field: Field) -> None:
        check_address(self, field)
