"""The form with which support exports or erases a buyer's data."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SubmitField
from wtforms.validators import ValidationError

from portal.forms.auth import check_address, email_field
from portal.forms.common import ReasonMixin


class BuyerForm(ReasonMixin, FlaskForm):
    email = email_field(description="The email address of the buyer's orders.", autocomplete="off")
    confirmed = BooleanField("Erase for good. This can't be undone.")
    export = SubmitField("Download data")
    erase = SubmitField("Erase data")

    def __init__(self) -> None:
        super().__init__()
        self.reason.description = "The audit trail will show this reason with your name to each merchant concerned."

    def validate_email(self, field: Field) -> None:
        check_address(self, field)

    def validate_confirmed(self, field: Field) -> None:
        if self.erase.data and not field.data:
            raise ValidationError("Tick this box to erase the data.")
