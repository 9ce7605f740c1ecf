"""Filters of the order list, and the forms that confirm an action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from portal.actions.orders import Action
from portal.forms.common import REASON_LENGTH, STORES_ZONE, NumberFilterForm, ReasonMixin, choice_of, one_line
from portal.models import Order, OrderState
from portal.reports.order_conditions import held_for, in_state, needs_attention
from portal.rules.hold_reasons import HoldReason
from portal.rules.shipping import ShippingCode
from portal.wording.states import STATE_LABELS

if TYPE_CHECKING:
    from sqlalchemy import Select


ATTENTION = "attention"
OLDEST = "oldest"


class OrderFilters(NumberFilterForm):
    needs = SelectField("Needs", choices={"": "All", ATTENTION: "Needs attention"}, default="")
    state = choice_of("State", STATE_LABELS, everything="All")
    hold = choice_of(
        "Hold reason",
        {reason: reason.row.label for reason in HoldReason},
        everything="Any reason",
    )
    warehouse_status = StringField("Warehouse status", [Length(max=500)], filters=[one_line])
    shipping = choice_of("Shipping code", {code: code.value for code in ShippingCode}, everything="Both")

    sort = SelectField("Sort by", choices={"": "Newest first", OLDEST: "Oldest first"}, default="")

    zone = SelectField("Days", choices={"": "Yours", STORES_ZONE: "The store's"}, default="")

    @property
    def is_oldest_first(self) -> bool:
        return bool(self.value("sort") == OLDEST)

    def is_used(self) -> bool:
        """Return whether a filter narrows the list; how it is sorted, and whose days it means, don't."""
        return any(self.value(name) for name in self._fields if name not in {"sort", "zone"})

    def is_narrowed(self) -> bool:
        """Return whether anything but the tabs above the list narrows it."""
        return any(self.value(name) for name in self._fields if name not in {"sort", "zone", "state", "needs"})

    def narrow(self, query: Select[Any], *, in_any_state: bool = False) -> Select[Any]:
        """Return the matching orders. The day filters apply to when an order was placed.

        ``in_any_state`` leaves out what the tabs above the list narrow: the state, and whether it needs attention.
        """
        if not in_any_state:
            if self.value("needs"):
                query = query.where(needs_attention())
            if state := self.value("state"):
                query = query.where(in_state(OrderState(state)))
        if self.numbered is not None:
            query = query.where(self.numbered)
        if reason := self.value("hold"):
            query = query.where(Order.state == OrderState.HELD, held_for(HoldReason(reason)))
        if status := self.value("warehouse_status"):
            query = query.where(Order.fcp_status == status)
        if code := self.value("shipping"):
            query = query.where(Order.shipping_code == code)
        return self.within_days(query, Order.placed_at)


class Decision(Protocol):
    """What the form of every action provides."""

    def validate_on_submit(self) -> bool: ...

    def given_reason(self) -> str: ...


class DecisionForm(ReasonMixin, FlaskForm):
    """Confirm a retry or release; only support is asked for a reason."""


class ClosingForm(FlaskForm):
    """Confirm closing; everyone is asked for a reason, because the order shows it from then on."""

    reason = StringField(
        "Reason",
        [
            DataRequired("Say why this order shouldn't be sent. The reason stays with the order."),
            Length(max=REASON_LENGTH, message=f"Use at most {REASON_LENGTH} characters."),
        ],
        filters=[one_line],
        description="The order will show this reason with your name.",
    )

    def given_reason(self) -> str:
        return str(self.reason.data)


def decision_form(action: Action) -> Decision:
    return ClosingForm() if action is Action.CLOSE else DecisionForm()
