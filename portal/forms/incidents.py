"""Filters of support's incidents and messages, and the form that acknowledges an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_wtf import FlaskForm
from sqlalchemy.orm import defer
from wtforms import HiddenField, StringField
from wtforms.validators import Length, Optional, Regexp

from portal.forms.common import FilterForm, ReasonMixin, choice_of, one_line
from portal.incidents.kinds import KINDS
from portal.models import Incident, IncidentKind, Message, MessageKind
from portal.reports.store_days import UTC_DAYS
from portal.wording.messages import DELIVERY_LABELS, MESSAGE_LABELS, Delivery

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from portal.reports.store_days import Days


class _OfEveryMerchant(FilterForm):
    """Filters across all merchants. Days are in UTC, because stores differ in their zones."""

    merchant = StringField(
        "Merchant Id", [Optional(), Regexp(r"\d{1,9}$", message="Enter the Merchant Id as a number.")]
    )

    def days_shown(self) -> Days:
        return UTC_DAYS


class IncidentFilters(_OfEveryMerchant):
    kind = choice_of("Kind", {kind: row.label for kind, row in KINDS.items()}, everything="Any")

    def narrow(self, query: Select[Incident]) -> Select[Incident]:
        """Return the matching incidents. The day filters apply to when an incident began."""
        if merchant_id := self.value("merchant"):
            query = query.where(Incident.merchant_id == int(merchant_id))
        if kind := self.value("kind"):
            query = query.where(Incident.kind == IncidentKind(kind))
        return self.within_days(query, Incident.opened_at)


class MessageFilters(_OfEveryMerchant):
    result = choice_of("Result", DELIVERY_LABELS, everything="Any")
    kind = choice_of("Kind", MESSAGE_LABELS, everything="Any")
    to = StringField(
        "Address", [Length(max=100)], filters=[one_line], description="Part of an email address or webhook."
    )

    def narrow(self, query: Select[Message]) -> Select[Message]:
        """Return the matching messages without their texts. The day filters apply to when a message was written."""
        if merchant_id := self.value("merchant"):
            query = query.where(Message.merchant_id == int(merchant_id))
        if result := self.value("result"):
            query = query.where(*_with_result(Delivery(result)))
        if kind := self.value("kind"):
            query = query.where(Message.kind == MessageKind(kind))
        if to := self.value("to"):
            query = query.where(Message.recipient.icontains(to, autoescape=True))
        return self.within_days(query, Message.created_at).options(defer(Message.text), defer(Message.html))


def _with_result(result: Delivery) -> list[ColumnElement[bool]]:
    """Return the conditions for what portal.wording.messages.delivery says of a message."""
    if result is Delivery.SENT:
        return [Message.sent_at.is_not(None)]
    unsent = Message.sent_at.is_(None)
    match result:
        case Delivery.WAITING:
            return [unsent, Message.next_attempt_at.is_not(None), Message.error == ""]
        case Delivery.RETRYING:
            return [unsent, Message.next_attempt_at.is_not(None), Message.error != ""]
        case Delivery.FOLDED:
            return [unsent, Message.next_attempt_at.is_(None), Message.folded_into.is_not(None)]
        case Delivery.FAILED:
            return [unsent, Message.next_attempt_at.is_(None), Message.folded_into.is_(None)]


class AcknowledgeForm(ReasonMixin, FlaskForm):
    """A person knows about the incident; only support is asked for a reason."""


class AcknowledgeForAllForm(AcknowledgeForm):
    """Support knows about an incident that concerns every merchant."""

    incident = HiddenField()
