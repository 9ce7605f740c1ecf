"""Every allowed and forbidden move between states, and move() checked against a simple model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from portal.models import Merchant, Order, OrderEvent, OrderState, Store
from portal.models.base import Base
from portal.models.states import (
    AT_THE_WAREHOUSE,
    FINAL,
    LEAVES_NO_EVENT,
    NOT_SENT,
    TRANSITIONS,
    IllegalMoveError,
    OrderChange,
    move,
    rewrite,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

S = OrderState
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALLOWED = {
    (S.HELD, S.READY),
    (S.HELD, S.CLOSED),
    (S.HELD, S.UNCONFIRMED),
    (S.READY, S.HELD),
    (S.READY, S.SUBMITTING),
    (S.READY, S.CLOSED),
    (S.READY, S.UNCONFIRMED),
    (S.SUBMITTING, S.READY),
    (S.SUBMITTING, S.SUBMITTED),
    (S.SUBMITTING, S.REJECTED),
    (S.SUBMITTING, S.UNCONFIRMED),
    (S.UNCONFIRMED, S.READY),
    (S.UNCONFIRMED, S.SUBMITTED),
    (S.UNCONFIRMED, S.REJECTED),
    (S.UNCONFIRMED, S.CLOSED),
    (S.REJECTED, S.HELD),
    (S.REJECTED, S.CLOSED),
    (S.REJECTED, S.UNCONFIRMED),
    (S.SUBMITTED, S.SHIPPED),
    (S.SUBMITTED, S.CLOSED),
    (S.SUBMITTED, S.UNCONFIRMED),
    (S.SHIPPED, S.COMPLETED),
    (S.SHIPPED, S.CLOSED),
    (S.CLOSED, S.HELD),
    (S.CLOSED, S.REJECTED),
    (S.CLOSED, S.SUBMITTED),
    (S.CLOSED, S.SHIPPED),
}
WITHOUT_EVENT = {(S.READY, S.SUBMITTING), (S.SUBMITTING, S.SUBMITTED), (S.SUBMITTING, S.READY)}
"""The moves of an order that is sent without trouble: its attempts say them."""
FORBIDDEN = sorted(set(product(S, S)) - ALLOWED)


def _session(orders: int) -> Session:
    """Return a session on an in-memory database with this many ready orders."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    session = Session(engine)
    session.add(Merchant(id=816, name="M", sealed_token="", rules_changed_at=NOW, created_at=NOW))
    session.add(Store(id=1, merchant_id=816, account_id="1", connected_at=NOW))
    session.flush()
    for number in range(1, orders + 1):
        session.add(
            Order(
                id=number,
                merchant_id=816,
                store_id=1,
                number=f"ABCD-{number}",
                state=S.READY,
                state_changed_at=NOW,
                document="{}",
                first_seen_at=NOW,
                submitted_at=NOW,
                completed_at=NOW,
            )
        )
    session.commit()
    return session


@pytest.fixture
def session() -> Iterator[Session]:
    made = _session(3)
    yield made
    made.close()
    made.get_bind().engine.dispose()


def _claim(state: OrderState, claim: str = "mine") -> str:
    """Return the claim that the state requires: only an order that is being submitted has one."""
    return claim if state is S.SUBMITTING else ""


def _put(session: Session, state: OrderState, **columns: object) -> None:
    for order in session.scalars(select(Order)):
        order.state, order.claim = state, _claim(state)
        for name, value in columns.items():
            setattr(order, name, value)
    session.commit()


def _states(session: Session) -> list[OrderState]:
    session.expire_all()
    return list(session.scalars(select(Order.state).order_by(Order.id)))


@pytest.mark.parametrize(("from_state", "to"), sorted(ALLOWED))
def test_allowed_move_succeeds(session: Session, from_state: OrderState, to: OrderState) -> None:
    _put(session, from_state)
    later = NOW + timedelta(hours=1)
    changes = [
        OrderChange(1, {"state_reason": "because", "claim": _claim(to)}),
        OrderChange(3, {"state_reason": "so", "claim": _claim(to)}),
    ]
    assert move(session, changes, from_state=from_state, to_state=to, now=later) == 2
    assert _states(session) == [to, from_state, to]
    moved, stayed = session.get_one(Order, 1), session.get_one(Order, 2)
    assert (moved.state_reason, moved.state_changed_at) == ("because", later)
    assert (stayed.state_reason, stayed.state_changed_at) == ("", NOW)


@pytest.mark.parametrize(("from_state", "to"), FORBIDDEN)
def test_forbidden_move_raises(session: Session, from_state: OrderState, to: OrderState) -> None:
    _put(session, from_state)
    with pytest.raises(IllegalMoveError, match=f"from {from_state} to {to}"):
        move(session, [OrderChange(1, {})], from_state=from_state, to_state=to, now=NOW)
    with pytest.raises(IllegalMoveError):
        move(session, [], from_state=from_state, to_state=to, now=NOW)
    assert _states(session) == [from_state] * 3


def test_order_moved_by_another_process_is_left_alone(session: Session) -> None:
    move(session, [OrderChange(1, {})], from_state=S.READY, to_state=S.HELD, now=NOW)
    changes = [OrderChange(number, {"claim": "mine"}) for number in (1, 2)]
    assert move(session, changes, from_state=S.READY, to_state=S.SUBMITTING, now=NOW) == 1
    assert _states(session) == [S.HELD, S.SUBMITTING, S.READY]


def test_only_the_owner_of_the_claim_moves_the_order(session: Session) -> None:
    _put(session, S.SUBMITTING, claim="mine")
    done = [OrderChange(1, {"claim": ""})]
    assert move(session, done, from_state=S.SUBMITTING, to_state=S.SUBMITTED, now=NOW, claim="theirs") == 0
    assert move(session, done, from_state=S.SUBMITTING, to_state=S.SUBMITTED, now=NOW, claim="mine") == 1


@pytest.mark.parametrize("assessed_at", [None, NOW])
def test_order_assessed_in_the_meantime_is_not_moved(session: Session, assessed_at: datetime | None) -> None:
    _put(session, S.READY, assessed_at=assessed_at)
    for seen, moved in ((NOW - timedelta(seconds=1), 0), (assessed_at, 1)):
        change = OrderChange(1, {"claim": "mine"}, assessed_at=seen)
        assert (
            move(
                session,
                [change],
                from_state=S.READY,
                to_state=S.SUBMITTING,
                now=NOW,
                if_not_assessed_since=True,
            )
            == moved
        )


def test_rewrite_leaves_a_moved_order_alone(session: Session) -> None:
    move(session, [OrderChange(1, {})], from_state=S.READY, to_state=S.HELD, now=NOW)
    changes = [OrderChange(number, {"service": "NEW"}) for number in (1, 2)]
    assert rewrite(session, changes, state=S.READY) == 1
    session.expire_all()
    assert [session.get_one(Order, number).service for number in (1, 2)] == ["", "NEW"]
    assert _states(session) == [S.HELD, S.READY, S.READY]


def _reachable(start: OrderState, avoiding: frozenset[OrderState] = frozenset()) -> set[OrderState]:
    found, queue = {start}, [start]
    while queue:
        for to in TRANSITIONS[queue.pop()] - avoiding - found:
            found.add(to)
            queue.append(to)
    return found


def test_every_state_leads_to_a_final_state() -> None:
    assert TRANSITIONS.keys() == set(S)
    for state in S:
        assert _reachable(state) & FINAL


def test_every_move_leaves_an_event_or_has_a_reason_for_none() -> None:
    """A new transition leaves one. To change that, say here and in LEAVES_NO_EVENT what tells of the move instead."""
    assert LEAVES_NO_EVENT.keys() == WITHOUT_EVENT
    assert LEAVES_NO_EVENT.keys() <= ALLOWED
    assert all(LEAVES_NO_EVENT.values())


def test_only_ready_orders_are_submitted() -> None:
    assert [from_state for from_state in S if S.SUBMITTING in TRANSITIONS[from_state]] == [S.READY]


def test_order_at_the_warehouse_is_sent_again_only_by_a_person() -> None:
    """Nothing else restarts one: only if it is closed, rejected or lost may a person do so, or a signal taken back."""
    for state in AT_THE_WAREHOUSE:
        automatically = _reachable(state, avoiding=frozenset({S.CLOSED, S.REJECTED, S.UNCONFIRMED}))
        assert not automatically & (NOT_SENT | {S.SUBMITTING})


class Mover(RuleBasedStateMachine):
    """After any sequence of moves, the rows are in the states that a simple model predicts."""

    orders = 4

    @initialize()
    def begin(self) -> None:
        self.session = _session(self.orders)
        self.model = dict.fromkeys(range(1, self.orders + 1), (S.READY, ""))
        self.paths: dict[int, list[tuple[OrderState, OrderState]]] = {number: [] for number in self.model}

    @rule(
        ids=st.lists(st.integers(1, orders), unique=True),
        from_state=st.sampled_from(S),
        to=st.sampled_from(S),
        new_claim=st.sampled_from(["a", "b"]),
        claim=st.none() | st.sampled_from(["", "a", "b"]),
    )
    def moves(self, ids: list[int], from_state: OrderState, to: OrderState, new_claim: str, claim: str | None) -> None:
        new_claim = _claim(to, new_claim)
        changes = [OrderChange(number, {"claim": new_claim}) for number in ids]
        if (from_state, to) not in ALLOWED:
            with pytest.raises(IllegalMoveError):
                move(self.session, changes, from_state=from_state, to_state=to, now=NOW, claim=claim)
            return
        expected = [
            number for number in ids if self.model[number][0] is from_state and claim in {None, self.model[number][1]}
        ]
        assert move(self.session, changes, from_state=from_state, to_state=to, now=NOW, claim=claim) == len(expected)
        self.model |= dict.fromkeys(expected, (to, new_claim))
        for number in expected:
            self.paths[number].append((from_state, to))

    @rule(number=st.integers(1, orders), to=st.sampled_from(S))
    def moves_on(self, number: int, to: OrderState) -> None:
        """Start from the order's actual state, so long paths are covered too."""
        from_state, _ = self.model[number]
        self.moves([number], from_state, to, "a", None)

    @invariant()
    def rows_are_where_the_model_says(self) -> None:
        rows = self.session.execute(select(Order.id, Order.state, Order.claim))
        assert {row.id: (row.state, row.claim) for row in rows} == self.model

    @invariant()
    def events_tell_the_path_of_every_order(self) -> None:
        told: dict[int, list[tuple[OrderState | None, OrderState]]] = {number: [] for number in self.model}
        for event in self.session.scalars(select(OrderEvent).order_by(OrderEvent.id)):
            told[event.order_id].append((event.from_state, event.to_state))
        assert told == {
            number: [step for step in path if step not in WITHOUT_EVENT] for number, path in self.paths.items()
        }

    def teardown(self) -> None:
        self.session.close()
        self.session.get_bind().engine.dispose()


TestMover = Mover.TestCase
TestMover.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
