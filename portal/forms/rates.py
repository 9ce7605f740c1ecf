"""How a store's shipping rates are treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField

from portal.forms.common import ReasonMixin
from portal.models import RateMark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wtforms import Field

    from portal.reports.rates import Rate

_CHOICES = {RateMark.ALWAYS.value: "Always send", RateMark.NEVER.value: "Never send"}


class RatesForm(ReasonMixin, FlaskForm):
    """One choice per rate. Each comes with its rate's name: the list may have changed since the page was shown."""

    def wanted(self) -> dict[str, RateMark | None]:
        """Return the chosen marks by rate name."""
        marks = {str(self[f"name_{number}"].data): field.data for number, field in self._choices()}
        return {name: RateMark(mark) if mark else None for name, mark in marks.items() if name}

    def rows(self) -> list[Field]:
        return [field for _, field in self._choices()]

    def _choices(self) -> list[tuple[str, Field]]:
        return [(name.removeprefix("mark_"), self[name]) for name in self._fields if name.startswith("mark_")]


def rates_form(rates: Sequence[Rate]) -> RatesForm:
    """Return the form for these rates, filled with their marks."""

    class Form(RatesForm):
        pass

    for number, rate in enumerate(rates):
        guess = "Automatic: hold as a pickup" if rate.sounds_like_pickup else "Automatic: send"
        setattr(Form, f"name_{number}", HiddenField())
        setattr(Form, f"mark_{number}", SelectField(rate.name, choices={"": guess} | _CHOICES))
    names = {f"name_{number}": rate.name for number, rate in enumerate(rates)}
    marks = {f"mark_{number}": rate.mark.value if rate.mark else "" for number, rate in enumerate(rates)}
    return Form(data=names | marks)
