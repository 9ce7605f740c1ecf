"""The form of a person's choice of emails."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField

from portal.models import Alerts

CHOICES = {
    Alerts.ALL: "Everything that needs attention, and the morning note",
    Alerts.STOPS: "Only problems that stop orders",
    Alerts.DAILY: "Only the morning note, one email a day",
    Alerts.NONE: "None",
}


class EmailsForm(FlaskForm):
    alerts = RadioField("Which emails do you want?", choices={choice.value: label for choice, label in CHOICES.items()})

    def choice(self) -> Alerts:
        """Return the valid form's choice."""
        return Alerts(self.alerts.data)
