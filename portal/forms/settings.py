"""Forms on the settings pages."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field

from portal.forms.auth import CredentialsMixin, check_address, email_field
from portal.forms.common import ReasonMixin


class OptionsForm(ReasonMixin, FlaskForm):
    submit_unpaid = BooleanField(
        "Send unpaid orders",
        description="Also send orders that are unpaid or whose payment is pending. "
        "When off, they stay on hold until they're paid.",
    )
    ignore_items_without_sku = BooleanField(
        "Ignore items without a SKU",
        description="For merchants who ship some goods themselves: we leave out items without a SKU and send the rest "
        "of the order. When off, the whole order stays on hold until every item has a SKU.",
    )


class CredentialsForm(CredentialsMixin, ReasonMixin, FlaskForm):
    pass


class ConfirmForm(ReasonMixin, FlaskForm):
    """A confirmation button, with a reason if support presses it."""


class InviteForm(ReasonMixin, FlaskForm):
    email = email_field(description="We'll email them a link that works once and expires in seven days.")

    def validate_email(self, field: Field) -> None:
        check_address(self, field)
