"""A poll job records the stores in which nothing happened together; any doubt gives a store a poll of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from sqlalchemy import event, update

import jobs.poll
import jobs.turns
from jobs.poll import poll
from portal.actions.stores import connect_store, disconnect_store
from portal.clients.bigcartel import BigCartel
from portal.engine.leases import LEASE
from portal.extensions import db
from portal.fulfillment.poll import claims, idle, recount
from portal.fulfillment.poll.read import updated_pages
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.store_events import poll_soon
from portal.models import Host, HostName, Merchant, Order, OrderState, ProductToFix, Store
from portal.models.states import ClosedBecause
from portal.queue import QUEUE, connect
from portal.rules.backoff import SPREAD
from tests.fulfillment.world import ACCOUNT, BIGCARTEL_TOKEN, BY_PERSON, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.clients.bigcartel import OrderPage
    from tests.fulfillment.world import World

LIST = "GET /v1/accounts/{account}/orders"
MAX_STATEMENTS, MAX_COMMITS = 4, 4
"""For the idle polls of one job."""


@pytest.fixture
def full_polls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the stores that got a poll of their own."""
    polled: list[int] = []

    def noted(session: Any, store_id: int, *rest: Any) -> Any:
        polled.append(store_id)
        return poll_store(session, store_id, *rest)

    monkeypatch.setattr(jobs.poll, "poll_store", noted)
    return polled


def _ago(**by: float) -> datetime:
    return datetime.now(UTC) - timedelta(**by)


def _idle_stores(world: World, count: int, *, orders: int = 1) -> list[int]:
    """Return the ids of due stores with orders, one per merchant, in which nothing has happened for long."""
    accounts = [str(int(ACCOUNT) + nth) for nth in range(count)]
    for nth, account in enumerate(accounts[1:], start=1):
        world.add_merchant(MERCHANT + nth, account)
    for account in accounts:
        world.sandbox.place_orders(count=orders, account=account)
    ids = [world.store(account).id for account in accounts]
    poll(ids)
    with world.session() as session:
        long_ago, now = _ago(hours=2), datetime.now(UTC)
        session.execute(update(Merchant).values(rules_changed_at=long_ago))
        session.execute(update(Order).values(assessed_at=long_ago))
        session.execute(update(Store).values(products_changed_at=long_ago, held_assessed_at=now, held_read_at=now))
        session.commit()
    _make_due(world)
    world.sandbox.clear_calls()
    return ids


def _make_due(world: World) -> None:
    with world.session() as session:
        session.execute(update(Store).values(next_poll_at=_ago(minutes=1)))
        session.commit()


def _set(world: World, store_id: int, **columns: object) -> None:
    with world.session() as session:
        session.execute(update(Store).where(Store.id == store_id).values(**columns))
        session.commit()


def _get(world: World, store_id: int) -> Store:
    with world.session() as session:
        return session.get_one(Store, store_id)


@contextmanager
def _counted() -> Iterator[dict[str, int]]:
    count = {"statements": 0, "commits": 0}

    def statement(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        count["statements"] += not statement.startswith("BEGIN")

    def commit(_: object) -> None:
        count["commits"] += 1

    event.listen(db.engine, "before_cursor_execute", statement)
    event.listen(db.engine, "commit", commit)
    try:
        yield count
    finally:
        event.remove(db.engine, "before_cursor_execute", statement)
        event.remove(db.engine, "commit", commit)


def test_idle_polls_share_their_statements_and_commits(in_job: World, full_polls: list[int]) -> None:
    ids = _idle_stores(in_job, 20, orders=3)
    assert sorted(full_polls) == ids, "the first poll of each"
    full_polls.clear()

    with _counted() as count:
        poll(ids)

    assert full_polls == []
    assert in_job.sandbox.calls()[LIST] == len(ids)
    assert count["statements"] <= MAX_STATEMENTS, "for all stores together"
    assert count["commits"] <= MAX_COMMITS


def test_first_pages_are_read_with_the_share_of_the_job(in_job: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many workers as the setting allows calls, one at a time."""
    ids = _idle_stores(in_job, 4)
    in_flight: list[int] = []
    most: list[int] = []
    real = idle._pages

    def read(one: Any) -> Iterator[OrderPage]:
        in_flight.append(1)
        most.append(len(in_flight))
        pages = list(real(one))
        in_flight.pop()
        return iter(pages)

    monkeypatch.setattr(idle, "_pages", read)
    with connect(in_job.settings.redis_url) as connection:
        connection.sadd(WORKERS_BY_QUEUE_KEY % QUEUE, *range(in_job.settings.bigcartel_calls_at_once))
        poll(ids)
    assert most == [1] * len(ids)


def test_idle_poll_leaves_the_store_as_a_full_poll_would(in_job: World, full_polls: list[int]) -> None:
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    before = _get(in_job, ids[0])

    began = datetime.now(UTC)
    poll(ids)

    after = _get(in_job, ids[0])
    assert full_polls == []
    assert after.last_polled_at is not None
    assert after.last_polled_at >= began
    assert after.next_poll_at is not None
    assert timedelta(seconds=60 * (1 - SPREAD)) <= after.next_poll_at - began < timedelta(seconds=90)
    for column in ("cursor", "window_count", "last_swept_at", "held_assessed_at", "poll_failures", "poll_error"):
        assert getattr(after, column) == getattr(before, column)


def test_stores_stay_idle_for_more_than_the_time_to_remember_held_orders(in_job: World, full_polls: list[int]) -> None:
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    for store_id in ids:
        _set(in_job, store_id, held_read_at=_ago(minutes=50))

    poll(ids)

    assert full_polls == []
    assert _get(in_job, ids[0]).held_read_at >= _ago(minutes=1)  # type: ignore[operator]  # it isn't None


def _empty_stores(world: World) -> list[int]:
    return _idle_stores(world, 3, orders=0)


def test_stores_without_orders_are_idle(in_job: World, full_polls: list[int]) -> None:
    ids = _empty_stores(in_job)
    full_polls.clear()
    poll(ids)
    assert full_polls == []
    assert in_job.sandbox.calls() == {LIST: len(ids)}


def test_first_order_of_a_store_is_stored(in_job: World, full_polls: list[int]) -> None:
    ids = _empty_stores(in_job)
    full_polls.clear()
    number = in_job.sandbox.place_order(account=ACCOUNT)
    poll(ids)
    assert full_polls == ids[:1]
    assert in_job.states() == {number: "ready"}


@pytest.mark.parametrize("page", [{"count": None}, {"count": 1}, {"nameless": 1}], ids=str)
def test_empty_page_counts_only_if_big_cartel_says_that_nothing_is_there(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch, page: dict[str, Any]
) -> None:
    ids = _empty_stores(in_job)
    full_polls.clear()
    real = BigCartel.order_pages

    def pages(self: BigCartel, **wanted: Any) -> Iterator[OrderPage]:
        return (replace(one, **page) for one in real(self, **wanted))

    monkeypatch.setattr(BigCartel, "order_pages", pages)
    poll(ids)
    assert full_polls == ids


def test_order_that_vanished_before_the_store_had_a_cursor_is_looked_up(in_job: World, full_polls: list[int]) -> None:
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    (number,) = in_job.sandbox.orders(ACCOUNT)
    in_job.sandbox.ship_at_bigcartel(number, account=ACCOUNT)
    _set(in_job, ids[0], cursor=None)
    poll(ids)
    assert full_polls == ids[:1]
    assert in_job.states()[number] == "closed"


def test_job_of_one_store_reads_its_list_once(in_job: World, full_polls: list[int]) -> None:
    """A webhook started it, so there is something new."""
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    poll(ids[:1])
    assert full_polls == ids[:1]
    assert in_job.sandbox.calls()[LIST] == 1


def _from_now(columns: dict[str, object]) -> dict[str, object]:
    """Return the columns, with a time that is given as a distance from now."""
    now = datetime.now(UTC)
    return {name: now + value if isinstance(value, timedelta) else value for name, value in columns.items()}


def _order(**columns: object) -> Callable[[World, int], None]:
    def change(world: World, store_id: int) -> None:
        with world.session() as session:
            session.execute(update(Order).where(Order.store_id == store_id).values(**_from_now(columns)))
            session.commit()

    return change


def _store(**columns: object) -> Callable[[World, int], None]:
    return lambda world, store_id: _set(world, store_id, **_from_now(columns))


def _edit(*, touch: bool) -> Callable[[World, int], None]:
    def edit(world: World, _store_id: int) -> None:
        (number,) = world.sandbox.orders(ACCOUNT)
        world.sandbox.edit_order(number, account=ACCOUNT, touch=touch, customer_note="Ring twice.")

    return edit


def _rules_changed(world: World, store_id: int) -> None:
    with world.session() as session:
        merchant_id = session.get_one(Store, store_id).merchant_id
        session.execute(update(Merchant).where(Merchant.id == merchant_id).values(rules_changed_at=datetime.now(UTC)))
        session.commit()


def _product_to_fix(world: World, store_id: int) -> None:
    with world.session() as session:
        session.add(ProductToFix(store_id=store_id, product_id="1"))
        session.commit()


def _products_of_a_sibling_changed(world: World, store_id: int) -> None:
    sibling = world.add_store("sibling", sealed_token="x", merchant=_get(world, store_id).merchant_id)
    _set(world, sibling, products_changed_at=datetime.now(UTC))


HAPPENED: dict[str, Callable[[World, int], object]] = {
    "new order": lambda world, _: world.sandbox.place_order(account=ACCOUNT),
    "order changed": _edit(touch=True),
    "order changed, at the same time": _edit(touch=False),
    "order missing from the list lately": _order(unlisted_since=timedelta(minutes=-2)),
    "closed order listed again": _order(state=OrderState.CLOSED, closed_because=ClosedBecause.GONE),
    "change not recorded": _order(updated_at=timedelta(minutes=-10)),
    "count differs": _store(window_count=7),
    "count not known": _store(window_count=None),
    "rules changed": _rules_changed,
    "products changed": _store(products_changed_at=timedelta()),
    "products of the merchant's other store changed": _products_of_a_sibling_changed,
    "held orders never assessed": _store(held_assessed_at=None),
    "order put on hold": _order(state=OrderState.HELD, assessed_at=timedelta()),
    "held orders never read": _store(held_read_at=None),
    "product to fix": _product_to_fix,
    "sweep due": _store(last_swept_at=timedelta(minutes=-61)),
    "sweep asked for": _store(last_swept_at=None),
    "last poll failed": _store(poll_failures=1),
    "error of the last poll": _store(poll_error="It failed."),
    "no cursor": _store(cursor=None),
    "disconnected": _store(sealed_token=""),
    "token rejected": _store(reconnect_needed_at=timedelta(minutes=-5)),
    "token not readable": _store(sealed_token="x"),
}


@pytest.mark.parametrize("happened", HAPPENED)
def test_store_in_which_something_happened_gets_a_poll_of_its_own(
    in_job: World, full_polls: list[int], happened: str
) -> None:
    ids = _idle_stores(in_job, 3)
    full_polls.clear()
    HAPPENED[happened](in_job, ids[0])

    poll(ids)

    assert full_polls == ids[:1]
    for store_id in ids[1:]:
        assert _get(in_job, store_id).last_polled_at >= _ago(minutes=1)  # type: ignore[operator]  # it isn't None


def test_new_order_between_idle_stores_is_stored(in_job: World) -> None:
    ids = _idle_stores(in_job, 3)
    number = in_job.sandbox.place_order(account=str(int(ACCOUNT) + 1))
    poll(ids)
    assert in_job.states()[number] == "ready"


def test_page_with_an_order_without_number_is_not_idle(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    real = BigCartel.order_pages

    def pages(self: BigCartel, **wanted: Any) -> Iterator[OrderPage]:
        return (replace(page, nameless=1) for page in real(self, **wanted))

    monkeypatch.setattr(BigCartel, "order_pages", pages)
    poll(ids)
    assert full_polls == ids


@pytest.mark.parametrize("error", ["an answer", "a bug"])
def test_failure_ends_the_reading_and_each_store_gets_its_poll(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    ids = _idle_stores(in_job, 6)
    full_polls.clear()
    monkeypatch.setattr(jobs.turns, "CALLS_AT_ONCE", 1)
    if error == "an answer":
        in_job.sandbox.fault("orders", "status", status=500, times=1)
    else:

        def broken(*_: object) -> Iterator[OrderPage]:
            raise ValueError

        monkeypatch.setattr(idle, "updated_pages", broken)

    poll(ids)

    assert full_polls == ids
    assert in_job.sandbox.calls()[LIST] == len(ids) + (error == "an answer")
    assert {_get(in_job, store_id).poll_error for store_id in ids} == {""}


def test_big_cartel_failing_leaves_all_stores_due(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be found failing after the stores were claimed."""
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    real = idle.record_idle

    def fails_first(*details: Any, **more: Any) -> Any:
        with in_job.session() as session:
            session.add(Host(name=HostName.BIG_CARTEL, failing_since=_ago(seconds=5), error="Down.", probe_at=_ago()))
            session.commit()
        return real(*details, **more)

    monkeypatch.setattr(jobs.poll, "record_idle", fails_first)
    poll(ids)
    assert in_job.sandbox.calls() == {}


def _webhook(world: World, _store_id: int) -> None:
    with world.session() as session:
        assert poll_soon(session, ACCOUNT, datetime.now(UTC)) is not None


def _synced(world: World, store_id: int) -> None:
    with world.session() as session:
        poll_store(session, store_id, world.settings, BY_PERSON)


def _counts_again(world: World, store_id: int) -> None:
    with world.session() as session:
        recount.ask(session, [store_id], datetime.now(UTC))
        session.commit()


def _disconnected(world: World, store_id: int) -> None:
    with world.session() as session:
        store = session.get_one(Store, store_id)
        disconnect_store(session, store, settings=world.settings, now=datetime.now(UTC), actor="tests")


def _reconnected(world: World, store_id: int) -> None:
    with world.session() as session:
        connect_store(
            session,
            _get(world, store_id).merchant_id,
            account_id=ACCOUNT,
            token=f"{BIGCARTEL_TOKEN}-{ACCOUNT}",
            settings=world.settings,
            now=datetime.now(UTC),
            actor="tests",
        )


MEANWHILE: dict[str, Callable[[World, int], object]] = {
    "webhook": _webhook,
    "synced by a person": _synced,
    "sweep asked for": _counts_again,
    "disconnected": _disconnected,
    "reconnected": _reconnected,
    "claimed by another worker": _store(next_poll_at=timedelta(minutes=30)),
}


def _while_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something after the first store's page was read."""
    real = updated_pages
    acts = iter([act])

    def pages(*details: Any) -> Iterator[OrderPage]:
        page = next(real(*details))
        if first := next(acts, None):
            first()
        yield page

    monkeypatch.setattr(idle, "updated_pages", pages)
    monkeypatch.setattr(jobs.turns, "CALLS_AT_ONCE", 1)


@pytest.mark.parametrize("happened", MEANWHILE)
def test_what_happens_to_a_store_while_it_is_read_wins(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch, happened: str
) -> None:
    ids = _idle_stores(in_job, 3)
    full_polls.clear()
    seen: list[Store] = []

    def act() -> None:
        MEANWHILE[happened](in_job, ids[0])
        seen.append(_get(in_job, ids[0]))

    _while_reading(monkeypatch, act)
    poll(ids)

    after = _get(in_job, ids[0])
    for column in ("next_poll_at", "last_swept_at", "last_polled_at", "sealed_token"):
        assert getattr(after, column) == getattr(seen[0], column), column
    assert full_polls == []
    assert all(_get(in_job, store_id).next_poll_at > datetime.now(UTC) for store_id in ids[1:])  # type: ignore[operator]


def test_store_whose_token_was_replaced_while_it_was_read_is_read_with_the_new_one(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    other = _get(in_job, ids[1]).sealed_token
    _while_reading(monkeypatch, lambda: _set(in_job, ids[0], sealed_token=other))
    poll(ids)
    assert full_polls == ids[:1]


def test_claim_that_ended_while_the_lists_were_read_records_nothing(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook leaves a store alone that is due already, so what was read before it mustn't count."""
    ids = _idle_stores(in_job, 2)
    full_polls.clear()
    monkeypatch.setattr(claims, "LEASE", timedelta(0))
    poll(ids)
    assert full_polls == ids


def test_stores_stay_due_if_the_worker_dies_while_it_reads(
    in_job: World, full_polls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _idle_stores(in_job, 2)
    full_polls.clear()

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(idle, "set_unlocked", dies)
        with pytest.raises(SystemExit):
            poll(ids)
    until = [_get(in_job, store_id).next_poll_at for store_id in ids]
    assert all(one == other for one, other in pairwise(until))
    assert until[0] is not None
    assert datetime.now(UTC) < until[0] <= datetime.now(UTC) + LEASE
