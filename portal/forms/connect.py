"""Forms to connect a store, show its access token, and disconnect it."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms.validators import InputRequired, ValidationError

from portal import access, current
from portal.forms.common import MerchantIdField, ReasonMixin
from portal.models import Merchant
from portal.models.account import merchant_id_in


def prefix_field_ids(form: FlaskForm, prefix: str) -> None:
    """Make the fields' HTML ids unique, for pages with several forms that have a reason field."""
    for field in form:
        field.id = field.label.field_id = f"{prefix}-{field.short_name}"


class ConnectForm(ReasonMixin, FlaskForm):
    """The merchant the store belongs to: the viewer's own, or any merchant for support."""

    merchant_id = MerchantIdField(
        "Merchant Id",
        [InputRequired("Enter the Merchant Id, the number eFulfillment Service gave you.")],
        description="The number eFulfillment Service gave you.",
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )

    def __init__(self, **values: Any) -> None:
        own, visit = access.viewer().merchant_id, access.any_visit()
        asked_for = request.args.get("merchant_id", type=merchant_id_in) if access.is_support() else None
        visited = visit.merchant_id if visit is not None else None
        super().__init__(data={"merchant_id": own or asked_for or visited, **values})
        self._visits_reason = visit.reason if visit is not None and self.merchant_id.data == visited else ""
        if self._visits_reason:
            del self.reason

    def given_reason(self) -> str:
        return self._visits_reason or super().given_reason()

    def validate_merchant_id(self, field: MerchantIdField) -> None:
        if field.errors:
            return
        own = access.viewer().merchant_id
        if access.is_support():
            if current.session().get(Merchant, field.data) is None:
                raise ValidationError(f"There is no merchant {field.data}. Check the Merchant Id.")
        elif field.data != own:
            raise ValidationError(
                f"You're logged in for merchant {own}. To connect a store for another merchant, log in with that "
                "merchant's account."
            )


class TokenForm(ReasonMixin, FlaskForm):
    """The button that shows the access token."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        prefix_field_ids(self, "token")


class DisconnectForm(ReasonMixin, FlaskForm):
    sure = BooleanField(
        "Yes, disconnect this store",
        [InputRequired("Check this box to confirm.")],
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        prefix_field_ids(self, "disconnect")
