"""Forms of the go-live page: sync, dry run, and which orders to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.validators import InputRequired, Optional, StopValidation, ValidationError

from portal.forms.common import DayField, ReasonMixin
from portal.forms.connect import prefix_field_ids
from portal.fulfillment.poll.read import EARLIEST

if TYPE_CHECKING:
    from datetime import date, datetime

    from wtforms import Field

    from portal.reports.store_days import Days

ALL, FROM_DAY, ONLY_NEW = "all", "day", "new"


class SyncForm(ReasonMixin, FlaskForm):
    """The button that syncs the store's orders."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        prefix_field_ids(self, "read")


class DryRunForm(ReasonMixin, FlaskForm):
    """The button that starts a dry run."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        prefix_field_ids(self, "ask")


class ChoiceForm(FlaskForm):
    """Which orders to send, read from the query: nothing changes before the confirmation."""

    class Meta:
        csrf = False

    start = RadioField(
        "Orders to send",
        [InputRequired("Choose which orders to send.")],
        choices={
            ALL: "All unshipped orders",
            FROM_DAY: "Only orders placed on or after a date",
            ONLY_NEW: "Only new orders, placed from now on",
        },
    )
    day = DayField("First day", [Optional()])

    def __init__(self, days: Days, **values: Any) -> None:
        super().__init__(**values)
        self.days = days
        self.day.description = f"The day starts at midnight in {days.words}."

    def validate_start(self, field: Field) -> None:
        if field.data == FROM_DAY and self.day.data is None and not self.day.errors:
            raise StopValidation("Choose the first day below.")

    def validate_day(self, field: Field) -> None:
        if self.start.data == FROM_DAY and field.data and field.data < EARLIEST.date():
            raise ValidationError("Big Cartel had no orders that early. Check the year.")

    def starts_at(self, now: datetime) -> datetime | None:
        """Return the time from which orders are sent, or None for all. The form must be valid."""
        if self.start.data == ALL:
            return None
        return now if self.start.data == ONLY_NEW else self.days.zone.start_of(cast("date", self.day.data))


class GoLiveForm(ReasonMixin, ChoiceForm):
    """The confirmed choice."""

    class Meta:
        csrf = True
