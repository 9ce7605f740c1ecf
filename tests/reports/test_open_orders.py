"""The counts of orders equal those of the orders themselves, whatever has happened to them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, update

from benchmarks.fixtures import session_on
from portal.models import Merchant, Order, OrderState, Store
from portal.reports.order_conditions import OPEN, TO_FIX, needs_attention
from portal.reports.order_counts import counts, needing_attention
from portal.reports.overview import OpenOrders, open_orders, open_orders_by_merchant
from portal.rules.hold_reasons import HoldReason

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MERCHANTS = 816, 817, 818
EXCLUDED = {HoldReason.NOT_LIVE, HoldReason.BEFORE_START}


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_those_of_the_orders(database_url: str, seed: int) -> None:
    chance = Random(seed)
    with session_on(database_url) as session:
        _merchants(session)
        session.execute(insert(Order), [_order(chance, number) for number in range(120)])
        for _ in range(5):
            for order_id in chance.sample(range(1, 121), 40):
                session.execute(update(Order).where(Order.id == order_id).values(_condition(chance)))
            expected = _counted(session)
            assert {one: open_orders(session, one) for one in MERCHANTS} == expected
            assert open_orders_by_merchant(session) == expected
            for one in MERCHANTS:
                attention = select(Order).where(Order.merchant_id == one, needs_attention())
                assert len(session.scalars(attention).all()) == expected[one].needing_attention
                assert needing_attention(session, select(Order).where(Order.merchant_id == one)) == (
                    expected[one].needing_attention
                )
            query = select(Order).where(Order.merchant_id == 816, Order.next_attempt_at.is_(None))
            assert counts(session, query) == Counter(order.state for order in session.scalars(query))


def test_merchant_without_open_orders_has_none(database_url: str) -> None:
    with session_on(database_url) as session:
        _merchants(session)
        session.execute(
            insert(Order), [_order(Random(0), 1) | {"merchant_id": 816, "store_id": 816, "state": OrderState.CLOSED}]
        )
        assert open_orders(session, 816) == OpenOrders()
        assert open_orders_by_merchant(session) == {}


def _merchants(session: Session) -> None:
    for one in MERCHANTS:
        session.add(Merchant(id=one, name="", sealed_token="", rules_changed_at=NOW, created_at=NOW))
        session.flush()
        session.add(Store(id=one, merchant_id=one, account_id=str(one), sealed_token="", connected_at=NOW))
    session.flush()


def _order(chance: Random, number: int) -> dict[str, Any]:
    merchant = MERCHANTS[number % len(MERCHANTS)]
    return {
        "merchant_id": merchant,
        "store_id": merchant,
        "number": f"N-{number}",
        "state_changed_at": NOW,
        "document": "{}",
        "first_seen_at": NOW,
        "submitted_at": NOW,
        "completed_at": NOW,
        **_condition(chance),
    }


def _condition(chance: Random) -> dict[str, Any]:
    """Return what the counts depend on, not always as the portal would set it."""
    state = chance.choice(list(OrderState))
    reasons = chance.sample(list(HoldReason), chance.randint(0, 2))
    details = ["", "Mug", 'The "reason": "no_sku" mug', "100 %_"]
    return {
        "state": state,
        "claim": "worker" if state is OrderState.SUBMITTING else "",
        "holds": [{"reason": reason, "detail": chance.choice(details)} for reason in reasons],
        "next_attempt_at": chance.choice([None, NOW]),
        "fcp_missing_since": chance.choice([None, NOW]),
    }


def _counted(session: Session) -> dict[int, OpenOrders]:
    """Count the orders one by one."""
    found: dict[int, Counter[str]] = {one: Counter() for one in MERCHANTS}
    for order in session.scalars(select(Order).where(Order.state.in_(OPEN)).execution_options(populate_existing=True)):
        count = found[order.merchant_id]
        count[order.state] += 1
        if order.state is OrderState.HELD:
            reasons = {HoldReason(hold["reason"]) for hold in order.holds}
            count.update(f"hold {reason}" for reason in reasons)
            count["to_fix"] += bool(reasons & set(TO_FIX)) and not reasons & EXCLUDED
        count["lost"] += order.is_lost
        count["not_sent"] += order.is_given_up and order.state is OrderState.READY
        count["not_told"] += order.is_given_up and order.state is OrderState.SHIPPED
    return {
        merchant: OpenOrders(
            states={state: count[state] for state in OPEN},
            holds={reason: count[f"hold {reason}"] for reason in HoldReason},
            to_fix=count["to_fix"],
            not_sent=count["not_sent"],
            not_told=count["not_told"],
            lost=count["lost"],
        )
        for merchant, count in found.items()
    }
