"""What forms share: the reason that support gives, and filters kept in the query string."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import DateField, Field, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import TextInput

from portal import access, current
from portal.models import Order
from portal.models.account import merchant_id_in
from portal.reports.order_numbers import numbered
from portal.reports.store_days import days_of, readers_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import InstrumentedAttribute

    from portal.models import Store
    from portal.reports.store_days import Days

REASON_LENGTH = 500
ZONE_COOKIE = "tz"
"""The cookie in which the pages' script keeps the browser's time zone."""
STORES_ZONE = "store"


def one_line(text: str | None) -> str:
    """Return the text without unprintable characters, with each run of whitespace as one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())


class ReasonMixin:
    """A reason field for support, unless their visit already has a reason.

    The reason goes into the audit trail, which the merchant can read.
    """

    reason = StringField(
        "Reason",
        [
            DataRequired("Say why. The merchant can read this in the audit trail."),
            Length(max=REASON_LENGTH, message=f"Use at most {REASON_LENGTH} characters."),
        ],
        filters=[one_line],
        description="You're acting for this merchant. The audit trail will show this reason with your name.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not access.as_support():
            del self.reason

    def given_reason(self) -> str:
        """Return the reason, or that of support's visit, or an empty string when a merchant acts."""
        field: Field | None = getattr(self, "reason", None)
        if field is not None:
            return str(field.data)
        visit = access.visit()
        return visit.reason if visit else ""


class MerchantIdField(IntegerField):
    """A Merchant Id, typed with or without leading zeros and in the digits of any script."""

    widget = TextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = merchant_id_in(valuelist[0]) if valuelist else None
        if valuelist and self.data is None:
            raise ValueError("This isn't a Merchant Id. Enter a whole number, for example 816.")


class DayField(DateField):
    """A calendar day. When it starts depends on the store's time zone."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError("Enter the day as YYYY-MM-DD.") from error


def choice_of(label: str, words: Mapping[Any, str], *, everything: str) -> SelectField:
    """Return a select that filters by one enum member, shown by its label; the empty choice filters nothing."""
    choices = {"": everything} | {member.value: shown for member, shown in words.items()}
    return SelectField(label, choices=choices, default="")


class FilterForm(FlaskForm):
    """Filters taken from the query string, which makes them bookmarkable and keeps them across pages.

    An invalid filter shows an error beside its field and filters nothing.
    """

    class Meta:
        csrf = False

    from_day = DayField("From", [Optional()])
    to_day = DayField("To", [Optional()])

    def __init__(self) -> None:
        super().__init__(formdata=request.args)
        self.days = self.days_shown()
        self.from_day.description = f"Days in {self.days.words}."
        self.validate()

    def days_shown(self) -> Days:
        """Return the days that the filters mean: the reader's, if the browser said its time zone, else the store's.

        A figure that counts the store's days leads to a list of the same days, whoever reads it.
        """
        reader = readers_days(request.cookies.get(ZONE_COOKIE, ""))
        return reader if reader and request.args.get("zone") != STORES_ZONE else days_of(self.own_stores)

    @cached_property
    def own_stores(self) -> list[Store]:
        return access.stores()

    def validate_to_day(self, field: Field) -> None:
        if field.data and self.from_day.data and field.data < self.from_day.data:
            raise ValidationError("This day is before the “From” day.")

    def value(self, name: str) -> Any:
        """Return the value to filter by, or None."""
        field = self[name]
        return None if field.errors or not field.data else field.data

    def is_used(self) -> bool:
        return any(self.value(name) for name in self._fields)

    def address(self) -> dict[str, Any]:
        """Return the filters in use as URL arguments."""
        return {name: str(value) for name in self._fields if (value := self.value(name))}

    def within_days(self, query: Select[Any], moment: InstrumentedAttribute[Any]) -> Select[Any]:
        if first := self.value("from_day"):
            query = query.where(moment >= self.days.zone.start_of(first))
        if last := self.value("to_day"):
            query = query.where(moment < self.days.zone.end_of(last))
        return query


class NumberFilterForm(FilterForm):
    """Filters with an order number."""

    number = StringField("Order number", [Length(max=100)], filters=[one_line], description="Full or partial number.")

    def orders(self) -> Select[Order]:
        """Return the orders that may have the number."""
        return access.owned(Order)

    def store_ids(self) -> Sequence[int] | None:
        """Return the stores of these orders; None if they are of all stores."""
        return [store.id for store in self.own_stores]

    @cached_property
    def numbered(self) -> ColumnElement[bool] | None:
        """The condition for the orders with this number, or with this part of it; None without a number."""
        number = self.value("number")
        return numbered(current.session(), number, self.store_ids()) if number else None
