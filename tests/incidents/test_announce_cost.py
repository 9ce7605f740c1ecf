"""Telling every merchant of what they share takes as many statements for 30 merchants as for 3."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal.actions import webhooks
from portal.models import HostName, Message, OrderState, Role, Store, User, WebhookFormat

if TYPE_CHECKING:
    from tests.incidents.portal import Portal


def add_team(portal: Portal, merchant: int) -> None:
    """Add two people and a webhook of the merchant."""
    with portal.session() as session:
        for name in ("owner", "teammate"):
            email = f"{name}@m{merchant}.example"
            session.add(
                User(
                    email=email, password_hash="", session_key=email, role=Role.MERCHANT, merchant_id=merchant,
                    created_at=portal.now,
                )
            )  # fmt: skip
        webhooks.save(
            session, merchant, url=f"https://m{merchant}.example/", webhook_format=WebhookFormat.SLACK,
            settings=portal.settings, actor="test", reason="", now=portal.now,
        )  # fmt: skip


def tell(portal: Portal, host: HostName, merchants: list[int]) -> tuple[int, int]:
    """Let a service fail and recover. Return how many statements the looks took that told its start and its end."""
    portal.change(Store, last_polled_at=portal.now + timedelta(minutes=6))  # none is late besides
    portal.set_host(host, "It failed.")
    portal.look()
    numbers = [portal.add_order(OrderState.READY, merchant=merchant) for merchant in merchants]
    portal.forward(minutes=3)
    opening = portal.statements()
    portal.set_host(host, "")
    portal.look()
    portal.change_orders(*numbers, state=OrderState.SUBMITTED, submitted_at=portal.now)
    portal.forward(minutes=2)
    return opening, portal.statements()


@pytest.mark.parametrize("host", list(HostName))
def test_statements_do_not_grow_with_the_merchants(portal: Portal, host: HostName) -> None:
    portal.settings = replace(portal.settings, operator_email="operator@portal.example")
    add_team(portal, 816)
    costs = []
    merchants = [816]
    for count in (3, 30):
        for merchant in range(816 + len(merchants), 816 + count):
            portal.add_merchant(merchant)
            add_team(portal, merchant)
            merchants.append(merchant)
        costs.append(tell(portal, host, merchants))
        portal.forward(minutes=30)
    assert costs[0] == costs[1]
    with portal.session() as session:
        told = [one.recipient for one in session.query(Message).all() if one.subject.startswith("Resolved")]
    assert len(told) == 3 * 3 + 1 + 30 * 3 + 1
    assert len(set(told)) == 30 * 3 + 1
