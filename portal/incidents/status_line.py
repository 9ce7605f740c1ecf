"""The line at the top of every page: does everything work, since when not, and what happens next.

It is made from what is true now (services, stores, credentials, orders) and from the open incidents, so that no page
says that all is well beside a page that says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, literal_column, or_, select

from portal.fulfillment import hosts
from portal.incidents.kinds import KINDS, OF_THE_ENGINE, fix_path
from portal.incidents.shown import worst_first
from portal.models import Attempt, AttemptKind, AttemptOutcome, Incident, IncidentKind, Order, OrderState
from portal.reports.attention import Kind, problems
from portal.reports.order_conditions import attention_parts
from portal.rules.visible_text import shorten
from portal.wording.counts import count_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.models import Merchant, Store
    from portal.reports.attention import Problem

LONGEST_HEADLINE = 120
LATEST_SENDS = 200
"""Attempts to send that are looked through for the last success. During an outage there may be no success in them."""
_K = IncidentKind
_STATED = frozenset({_K.HOST_FAILING, _K.CREDENTIALS_REJECTED, _K.RECONNECT_NEEDED, _K.STORE_NOT_SYNCED})
"""What the merchant's and the stores' own rows say at once."""
_STOPS = frozenset({Kind.RECONNECT, Kind.CREDENTIALS, Kind.OUTAGE})
_WAITING = (OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED)


class Level(StrEnum):
    TROUBLE = "trouble"
    """Something that orders need doesn't work."""
    ATTENTION = "attention"
    """Everything works, and a person has to look at something."""
    IDLE = "idle"
    """Nothing is sent, by choice or because setup isn't complete."""
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Fact:
    """A few words, and the moment that they end with: "last order sent" 40 seconds ago, or "next try" in 25 seconds."""

    words: str
    at: datetime | None = None
    is_ahead: bool = False


@dataclass(frozen=True, slots=True)
class StatusLine:
    """``headline`` says what is so, ``since`` when it began; ``button`` leads to the fix at ``path``."""

    level: Level
    headline: str
    since: datetime | None = None
    facts: Sequence[Fact] = ()
    button: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class _Figures:
    waiting: int
    some_need_attention: bool
    last_sent: datetime | None


def of_merchant(session: Session, merchant: Merchant, stores: Sequence[Store], now: datetime) -> StatusLine:
    """Return the line for a merchant's pages, in three queries. The first thing that is so, of these, is said."""
    connected = [store for store in stores if store.sealed_token]
    if not connected:
        return StatusLine(Level.IDLE, "No store is connected yet", button="Connect store", path="/connect")
    found = problems(merchant, stores, hosts.all_failing(session), now)
    incidents = _open_incidents(session, or_(Incident.merchant_id == merchant.id, Incident.merchant_id.is_(None)))
    figures = _figures(session, merchant)
    waiting = (Fact(f"{count_of(figures.waiting, 'order')} waiting, nothing is lost"),) if figures.waiting else ()
    return (
        _stopped(found, waiting, merchant)
        or _slowed(incidents, waiting)
        or _not_live(connected, merchant)
        or _attention(incidents, figures, merchant)
        or _by_choice(merchant, waiting)
        or StatusLine(Level.OK, "Everything is syncing", facts=_successes(figures, connected))
    )


def of_everyone(session: Session) -> StatusLine:
    """Return the line for support's pages, in one query."""
    incidents = worst_first(_open_incidents(session, None))
    if not incidents:
        return StatusLine(Level.OK, "No open incidents")
    merchants = len({one.merchant_id for one in incidents if one.merchant_id is not None})
    facts = [Fact(f"{count_of(len(incidents) - 1, 'more open incident')}")] if len(incidents) > 1 else []
    if merchants:
        facts.append(Fact(f"{count_of(merchants, 'merchant')} affected"))
    worst = incidents[0]
    level = Level.TROUBLE if KINDS[worst.kind].stops_orders else Level.ATTENTION
    return StatusLine(level, _headline(worst), worst.opened_at, facts, "View incidents", "/support/incidents")


def _open_incidents(session: Session, whose: ColumnElement[bool] | None) -> Sequence[Incident]:
    query = select(Incident).where(Incident.closed_at.is_(None))
    return session.scalars(query if whose is None else query.where(whose)).all()


def _stopped(found: Sequence[Problem], waiting: tuple[Fact, ...], merchant: Merchant) -> StatusLine | None:
    worst = next((one for one in found if one.kind in _STOPS), None)
    if worst is None:
        return None
    facts = (*waiting, Fact("next try", worst.next_try_at, is_ahead=True)) if worst.next_try_at else waiting
    match worst.kind:
        case Kind.CREDENTIALS:
            kind = _K.CREDENTIALS_REJECTED
            button, path = KINDS[kind].button, fix_path(kind, merchant=merchant.id)
        case Kind.RECONNECT:
            button, path = "Reconnect store", "/connect"
        case _:
            button, path = "", ""
    return StatusLine(Level.TROUBLE, worst.headline, worst.since, facts, button, path)


def _slowed(incidents: Sequence[Incident], waiting: tuple[Fact, ...]) -> StatusLine | None:
    """Say that no worker runs, for example: merchants needn't know what, only that it isn't them."""
    began = [one.opened_at for one in incidents if one.kind in OF_THE_ENGINE]
    if not began:
        return None
    facts = (*waiting, Fact("we know about it"))
    return StatusLine(Level.TROUBLE, "Something on our side has been slowing things down", min(began), facts)


def _not_live(connected: Sequence[Store], merchant: Merchant) -> StatusLine | None:
    if any(store.live for store in connected):
        return None
    facts = (Fact("nothing is sent until you go live"),)
    return StatusLine(
        Level.IDLE, "Setup isn't complete", facts=facts, button="Complete setup", path=f"/m/{merchant.id}/setup"
    )


def _attention(incidents: Sequence[Incident], figures: _Figures, merchant: Merchant) -> StatusLine | None:
    theirs = worst_first(one for one in incidents if KINDS[one.kind].tells_merchant and one.kind not in _STATED)
    here = f"/m/{merchant.id}"
    if len(theirs) > 1:
        facts = (Fact(count_of(len(theirs) - 1, "more open incident")),)
        return StatusLine(Level.ATTENTION, _headline(theirs[0]), None, facts, "View dashboard", f"{here}/")
    if theirs:
        kind = theirs[0].kind
        path = fix_path(kind, merchant=merchant.id, subject=theirs[0].subject)
        return StatusLine(Level.ATTENTION, _headline(theirs[0]), button=KINDS[kind].button, path=path)
    if figures.some_need_attention:
        return StatusLine(
            Level.ATTENTION, "Some orders need attention", button="View orders", path=f"{here}/orders?needs=attention"
        )
    return None


def _headline(incident: Incident) -> str:
    return shorten(incident.title, LONGEST_HEADLINE)


def _by_choice(merchant: Merchant, waiting: tuple[Fact, ...]) -> StatusLine | None:
    if not merchant.paused and not merchant.test_mode:
        return None
    words = "Sending is paused" if merchant.paused else "Test mode is on, so no real orders are sent"
    return StatusLine(Level.IDLE, words, None, waiting, "Change settings", f"/m/{merchant.id}/settings")


def _successes(figures: _Figures, stores: Sequence[Store]) -> Sequence[Fact]:
    synced = [store.last_polled_at for store in stores if store.last_polled_at is not None]
    facts = [Fact("last order sent", figures.last_sent)] if figures.last_sent else []
    # The store that was synced longest ago: the line is about all of them.
    return [Fact("last synced", min(synced)), *facts] if synced else facts


def _figures(session: Session, merchant: Merchant) -> _Figures:
    """Return in one query what the line needs to know of the merchant's orders. Each part reads a few index rows."""
    mine = Order.merchant_id == merchant.id
    waiting = select(func.count()).where(mine, Order.state.in_(_WAITING)).scalar_subquery()
    # One search per state: each ends at its first order, which an index finds.
    needing = or_(*(exists().where(mine, part) for part in attention_parts()))
    latest = (
        select(Attempt.started_at, Attempt.outcome)
        # As in the index, word for word.
        .where(Attempt.merchant_id == merchant.id, Attempt.kind == literal_column(f"'{AttemptKind.SUBMIT}'"))
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        .limit(LATEST_SENDS)
        .subquery()
    )
    sent = select(func.max(latest.c.started_at)).where(latest.c.outcome == AttemptOutcome.DONE).scalar_subquery()
    found = session.execute(select(waiting, needing, sent)).one()
    return _Figures(found[0], found[1], found[2])
