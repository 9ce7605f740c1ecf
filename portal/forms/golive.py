"""Going live: reading and asking on request, and the choice of orders."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, cast

from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.validators import InputRequired, Optional, StopValidation, ValidationError

from portal.forms.common import DayField, ReasonMixin
from portal.forms.connect import prefix_field_ids
from portal.fulfillment.poll.read import EARLIEST

if TYPE_CHECKING:
    from datetime import date

    from wtforms import Field

ALL, FROM_A_DAY, ONLY_NEW = "all", "day", "new"


class ReadForm(ReasonMixin, FlaskForm):
    """Read the orders now."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        prefix_field_ids(self, "read")


class AskForm(ReasonMixin, FlaskForm):
    """Ask the FCP for its verdict."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        prefix_field_ids(self, "ask")


class ChoiceForm(FlaskForm):
    """Which orders are sent. It comes from the address, so that nothing happens before the confirmation."""

    class Meta:
        csrf = False

    start = RadioField(
        "Which orders are sent",
        [InputRequired("Choose which orders are to be sent.")],
        choices={
            ALL: "All unshipped orders",
            FROM_A_DAY: "Only those placed from a day on",
            ONLY_NEW: "Only new ones, placed from now on",
        },
    )
    day = DayField("First day", [Optional()], description="The day begins at midnight UTC.")

    def validate_start(self, field: Field) -> None:
        if field.data == FROM_A_DAY and self.day.data is None and not self.day.errors:
            raise StopValidation("Choose the first day below as well.")

    def validate_day(self, field: Field) -> None:
        if self.start.data == FROM_A_DAY and field.data and field.data < EARLIEST.date():
            raise ValidationError("Big Cartel had no orders then. Check the year.")

    def starts_at(self, now: datetime) -> datetime | None:
        """The time from which on orders are sent; None for all. The form is valid."""
        if self.start.data == ALL:
            return None
        return now if self.start.data == ONLY_NEW else datetime.combine(cast("date", self.day.data), time.min, UTC)


class GoLiveForm(ReasonMixin, ChoiceForm):
    """The same choice, confirmed."""

    class Meta:
        csrf = True
