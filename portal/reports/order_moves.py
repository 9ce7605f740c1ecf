"""The moves of one order, read from its events: what it became, what ended, after how long and why."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from portal.fulfillment.rulebook import stored_hold
from portal.models import OrderState
from portal.wording.history import for_how_long, why
from portal.wording.states import STATE_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from portal.models import OrderEvent, StoredHold


@dataclass(frozen=True, slots=True)
class Move:
    """What happened to an order at one moment. An order may pass through several states in it."""

    at: datetime
    from_state: OrderState | None
    to_state: OrderState
    holds: Sequence[StoredHold]
    """Its holds after the move."""
    reason: str
    actor: str
    ended_holds: Sequence[StoredHold] = ()
    since: datetime | None = None
    """Since when it was in ``from_state``, if we know."""

    @property
    def is_of_sending(self) -> bool:
        """Whether it ended a sending: the attempt says that, with the warehouse's words."""
        return self.from_state is OrderState.SUBMITTING

    @property
    def title(self) -> str:
        """Return what the order became or, after a hold, what ended."""
        if self.to_state is OrderState.HELD:
            return f"On hold: {_listed(self.holds)}" if self.holds else STATE_LABELS[OrderState.HELD]
        if self.from_state is OrderState.HELD and self.to_state is OrderState.READY:
            return _with(self._ended(), why(self.reason, self.actor))
        return STATE_LABELS[self.to_state]

    @property
    def note(self) -> str:
        """Return what ended and why, unless the title says it."""
        reason = why(self.reason, self.actor)
        if self.from_state is OrderState.HELD and self.to_state is OrderState.READY:
            return ""
        if self.from_state is self.to_state or self.from_state is None:
            return _sentence(reason)
        if self.to_state is OrderState.CLOSED:
            return " ".join(filter(None, (_sentence(self.reason), _sentence(self.what_ended))))
        return _sentence(_with(self.what_ended, reason))

    @property
    def what_ended(self) -> str:
        """Return the state that ended and how long it lasted, "" if we don't know or it still lasts."""
        if self.since is None or self.from_state is self.to_state:
            return ""
        return self._ended()

    def _ended(self) -> str:
        assert self.from_state is not None  # noqa: S101 - a new order left no state
        label = STATE_LABELS[self.from_state]
        if self.since is not None:
            label = f"{label} for {for_how_long(self.at - self.since)}"
        elif self.from_state is OrderState.HELD:
            label = "No longer on hold"
        return f"{label}: {_listed(self.ended_holds)}" if self.ended_holds else label


def moves_of(events: Iterable[OrderEvent], *, accepted_at: datetime | None) -> list[Move]:
    """Return the moves that the events tell, oldest first. ``accepted_at`` is when the warehouse took the order.

    Events of the same moment are one move: a retry takes a rejected order off its rejection and assesses it at once.
    """
    moves: list[Move] = []
    before: OrderEvent | None = None
    entered_at: datetime | None = None
    for at, group in groupby(sorted(events, key=lambda event: event.id), key=lambda event: event.at):
        some = list(group)
        first, last = some[0], some[-1]
        follows = before is not None and before.to_state is first.from_state
        since = entered_at if follows and first.from_state is not OrderState.READY else None
        if since is None and first.from_state is OrderState.SUBMITTED:
            since = accepted_at
        moves.append(
            Move(
                at,
                first.from_state,
                last.to_state,
                last.holds if last.to_state is OrderState.HELD else (),
                next((event.reason for event in some if event.reason), ""),
                next((event.actor for event in some if event.actor), ""),
                before.holds if before is not None and follows and first.from_state is OrderState.HELD else (),
                since,
            )
        )
        if first.from_state is not last.to_state or not follows:
            entered_at = at
        before = last
    return moves


def _listed(holds: Sequence[StoredHold]) -> str:
    return "; ".join(stored_hold(hold).headline.rstrip(".") for hold in holds)


def _with(what: str, reason: str) -> str:
    return " · ".join(filter(None, (what, reason)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
