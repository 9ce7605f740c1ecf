"""Assess orders and store the result: insert new orders, move or update known ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import or_, select

from portal.clients.bigcartel import read_stored
from portal.fulfillment import search_rows
from portal.fulfillment.order_columns import assessed_columns, closed_columns, ready_columns
from portal.fulfillment.poll.causes import read_causes
from portal.fulfillment.poll.changes import note_changes
from portal.fulfillment.poll.insert import NewOrder, insert_orders
from portal.fulfillment.poll.late import NONE_LATE, LateOrders, first_free_id
from portal.fulfillment.poll.products_to_fix import COMMITTED_WITHIN
from portal.fulfillment.poll.reopen import reopen
from portal.fulfillment.rulebook import Rulebook, rules_version
from portal.models import Order, OrderState, order_events
from portal.models.states import MAY_COME_BACK, ClosedBecause, OrderChange, OrderColumns, lock, move, rewrite
from portal.wording.history import CHANGED_IN_BIG_CARTEL, FIXED_IN_BIG_CARTEL, MARKED_BY_PERSON, SYNCED_LATE
from portal.wording.states import MARKED_IN_BIG_CARTEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.clients.bigcartel import BigCartelOrder
    from portal.fulfillment.poll.context import Poll
    from portal.fulfillment.poll.read import KnownOrder, Listed

CHUNK = 500


class _Verdict(NamedTuple):
    """An order's current state, the state it should be in, and the columns to set."""

    from_state: OrderState
    to_state: OrderState
    change: OrderChange


def save_changed(poll: Poll, changed: Sequence[Listed], late: LateOrders = NONE_LATE) -> None:
    """Store new orders and changes to known ones. Commits. ``late`` says which new ones may have been sent before."""
    now = poll.context.clock()
    book = Rulebook(poll.session)
    book.load([(poll.store.id, one.order) for one in changed])
    new: list[NewOrder] = []
    verdicts = []
    lock(poll.session, [one.known.id for one in changed if one.known is not None])
    for one in reopen(poll, changed, now):
        released = one.known.released_holds if one.known is not None else None
        unlisted_since = one.unlisted_since(now)
        edits = one.known.edits if one.known is not None else None
        assessment = book.assess(
            poll.store.id, one.order, released=released, edits=edits, unlisted_since=unlisted_since
        )
        columns: OrderColumns = {
            **assessed_columns(assessment, now),
            "document": one.document,
            "placed_at": one.order.placed_at,
            "updated_at": one.order.updated_at,
            "unlisted_since": unlisted_since,
        }
        to_state = OrderState.HELD if assessment.holds else OrderState.READY
        has_holds = bool(assessment.holds)
        place = late.place(one.order.number, now, has_holds=has_holds) if one.known is None else None
        if place is not None:
            row = _new_order(poll, one.order.number, place[0], columns, now)
            poll.result.new += _insert(poll, [cast("NewOrder", {**row, **place[1]})], [one.order], now, SYNCED_LATE)
        elif one.known is None:
            new.append(_new_order(poll, one.order.number, to_state, columns, now))
            poll.result.held += to_state is OrderState.HELD
        else:
            verdicts.append(_verdict(one, one.known, to_state, columns, now))
    poll.result.new += _insert(poll, new, [one.order for one in changed], now)
    note_changes(poll, changed, now)
    _apply(poll, verdicts, now)
    search_rows.refresh(poll.session, [one.known.id for one in changed if one.known is not None])
    poll.session.commit()


def _verdict(one: Listed, known: KnownOrder, to_state: OrderState, columns: OrderColumns, now: datetime) -> _Verdict:
    seen: OrderColumns = {"document": one.document, "unlisted_since": one.unlisted_since(now)}
    reason = _why(one, known, to_state)
    if known.state in MAY_COME_BACK:
        # One that the warehouse had canceled may have been purged before.
        seen["purged_at"] = None
        to_state, columns = known.state, {**seen, "updated_at": one.order.updated_at}
    elif one.is_marked_by_person:
        to_state, columns, reason = OrderState.COMPLETED, {**seen, "completed_at": now}, MARKED_BY_PERSON
    elif known.state is OrderState.SHIPPED:
        # It has just been opened again, and waits to be marked.
        to_state, columns = OrderState.SHIPPED, {**seen, "updated_at": one.order.updated_at}
    elif one.is_shipped:
        closing = closed_columns(MARKED_IN_BIG_CARTEL, ClosedBecause.MARKED)
        to_state, columns, reason = OrderState.CLOSED, {**seen, **closing}, ""
    elif known.state is OrderState.REJECTED:
        # A rejected order stays rejected until a person retries it; only its data is updated.
        to_state = OrderState.REJECTED
    return _Verdict(known.state, to_state, OrderChange(known.id, columns, reason=reason))


def _why(one: Listed, known: KnownOrder, to_state: OrderState) -> str:
    """Return why an order that was not sent is now on hold or released, "" if it did not change in Big Cartel."""
    was_just_reopened = known.closed_because is not None
    if was_just_reopened or not one.needs_work:
        return ""
    return CHANGED_IN_BIG_CARTEL if to_state is OrderState.HELD else FIXED_IN_BIG_CARTEL


def _apply(poll: Poll, verdicts: Sequence[_Verdict], now: datetime) -> None:
    """Move the orders whose state changes; update the others."""
    grouped: dict[tuple[OrderState, OrderState], list[OrderChange]] = defaultdict(list)
    for verdict in verdicts:
        grouped[verdict.from_state, verdict.to_state].append(verdict.change)
    for (from_state, to_state), changes in grouped.items():
        if from_state is to_state:
            rewrite(poll.session, changes, state=from_state)
            continue
        extra: OrderColumns = {}
        if to_state is OrderState.READY:
            extra = ready_columns(now)
        elif to_state is not OrderState.CLOSED:
            extra = {"next_attempt_at": None}
        moves = [replace(change, columns={**change.columns, **extra}) for change in changes]
        moved = move(poll.session, moves, from_state=from_state, to_state=to_state, now=now)
        if to_state is OrderState.READY:
            poll.result.released += moved
        elif to_state is OrderState.CLOSED:
            poll.result.closed += moved


def _new_order(poll: Poll, number: str, state: OrderState, columns: OrderColumns, now: datetime) -> NewOrder:
    return {
        **columns,
        "merchant_id": poll.store.merchant_id,
        "store_id": poll.store.id,
        "number": number,
        "state": state,
        "state_changed_at": now,
        "state_reason": "",
        "first_seen_at": now,
        "next_attempt_at": now if state is OrderState.READY else None,
        "released": False,
        "claim": "",
        "failures": 0,
        "fcp_order_id": "",
        "fcp_status": "",
        "shipped_on": "",
        "carrier": "",
        "tracking_numbers": [],
    }


def _insert(
    poll: Poll, rows: Sequence[NewOrder], orders: Sequence[BigCartelOrder], now: datetime, reason: str = ""
) -> int:
    """Insert the orders, skipping any that another worker has already inserted. Return how many were new.

    ``orders`` holds those of the rows, and maybe others.
    """
    if not rows:
        return 0
    first_id = first_free_id(poll.session)
    if first_id is not None:
        rows = [cast("NewOrder", {**row, "id": first_id + place}) for place, row in enumerate(rows)]
    inserted = insert_orders(poll.session, rows)
    for state in {row.state for row in inserted if row.state is not OrderState.READY}:
        told = [(row.id, row.merchant_id, row.holds) for row in inserted if row.state is state]
        order_events.insert_new(poll.session, told, state, now, reason)
    buyers = {order.number: order.address for order in orders}
    lines = {row["number"]: row["lines"] for row in rows}
    search_rows.insert(
        poll.session,
        [
            search_rows.Found(row.id, row.merchant_id, row.number, lines[row.number], buyer=buyers[row.number])
            for row in inserted
        ],
    )
    return len(inserted)


def seen_by_all(*version: datetime | None) -> datetime:
    """Return the time after which an assessment has seen every change that led to this version of the rules."""
    return max(filter(None, version)) + COMMITTED_WITHIN


def reassess_held(poll: Poll) -> None:
    """Reassess the held orders if a product, an override or the merchant's rules changed since. Commits.

    If nothing changed since the last time, reads none of them.
    """
    session, store, started = poll.session, poll.store, poll.context.clock()
    changed_at = seen_by_all(*rules_version(session, store.merchant_id))
    if store.held_assessed_at is not None and store.held_assessed_at > changed_at:
        return
    last_id = 0
    while True:
        rows = session.execute(
            select(
                Order.id,
                Order.document,
                Order.released_holds,
                Order.edits,
                Order.unlisted_since,
                Order.holds,
                Order.assessed_at,
            )
            .where(
                Order.store_id == store.id,
                Order.state == OrderState.HELD,
                or_(Order.assessed_at.is_(None), Order.assessed_at <= changed_at),
                Order.id > last_id,
            )
            .order_by(Order.id)
            .limit(CHUNK)
        ).all()
        if not rows:
            break
        last_id = rows[-1].id
        now = poll.context.clock()
        orders = [(row, read_stored(row.document)) for row in rows]
        book = Rulebook(session)
        book.load([(store.id, order) for _, order in orders])
        verdicts = []
        causes = None
        for row, order in orders:
            released, unlisted_since = row.released_holds, row.unlisted_since
            assessment = book.assess(store.id, order, released=released, edits=row.edits, unlisted_since=unlisted_since)
            to_state = OrderState.HELD if assessment.holds else OrderState.READY
            change = OrderChange(row.id, assessed_columns(assessment, now))
            if to_state is OrderState.READY:
                causes = causes or read_causes(session, store, [order for _, order in orders])
                if cause := causes.of(order, row.holds, row.assessed_at):
                    change = replace(change, reason=cause.reason, actor=cause.actor)
            verdicts.append(_Verdict(OrderState.HELD, to_state, change))
        lock(session, [row.id for row in rows])
        _apply(poll, verdicts, now)
        search_rows.refresh(session, [row.id for row in rows])
        # Some may no longer need a product that they needed before.
        store.held_read_at = None
        session.commit()
    store.held_assessed_at = started
    session.commit()
