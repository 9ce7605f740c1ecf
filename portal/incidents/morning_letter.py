"""What the morning note says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.incidents import shown
from portal.incidents.kinds import fix_path
from portal.messages.letters import Item, Letter
from portal.models import OrderState
from portal.reports.order_conditions import TO_FIX
from portal.wording.counts import count_of
from portal.wording.history import for_how_long
from portal.wording.states import NEEDS_ATTENTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.models import Incident, Merchant
    from portal.reports.day_figures import DayFigures
    from portal.reports.overview import OpenOrders

MOST_INCIDENTS = 20
_STATES: Mapping[str, OrderState] = {
    "rejected": OrderState.REJECTED,
    "not_sent": OrderState.READY,
    "not_told": OrderState.SHIPPED,
    "lost": OrderState.SUBMITTED,
}


@dataclass(frozen=True, slots=True)
class Morning:
    """What the note is about."""

    merchant: Merchant
    days_in: str
    yesterday: DayFigures
    orders: OpenOrders
    incidents: Sequence[Incident]

    @property
    def is_empty(self) -> bool:
        return self.yesterday.is_quiet and not self.orders.needing_attention and not self.incidents


def letter(morning: Morning) -> Letter:
    day = morning.yesterday.day
    attention = list(_attention(morning))
    return Letter(
        subject=_subject(morning),
        heading=f"{morning.merchant.name}: {day:%A, %B} {day.day}",
        paragraphs=[
            *_sentences(morning.yesterday),
            f"The day is in {morning.days_in}.",
            "What needs attention now is listed below." if attention else "Nothing needs attention now.",
        ],
        items=[*attention, *_yesterdays_orders(morning)],
        button="View dashboard",
        path=f"/m/{morning.merchant.id}/",
    )


def _subject(morning: Morning) -> str:
    """Return the facts in one line: "18 orders sent, 2 need attention"."""
    figures, attention = morning.yesterday, morning.orders.needing_attention
    if figures.sent:
        first = f"{count_of(figures.sent, 'order')} sent"
    elif figures.placed:
        first = f"{count_of(figures.placed, 'order')} placed, none sent"
    elif figures.shipped:
        first = f"{count_of(figures.shipped, 'order')} shipped"
    else:
        first = ""
    if attention:
        needs = "needs" if attention == 1 else "need"
        second = f"{attention} {needs} attention" if first else f"{count_of(attention, 'order')} {needs} attention"
    else:
        second = count_of(len(morning.incidents), "open incident") if morning.incidents else ""
    return ", ".join(filter(None, (first, second)))


def _sentences(figures: DayFigures) -> Iterator[str]:
    yield (
        f"Yesterday, {count_of(figures.placed, 'order')} {_were(figures.placed)} placed, "
        f"{figures.sent} {_were(figures.sent)} sent to the warehouse, "
        f"and {figures.shipped} {_were(figures.shipped)} shipped and marked as shipped in Big Cartel."
    )
    if figures.half_within is not None:
        took = for_how_long(figures.half_within)
        if figures.sent == 1:
            yield f"The order reached the warehouse {took} after its purchase."
        else:
            yield f"Half of the orders reached the warehouse within {took} of their purchase."


def _attention(morning: Morning) -> Iterator[Item]:
    """Yield what needs attention, each with the page of its fix: the incidents first, then what they don't cover."""
    home = f"/m/{morning.merchant.id}"
    incidents, orders = morning.incidents, morning.orders
    for incident in incidents[:MOST_INCIDENTS]:
        yield Item(incident.title, fix_path(incident.kind, merchant=morning.merchant.id, subject=incident.subject))
    if len(incidents) > MOST_INCIDENTS:
        yield Item(f"{count_of(len(incidents) - MOST_INCIDENTS, 'more open incident')}", f"{home}/incidents")
    for figure, count in shown.figures(orders).items():
        if count and figure not in shown.explained(incidents, orders):
            is_all = count == orders.count(_STATES[figure])
            path = f"{home}/orders?state={_STATES[figure]}" if is_all else f"{home}/incidents"
            yield Item(f"{count_of(count, 'order')}: {NEEDS_ATTENTION[figure]}", path)
    for reason in TO_FIX if orders.to_fix else ():
        if count := orders.holds.get(reason, 0):
            yield Item(
                f"{count_of(count, 'order')} on hold: {reason.row.label}", f"{home}/orders?state=held&hold={reason}"
            )


def _yesterdays_orders(morning: Morning) -> Iterator[Item]:
    figures = morning.yesterday
    if figures.placed:
        day = figures.day.isoformat()
        path = f"/m/{morning.merchant.id}/orders?from_day={day}&to_day={day}"
        yield Item(f"{count_of(figures.placed, 'order')} placed yesterday", path)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
