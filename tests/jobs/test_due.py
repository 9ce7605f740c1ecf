"""What the database says is due, case by case: the tick wakes the workers for exactly that."""

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


class Books:
    """Merchants, each with one store, named by the case that they stand for."""

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
def books(session: Session) -> Books:
    return Books(session)


def test_nothing_is_due_for_a_merchant_whose_orders_are_at_rest(books: Books) -> None:
    states = [OrderState.HELD, OrderState.REJECTED, OrderState.COMPLETED, OrderState.CLOSED]
    books.add("at rest", orders=[{"state": state} for state in states])
    found = books.due()
    assert [*found.polls, *found.products, *found.submits, *found.settles, *found.tracks] == []


def test_polls(books: Books) -> None:
    books.add("due later", store={"next_poll_at": FUTURE})
    books.add("due now", store={"next_poll_at": NOW})
    books.add("overdue", store={"next_poll_at": NOW - timedelta(hours=1)})
    books.add("not to be polled", store={"next_poll_at": None})
    found = books.due()
    assert [books.names[number] for number in found.polls] == ["overdue", "due now"]
    assert not found.submits


def test_product_refreshes(books: Books) -> None:
    long_ago = NOW - REFRESH_EVERY
    books.add("never", store={"products_refreshed_at": None})
    books.add("long ago", store={"products_refreshed_at": long_ago})
    books.add("lately", store={"products_refreshed_at": long_ago + timedelta(seconds=1)})
    books.add("token refused", store={"products_refreshed_at": None, "reconnect_needed_at": PAST})
    books.add("disconnected", store={"products_refreshed_at": None, "sealed_token": ""})
    assert books.named(books.due().products) == {"never", "long ago"}


def test_submissions(books: Books) -> None:
    ready = {"state": OrderState.READY}
    books.add("ready", orders=[ready])
    books.add("one of several", orders=[{"state": OrderState.HELD}, ready | {"next_attempt_at": FUTURE}, ready])
    books.add("tried again later", orders=[ready | {"next_attempt_at": FUTURE}])
    books.add("needs a person", orders=[ready | {"next_attempt_at": None}])
    books.add("credentials refused", merchant={"credentials_refused_at": PAST}, orders=[ready])
    books.add("FCP asked to wait", merchant={"fcp_after": FUTURE}, orders=[ready])
    books.add("FCP may be asked again", merchant={"fcp_after": NOW}, orders=[ready])
    books.add("store to be reconnected", store={"reconnect_needed_at": PAST}, orders=[ready])
    books.add("being sent by a living worker", orders=[ready])
    books.session.add(Lease(name=f"submit:{len(books.names)}", owner="alive", until=FUTURE))
    found = books.due()
    assert books.named(found.submits) == {
        "ready",
        "one of several",
        "FCP may be asked again",
        "store to be reconnected",
    }
    assert not found.settles


def test_settling(books: Books) -> None:
    in_doubt = {"state": OrderState.UNCONFIRMED}
    books.add("in doubt", orders=[in_doubt])
    books.add("asked again later", orders=[in_doubt | {"next_attempt_at": FUTURE}])
    books.add("in doubt, credentials refused", merchant={"credentials_refused_at": PAST}, orders=[in_doubt])
    books.add("in doubt, FCP down", merchant={"fcp_after": FUTURE}, orders=[in_doubt])
    for name, until in (("alive", FUTURE), ("dead", PAST), ("just dead", NOW)):
        books.session.add(Lease(name=f"submit:{name}", owner=name, until=until))
        books.add(
            f"worker is {name}", orders=[{"state": OrderState.SUBMITTING, "claim": name, "next_attempt_at": None}]
        )
    books.session.add(Lease(name="submit:taken over", owner="the next owner", until=FUTURE))
    books.add("lease taken over", orders=[{"state": OrderState.SUBMITTING, "claim": "the owner before"}])
    found = books.due()
    assert books.named(found.settles) == {"in doubt", "worker is dead", "worker is just dead", "lease taken over"}
    assert not found.submits


def test_tracking(books: Books) -> None:
    there, shipped = {"state": OrderState.SUBMITTED, "next_attempt_at": None}, {"state": OrderState.SHIPPED}
    books.add("never asked", orders=[there])
    books.add("asked long ago", merchant={"last_tracked_at": NOW - TRACK_AGO}, orders=[there])
    books.add("asked lately", merchant={"last_tracked_at": NOW - TRACK_AGO + timedelta(seconds=1)}, orders=[there])
    books.add("nothing there", merchant={"last_tracked_at": NOW - TRACK_AGO})
    books.add("credentials refused", merchant={"credentials_refused_at": PAST}, orders=[there])
    books.add("FCP down", merchant={"fcp_after": FUTURE}, orders=[there])
    books.add("shop to be told", merchant={"last_tracked_at": NOW}, orders=[shipped])
    books.add("shop to be told, FCP down", merchant={"fcp_after": FUTURE}, orders=[shipped, there])
    books.add(
        "shop to be told later", merchant={"last_tracked_at": NOW}, orders=[shipped | {"next_attempt_at": FUTURE}]
    )
    books.add("telling needs a person", orders=[shipped | {"next_attempt_at": None}])
    books.add("shop to be reconnected", store={"reconnect_needed_at": PAST}, orders=[shipped])
    books.add("shop disconnected", store={"sealed_token": ""}, orders=[shipped])
    assert books.named(books.due().tracks) == {
        "never asked",
        "asked long ago",
        "shop to be told",
        "shop to be told, FCP down",
    }
