"""Filters of the attempt log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, select
from sqlalchemy.orm import defer, joinedload
from wtforms import StringField
from wtforms.validators import Optional, Regexp

from portal.forms.common import NumberFilterForm, choice_of
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order
from portal.reports.store_days import UTC_DAYS
from portal.wording.attempts import KIND_LABELS, OUTCOME_LABELS

if TYPE_CHECKING:
    from sqlalchemy import Select

    from portal.reports.store_days import Days


class AttemptFilters(NumberFilterForm):
    outcome = choice_of("Outcome", OUTCOME_LABELS, everything="Any")
    kind = choice_of("Kind", KIND_LABELS, everything="Any")

    def narrow(self, query: Select[Any]) -> Select[Any]:
        """Return the matching attempts. The day filters apply to when an attempt started."""
        if outcome := self.value("outcome"):
            query = query.where(Attempt.outcome == AttemptOutcome(outcome))
            if outcome != AttemptOutcome.DONE:
                # As in the index of the few that aren't done, word for word.
                query = query.where(Attempt.outcome != literal_column(f"'{AttemptOutcome.DONE}'"))
        if kind := self.value("kind"):
            query = query.where(Attempt.kind == AttemptKind(kind))
        if self.numbered is not None:
            query = query.where(Attempt.order_id.in_(self.orders().where(self.numbered).with_only_columns(Order.id)))
        return self.within_days(query, Attempt.started_at)

    def rows(self, attempts: Select[Attempt]) -> Select[Attempt]:
        """Return the matching attempts with their order numbers, without request and response bodies."""
        number = joinedload(Attempt.order).load_only(Order.number)
        return self.narrow(attempts).options(defer(Attempt.request), defer(Attempt.answer), number)


class SupportAttemptFilters(AttemptFilters):
    """The same filters across all merchants, for support. Days are in UTC, because stores differ in their zones."""

    merchant = StringField(
        "Merchant Id", [Optional(), Regexp(r"\d{1,9}$", message="Enter the Merchant Id as a number.")]
    )

    def narrow(self, query: Select[Any]) -> Select[Any]:
        if merchant_id := self.value("merchant"):
            query = query.where(Attempt.merchant_id == int(merchant_id))
        return super().narrow(query)

    def orders(self) -> Select[Order]:
        return select(Order)

    def store_ids(self) -> None:
        return None

    def days_shown(self) -> Days:
        return UTC_DAYS
