"""Connecting a store, showing its token, disconnecting it."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange, ValidationError

from portal import access, current
from portal.forms.common import ReasonMixin
from portal.models import Merchant
from portal.models.base import MAX_ID


def set_apart(form: FlaskForm, name: str) -> None:
    """Give the fields ids of their own, so that several forms with a reason fit on one page."""
    for field in form:
        field.id = field.label.field_id = f"{name}-{field.short_name}"


class ConnectForm(ReasonMixin, FlaskForm):
    """Which merchant the store is for: one's own, or any for support."""

    merchant_id = IntegerField(
        "Merchant Id",
        [
            InputRequired("Enter the Merchant Id: the number that eFulfillment Service gave you."),
            NumberRange(1, MAX_ID, "A Merchant Id is a whole number above 0."),
        ],
        description="The number that eFulfillment Service gave you.",
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )

    def __init__(self, **values: Any) -> None:
        own = access.viewer().merchant_id
        asked_for = request.args.get("merchant_id", type=int) if access.is_support() else None
        super().__init__(data={"merchant_id": own or asked_for, **values})

    def validate_merchant_id(self, field: IntegerField) -> None:
        own = access.viewer().merchant_id
        if access.is_support():
            if current.session().get(Merchant, field.data) is None:
                raise ValidationError(f"There is no merchant {field.data}. Check the Merchant Id.")
        elif field.data != own:
            raise ValidationError(
                f"You are logged in for merchant {own}. To connect a store for another merchant, log in with that "
                "merchant's account."
            )


class TokenForm(ReasonMixin, FlaskForm):
    """Show the access token."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        set_apart(self, "token")


class DisconnectForm(ReasonMixin, FlaskForm):
    sure = BooleanField(
        "Yes, disconnect this store",
        [InputRequired("Tick this box if you are sure. Nothing has changed yet.")],
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        set_apart(self, "disconnect")
