"""What is due according to the database, case by case. The tick enqueues exactly that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.fulfillment.due import Due, due
from portal.fulfillment.products import REFRESH_EVERY
from portal.models import Lease, Merchant, Order, OrderState, Store
from portal.models.states import ClosedBecause
from portal.rules.asking import FOUR_TIMES_A_DAY, HOURLY, HOURLY_FOR, OFTEN_FOR
from portal.rules.patience import CANCELED_FOR_GOOD_AFTER, CHECK_CANCELED_EVERY

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
TRACK_SECONDS = 300
TRACK_AGO = timedelta(seconds=TRACK_SECONDS)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = create_engine(database_url, **engine_options(database_url))
    with Session(engine) as made:
        yield made
    engine.dispose()


class Cases:
    """Merchants with one store each, named after the case they stand for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.names: dict[int, str] = {}

    def add(
        self,
        name: str,
        *,
        merchant: dict[str, Any] | None = None,
        store: dict[str, Any] | None = None,
        orders: list[dict[str, Any]] | None = None,
    ) -> None:
        number = len(self.names) + 1
        self.names[number] = name
        self.session.add(
            Merchant(
                **{"id": number, "name": name, "sealed_token": "x", "rules_changed_at": NOW, "created_at": NOW}
                | (merchant or {})
            )
        )
        self.session.flush()
        quiet = {"next_poll_at": None, "products_refreshed_at": NOW, "sealed_token": "x"}
        self.session.add(
            Store(
                **{"id": number, "merchant_id": number, "account_id": str(number), "connected_at": NOW}
                | quiet
                | (store or {})
            )
        )
        self.session.flush()
        for position, order in enumerate(orders or []):
            self.session.add(
                Order(
                    **{
                        "merchant_id": number,
                        "store_id": number,
                        "number": f"ABCD-{position}",
                        "state_changed_at": NOW,
                        "document": "{}",
                        "first_seen_at": NOW,
                        "next_attempt_at": PAST,
                        "submitted_at": PAST,
                        "completed_at": PAST,
                    }
                    | order
                )
            )
        self.session.commit()

    def due(self) -> Due:
        return due(self.session, track_seconds=TRACK_SECONDS, now=NOW)

    def named(self, ids: Any) -> set[str]:
        return {self.names[number] for number in ids}


@pytest.fixture
def cases(session: Session) -> Cases:
    return Cases(session)


def test_nothing_is_due_for_held_rejected_complete_or_closed_orders(cases: Cases) -> None:
    states = [OrderState.HELD, OrderState.REJECTED, OrderState.COMPLETED, OrderState.CLOSED]
    cases.add("nothing to do", orders=[{"state": state} for state in states])
    found = cases.due()
    assert [*found.polls, *found.products, *found.submits, *found.settles, *found.tracks] == []


def test_due_polls_are_found(cases: Cases) -> None:
    cases.add("due later", store={"next_poll_at": FUTURE})
    cases.add("due now", store={"next_poll_at": NOW})
    cases.add("overdue", store={"next_poll_at": NOW - timedelta(hours=1)})
    cases.add("polling stopped", store={"next_poll_at": None})
    found = cases.due()
    assert [cases.names[number] for number in found.polls] == ["overdue", "due now"]
    assert not found.submits


def test_due_product_refreshes_are_found(cases: Cases) -> None:
    long_ago = NOW - REFRESH_EVERY
    cases.add("never", store={"products_refreshed_at": None})
    cases.add("long ago", store={"products_refreshed_at": long_ago})
    cases.add("recently", store={"products_refreshed_at": long_ago + timedelta(seconds=1)})
    cases.add("token revoked", store={"products_refreshed_at": None, "reconnect_needed_at": PAST})
    cases.add("disconnected", store={"products_refreshed_at": None, "sealed_token": ""})
    assert cases.named(cases.due().products) == {"never", "long ago"}


def test_due_submissions_are_found(cases: Cases) -> None:
    ready = {"state": OrderState.READY}
    cases.add("ready", orders=[ready])
    cases.add("one of several", orders=[{"state": OrderState.HELD}, ready | {"next_attempt_at": FUTURE}, ready])
    cases.add("retried later", orders=[ready | {"next_attempt_at": FUTURE}])
    cases.add("given up", orders=[ready | {"next_attempt_at": None}])
    cases.add("credentials rejected", merchant={"credentials_refused_at": PAST}, orders=[ready])
    cases.add("FCP paused", merchant={"fcp_after": FUTURE}, orders=[ready])
    cases.add("FCP pause over", merchant={"fcp_after": NOW}, orders=[ready])
    cases.add("store needs reconnecting", store={"reconnect_needed_at": PAST}, orders=[ready])
    cases.add("leased by a live worker", orders=[ready])
    cases.session.add(Lease(name=f"submit:{len(cases.names)}", owner="alive", until=FUTURE))
    found = cases.due()
    assert cases.named(found.submits) == {
        "ready",
        "one of several",
        "FCP pause over",
        "store needs reconnecting",
    }
    assert not found.settles


def test_due_settlements_are_found(cases: Cases) -> None:
    unconfirmed = {"state": OrderState.UNCONFIRMED}
    cases.add("unconfirmed", orders=[unconfirmed])
    cases.add("checked again later", orders=[unconfirmed | {"next_attempt_at": FUTURE}])
    cases.add("unconfirmed, credentials rejected", merchant={"credentials_refused_at": PAST}, orders=[unconfirmed])
    cases.add("unconfirmed, FCP paused", merchant={"fcp_after": FUTURE}, orders=[unconfirmed])
    for name, until in (("alive", FUTURE), ("dead", PAST), ("just dead", NOW)):
        cases.session.add(Lease(name=f"submit:{name}", owner=name, until=until))
        cases.add(
            f"worker is {name}", orders=[{"state": OrderState.SUBMITTING, "claim": name, "next_attempt_at": None}]
        )
    cases.session.add(Lease(name="submit:taken over", owner="new owner", until=FUTURE))
    cases.add("lease taken over", orders=[{"state": OrderState.SUBMITTING, "claim": "previous owner"}])
    found = cases.due()
    assert cases.named(found.settles) == {"unconfirmed", "worker is dead", "worker is just dead", "lease taken over"}
    assert not found.submits


def test_due_tracking_is_found(cases: Cases) -> None:
    there, shipped = {"state": OrderState.SUBMITTED, "next_attempt_at": None}, {"state": OrderState.SHIPPED}
    cases.add("never tracked", orders=[there])
    cases.add("tracked long ago", merchant={"last_tracked_at": NOW - TRACK_AGO}, orders=[there])
    cases.add("tracked recently", merchant={"last_tracked_at": NOW - TRACK_AGO + timedelta(seconds=1)}, orders=[there])
    hourly, rarely = (there | {"state_changed_at": NOW - age - TRACK_AGO} for age in (OFTEN_FOR, HOURLY_FOR))
    asked = {"last_tracked_at": NOW - 2 * TRACK_AGO}
    cases.add("only old orders, asked lately", merchant=asked, orders=[hourly])
    cases.add("old and new orders", merchant=asked, orders=[hourly, there])
    cases.add("only old orders, the last call failed", merchant=asked | {"tracking_error": "It."}, orders=[rarely])
    cases.add("only old orders", merchant={"last_tracked_at": NOW - HOURLY}, orders=[hourly])
    cases.add("only very old orders, asked an hour ago", merchant={"last_tracked_at": NOW - HOURLY}, orders=[rarely])
    cases.add("only very old orders", merchant={"last_tracked_at": NOW - FOUR_TIMES_A_DAY}, orders=[rarely])
    cases.add("no orders there", merchant={"last_tracked_at": NOW - TRACK_AGO})
    cases.add("credentials rejected", merchant={"credentials_refused_at": PAST}, orders=[there])
    cases.add("FCP paused", merchant={"fcp_after": FUTURE}, orders=[there])
    cases.add("Big Cartel to be updated", merchant={"last_tracked_at": NOW}, orders=[shipped])
    cases.add("Big Cartel to be updated, FCP paused", merchant={"fcp_after": FUTURE}, orders=[shipped, there])
    cases.add(
        "Big Cartel to be updated later",
        merchant={"last_tracked_at": NOW},
        orders=[shipped | {"next_attempt_at": FUTURE}],
    )
    cases.add("updating Big Cartel given up", orders=[shipped | {"next_attempt_at": None}])
    cases.add("reconnect needed", store={"reconnect_needed_at": PAST}, orders=[shipped])
    cases.add("disconnected", store={"sealed_token": ""}, orders=[shipped])
    canceled = {"state": OrderState.CLOSED, "closed_because": ClosedBecause.CANCELED, "next_attempt_at": None}
    hour_ago, just_now = {"last_tracked_at": NOW - CHECK_CANCELED_EVERY}, {"last_tracked_at": NOW - 2 * TRACK_AGO}
    long_ago = {"state_changed_at": NOW - CANCELED_FOR_GOOD_AFTER}
    cases.add("canceled, asked an hour ago", merchant=hour_ago, orders=[canceled])
    cases.add("canceled, asked minutes ago", merchant=just_now, orders=[canceled])
    cases.add("canceled for good", merchant=hour_ago, orders=[canceled | long_ago])
    cases.add("closed by a person", merchant=hour_ago, orders=[canceled | {"closed_because": ClosedBecause.PERSON}])
    assert cases.named(cases.due().tracks) == {
        "canceled, asked an hour ago",
        "never tracked",
        "tracked long ago",
        "old and new orders",
        "only old orders, the last call failed",
        "only old orders",
        "only very old orders",
        "Big Cartel to be updated",
        "Big Cartel to be updated, FCP paused",
    }
