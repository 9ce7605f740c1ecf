"""The form of a merchant's alerts."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange

from portal.actions.alerts import AGEING_DAYS, HOLD_HOURS, SYNC_MINUTES, AlertChoice
from portal.forms.common import ReasonMixin


class _WholeNumberField(IntegerField):
    """A number whose NumberRange also rejects what isn't one, so that one sentence says what is wrong."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None


def _threshold(label: str, limits: tuple[int, int], unit: str, description: str) -> IntegerField:
    least, most = limits
    message = f"Enter a whole number of {unit} from {least} to {most}."
    return _WholeNumberField(
        label, [InputRequired(message), NumberRange(least, most, message)], description=description
    )


class AlertsForm(ReasonMixin, FlaskForm):
    alert_hold_hours = _threshold(
        "Hours on hold",
        HOLD_HOURS,
        "hours",
        "An incident opens when an order is on hold for longer than this, from 1 hour to 720 (30 days).",
    )
    alert_ageing_days = _threshold(
        "Business days at the warehouse",
        AGEING_DAYS,
        "business days",
        "An incident opens when the warehouse hasn't shipped an order for longer than this, from 1 day to 60. "
        "Saturdays and Sundays don't count.",
    )
    alert_sync_minutes = _threshold(
        "Minutes without a sync",
        SYNC_MINUTES,
        "minutes",
        "An incident opens when we couldn't sync your store for longer than this, from 5 minutes to 1440 (24 hours).",
    )
    morning_note = BooleanField(
        "Morning note",
        description="An email at 8:00 AM in your store's time zone: what was sent and shipped yesterday, and what "
        "needs attention. We skip days on which nothing happened. Teammates who chose only the morning note always "
        "get it.",
    )

    def choice(self) -> AlertChoice:
        """Return the valid form's values."""
        return AlertChoice(
            alert_hold_hours=int(self.alert_hold_hours.data or 0),
            alert_ageing_days=int(self.alert_ageing_days.data or 0),
            alert_sync_minutes=int(self.alert_sync_minutes.data or 0),
            morning_note=bool(self.morning_note.data),
        )
