"""Filters of the product list, SKUs set by hand, and a description to try."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from portal.forms.common import ReasonMixin
from portal.reports.product_list import Filters
from portal.reports.sku_file import Entry
from portal.rules.sku_by_hand import MAX_OVERRIDE, WHOLE, why_unusable
from portal.rules.visible_text import MAX_DESCRIPTION, clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wtforms import Field

    from portal.reports.sku_file import SkuChange

MAX_SEARCH = 100
MAX_OPTIONS = 100
"""Maximum number of option lines in a preview."""
_WHOLE_FIELD = "whole_product"


def visible(text: str | None) -> str:
    return clean(text or "")


class ProductFilters(FlaskForm):
    """Filters taken from the query string, which makes them bookmarkable and keeps them across pages."""

    class Meta:
        csrf = False

    q = StringField("Product or SKU", [Length(max=MAX_SEARCH)], filters=[visible])
    problems = BooleanField("Only problems")

    def __init__(self) -> None:
        super().__init__(formdata=request.args)

    def wanted(self) -> Filters:
        return Filters(words=(self.q.data or "")[:MAX_SEARCH], only_problems=bool(self.problems.data))


class RefreshForm(ReasonMixin, FlaskForm):
    """Sync the product list; only support is asked for a reason."""


class RemoveForm(ReasonMixin, FlaskForm):
    """Remove the SKU set by hand for an option or for the whole product."""

    option_id = HiddenField()


class OverridesForm(ReasonMixin, FlaskForm):
    """The SKUs set by hand for one product: one field for the whole product and one per option, named by its id."""

    def wanted(self) -> dict[str, str]:
        """Return the entered texts by option id, as overrides.set_skus takes them."""
        return {option_id: str(field.data or "") for option_id, field in self.fields_by_option().items()}

    def fields_by_option(self) -> dict[str, Field]:
        return {
            WHOLE if name == _WHOLE_FIELD else name.removeprefix("option_"): field
            for name, field in self._fields.items()
            if name == _WHOLE_FIELD or name.startswith("option_")
        }

    def fit_into_list(self, product_id: str, skus: Mapping[str, str]) -> None:
        """Give the fields ids that no other form in the list has, and show each option's SKU where it is entered."""
        for field in self:
            field.id = field.label.field_id = f"{field.id}-{product_id}"
        fields = self.fields_by_option()
        for option_id, sku in skus.items():
            entered = WHOLE if len(fields) == 1 else option_id
            if sku and entered in fields:
                fields[entered].render_kw = {**(fields[entered].render_kw or {}), "placeholder": sku}


def overrides_form(names: Mapping[str, str], present: Mapping[str, str], lost: Mapping[str, str]) -> OverridesForm:
    """Return the form for a product's options (names by id), filled with its overrides (texts by option id).

    ``lost`` are options that the product no longer has, but that orders still need.
    """

    class Form(OverridesForm):
        pass

    real = {option_id: name for option_id, name in names.items() if option_id != WHOLE}
    label = "SKU for the whole product" if any(real.values()) else "SKU"
    hint = "The option name is added directly after it, so end it with a hyphen: SHIRT- gives SHIRT-SMALL."
    setattr(Form, _WHOLE_FIELD, _sku_field(label, list(real.values()), hint if any(real.values()) else ""))
    for option_id, name in real.items():
        if any(real.values()) or option_id in present:
            setattr(Form, f"option_{option_id}", _sku_field(f"SKU for {name or 'the option without a name'}", [""]))
    for option_id, name in lost.items():
        setattr(Form, f"option_{option_id}", _sku_field(f"SKU for {name} (no longer in Big Cartel)", [""]))
    data = {_WHOLE_FIELD if option_id == WHOLE else f"option_{option_id}": sku for option_id, sku in present.items()}
    return Form(data=data)


def _sku_field(label: str, names: Sequence[str], description: str = "") -> StringField:
    def can_be_sent(_form: FlaskForm, field: Field) -> None:
        if field.data and (why := why_unusable(field.data, names)):
            raise ValidationError(why)

    return StringField(
        label,
        [can_be_sent],
        filters=[visible],
        description=description,
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": MAX_OVERRIDE},
    )


class TryForm(FlaskForm):
    """A description to preview before saving it in Big Cartel."""

    description = TextAreaField(
        "Description",
        description="Paste all of it, or just the end.",
        render_kw={"rows": 6, "spellcheck": "false", "maxlength": MAX_DESCRIPTION},
    )
    options = TextAreaField(
        "Options, one per line",
        description="Leave empty for a product without options.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )

    def option_names(self) -> list[str]:
        lines = (visible(line) for line in (self.options.data or "").splitlines())
        return [line for line in lines if line][:MAX_OPTIONS]


class UploadForm(FlaskForm):
    """The catalog check as a file, edited."""

    file = FileField("CSV file", [FileRequired("Choose a CSV file.")], render_kw={"accept": ".csv,.txt,.tsv,text/csv"})


class ChangesForm(ReasonMixin, FlaskForm):
    """The changes of an uploaded file that a person has seen. They are checked again when they are saved."""

    changes = HiddenField()

    def put(self, changes: Sequence[SkuChange]) -> None:
        rows = [[one.number, one.product_id, one.option_id, one.before, one.after] for one in changes]
        self.changes.data = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))

    def entries(self) -> list[Entry]:
        """Return the changes as rows of a file, none if somebody has tampered with them."""
        try:
            rows = json.loads(self.changes.data or "")
            # JSON can have lone surrogates, which are no text that a page could show.
            json.dumps(rows, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return []
        found = [_entry(row) for row in rows] if isinstance(rows, list) else []
        return [] if None in found else [one for one in found if one is not None]


def _entry(row: object) -> Entry | None:
    match row:
        case [int(number), str(product_id), str(option_id), str(before), str(after)]:
            return Entry(number, product_id, option_id, wanted=visible(after), downloaded=before)
    return None
