"""Every move leaves its event in the same transaction, for exactly the orders that moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.models import Merchant, Order, OrderEvent, OrderState, Store
from portal.models.states import LEAVES_NO_EVENT, TRANSITIONS, OrderChange, move, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from portal.models import StoredHold

S = OrderState
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_SKU: StoredHold = {"reason": "no_sku", "detail": "Poster"}
PAUSED: StoredHold = {"reason": "paused", "detail": ""}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url, **engine_options(database_url))
    with Session(made) as session:
        session.add(Merchant(id=816, name="M", sealed_token="", rules_changed_at=NOW, created_at=NOW))
        session.flush()
        session.add(Store(id=1, merchant_id=816, account_id="1", connected_at=NOW))
        session.flush()
        for number in (1, 2, 3):
            session.add(
                Order(
                    id=number, merchant_id=816, store_id=1, number=f"ABCD-{number}", state=S.READY,
                    state_changed_at=NOW, document="{}", first_seen_at=NOW, submitted_at=NOW, completed_at=NOW,
                )
            )  # fmt: skip
        session.commit()
    yield made
    made.dispose()


_Told = tuple[int, OrderState | None, OrderState, "list[StoredHold]", str, str]
"""Order, from, to, holds, reason, actor."""


def _put(engine: Engine, state: OrderState, **columns: object) -> None:
    with Session(engine) as session:
        for order in session.scalars(select(Order)):
            order.state, order.claim = state, "mine" if state is S.SUBMITTING else ""
            for name, value in columns.items():
                setattr(order, name, value)
        session.commit()


def _events(engine: Engine) -> list[_Told]:
    with Session(engine) as session:
        return [
            (one.order_id, one.from_state, one.to_state, one.holds, one.reason, one.actor)
            for one in session.scalars(select(OrderEvent).order_by(OrderEvent.id))
        ]


def test_every_move_leaves_one_event_for_each_order_that_moved(engine: Engine) -> None:
    expected: list[_Told] = []
    for from_state, states in TRANSITIONS.items():
        for to in sorted(states):
            _put(engine, from_state)
            # The third was moved by another process.
            with Session(engine) as session:
                session.get_one(Order, 3).state, session.get_one(Order, 3).claim = S.COMPLETED, ""
                changes = [
                    OrderChange(number, {"claim": "mine" if to is S.SUBMITTING else ""}, reason="why", actor="someone")
                    for number in (1, 3)
                ]
                session.flush()
                assert move(session, changes, from_state=from_state, to_state=to, now=NOW) == 1
                session.commit()
            if (from_state, to) not in LEAVES_NO_EVENT:
                expected.append((1, from_state, to, [], "why", "someone"))
            assert _events(engine) == expected
    with Session(engine) as session:
        assert set(session.scalars(select(OrderEvent.at))) == {NOW}
        assert set(session.scalars(select(OrderEvent.merchant_id))) == {816}


def test_event_shows_the_holds_after_the_move(engine: Engine) -> None:
    with Session(engine) as session:
        held = OrderChange(1, {"holds": [NO_SKU]})
        move(session, [held], from_state=S.READY, to_state=S.HELD, now=NOW)
        closing = OrderChange(1, {"state_reason": "No longer in Big Cartel."})
        move(session, [closing], from_state=S.HELD, to_state=S.CLOSED, now=NOW)
        session.commit()
    assert _events(engine) == [
        (1, S.READY, S.HELD, [NO_SKU], "", ""),
        (1, S.HELD, S.CLOSED, [NO_SKU], "No longer in Big Cartel.", ""),
    ]


def test_words_of_a_rejection_are_not_repeated(engine: Engine) -> None:
    """They may name the buyer, and events are kept."""
    _put(engine, S.SUBMITTING)
    with Session(engine) as session:
        rejected = OrderChange(1, {"claim": "", "state_reason": "No such street: 12 Analytical Way"})
        move(session, [rejected], from_state=S.SUBMITTING, to_state=S.REJECTED, now=NOW, claim="mine")
        session.commit()
    assert _events(engine) == [(1, S.SUBMITTING, S.REJECTED, [], "", "")]


def test_move_under_a_lost_claim_or_an_older_assessment_leaves_no_event(engine: Engine) -> None:
    _put(engine, S.SUBMITTING, assessed_at=NOW)
    with Session(engine) as session:
        lost = [OrderChange(1, {"claim": ""})]
        move(session, lost, from_state=S.SUBMITTING, to_state=S.UNCONFIRMED, now=NOW, claim="theirs")
        session.commit()
    _put(engine, S.READY)
    with Session(engine) as session:
        older = [OrderChange(1, {"holds": [PAUSED]}, assessed_at=NOW - timedelta(seconds=1))]
        move(session, older, from_state=S.READY, to_state=S.HELD, now=NOW, if_not_assessed_since=True)
        session.commit()
    assert _events(engine) == []


def test_only_the_winner_of_a_race_leaves_an_event(engine: Engine) -> None:
    """Both move the same orders at the same time by the same clock, so only the lock tells them apart."""
    results: dict[str, int] = {}

    def close(actor: str) -> None:
        with Session(engine) as session:
            changes = [OrderChange(number, {"state_reason": actor}, actor=actor) for number in (1, 2, 3)]
            results[actor] = move(session, changes, from_state=S.READY, to_state=S.CLOSED, now=NOW)
            session.commit()

    with Session(engine) as session:
        first = [OrderChange(number, {"state_reason": "first"}, actor="first") for number in (1, 2)]
        results["first"] = move(session, first, from_state=S.READY, to_state=S.CLOSED, now=NOW)
        others = [Thread(target=close, args=(name,)) for name in ("second", "third")]
        for thread in others:
            thread.start()
        session.commit()
    for thread in others:
        thread.join()

    told = [(order_id, actor) for order_id, *_, actor in _events(engine)]
    assert sorted(order_id for order_id, _ in told) == [1, 2, 3]
    assert [actor for order_id, actor in sorted(told)][:2] == ["first", "first"]
    assert {name: sum(actor == name for _, actor in told) for name in results} == results


def test_rolled_back_move_leaves_no_event(engine: Engine) -> None:
    with Session(engine) as session:
        move(session, [OrderChange(1, {})], from_state=S.READY, to_state=S.HELD, now=NOW)
        session.rollback()
    assert _events(engine) == []


def test_only_a_change_of_hold_reasons_leaves_an_event(engine: Engine) -> None:
    _put(engine, S.HELD, holds=[NO_SKU])
    poster: StoredHold = {"reason": "no_sku", "detail": "Poster, size L"}
    for minute, holds in enumerate(
        ([NO_SKU], [NO_SKU, PAUSED], [PAUSED, NO_SKU], [PAUSED, NO_SKU], [poster, PAUSED], [poster, PAUSED])
    ):
        with Session(engine) as session:
            at = NOW + timedelta(minutes=minute)
            rewrite(session, [OrderChange(1, {"holds": holds, "assessed_at": at})], state=S.HELD)
            session.commit()
    assert [
        (order_id, from_state, to_state, holds) for order_id, from_state, to_state, holds, *_ in _events(engine)
    ] == [
        (1, S.HELD, S.HELD, [NO_SKU, PAUSED]),
        (1, S.HELD, S.HELD, [poster, PAUSED]),
    ]
    with Session(engine) as session:
        assert list(session.scalars(select(OrderEvent.at).order_by(OrderEvent.id))) == [
            NOW + timedelta(minutes=1),
            NOW + timedelta(minutes=4),
        ]


def test_other_columns_and_states_leave_no_event(engine: Engine) -> None:
    _put(engine, S.HELD, holds=[NO_SKU])
    with Session(engine) as session:
        rewrite(session, [OrderChange(1, {"service": "NEW"})], state=S.HELD)
        rewrite(session, [OrderChange(1, {"holds": [PAUSED], "assessed_at": NOW})], state=S.REJECTED)
        session.commit()
    assert _events(engine) == []
