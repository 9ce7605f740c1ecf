"""A scheduled job asks whether its work is still due: it may have waited while another job did the work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, update

from jobs.dry_run import dry_run
from jobs.poll import poll
from jobs.products import products
from jobs.settle import settle
from jobs.submit import submit
from jobs.track import track
from portal.engine.leases import LEASE, LeaseKind
from portal.fulfillment.poll.claims import claimed
from portal.models import Lease, Order, OrderState, Store
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.fulfillment.world import World

LIST = "GET /v1/accounts/{account}/orders"
MOMENT = timedelta(microseconds=1)


def _calls(world: World) -> dict[str, int]:
    calls = world.sandbox.calls()
    world.sandbox.clear_calls()
    return calls


def _stores(world: World, count: int) -> list[int]:
    """Return the ids of this many stores that are due."""
    ids = [world.store().id]
    ids += [world.add_store(f"other-{number}", sealed_token="x") for number in range(1, count)]
    with world.session() as session:
        session.execute(update(Store).values(next_poll_at=datetime.now(UTC) - timedelta(minutes=1)))
        session.commit()
    return ids


def _next_poll(session: Session, store_id: int) -> datetime:
    at = session.get_one(Store, store_id, populate_existing=True).next_poll_at
    session.commit()
    assert at is not None
    return at


def _set_next_poll(session: Session, store_id: int, at: datetime | None) -> None:
    session.execute(update(Store).where(Store.id == store_id).values(next_poll_at=at))
    session.commit()


def test_store_is_polled_once_if_its_job_waits_twice(in_job: World) -> None:
    store_id = in_job.store().id
    poll([store_id])
    assert _calls(in_job)[LIST] == 1

    poll([store_id])
    assert _calls(in_job) == {}


def test_store_synced_by_a_person_is_polled_by_the_next_job(in_job: World) -> None:
    store_id = in_job.store().id
    poll([store_id])
    _calls(in_job)
    with in_job.session() as session:
        _set_next_poll(session, store_id, datetime.now(UTC))

    poll([store_id])
    assert _calls(in_job) == {LIST: 1}


def test_command_polls_a_store_that_is_not_due(in_job: World) -> None:
    in_job.poll()
    _calls(in_job)

    assert in_job.cli("sync", "poll").exit_code == 0
    assert _calls(in_job)[LIST] == 1


def test_due_stores_are_claimed_together_with_one_update(in_job: World) -> None:
    ids, now = _stores(in_job, 4), datetime.now(UTC)
    updates: list[str] = []
    with in_job.session() as session:
        _set_next_poll(session, ids[3], now + MOMENT)
        event.listen(
            in_job.engine,
            "before_cursor_execute",
            lambda *details: updates.append(details[2]) if details[2].startswith("UPDATE") else None,
        )
        turns = claimed(session, ids, lambda: now)
        assert next(turns) == ids[0]
        assert [_next_poll(session, store_id) for store_id in ids] == [now + LEASE] * 3 + [now + MOMENT]
        assert len(updates) == 2, "one for all, and one at the first store's turn"
        assert list(turns) == ids[1:3]


def test_second_job_claims_none_of_the_same_stores(in_job: World) -> None:
    ids, now = _stores(in_job, 3), datetime.now(UTC)
    with in_job.session() as first, in_job.session() as second:
        turns = claimed(first, ids, lambda: now)
        assert next(turns) == ids[0]
        assert list(claimed(second, ids, lambda: now)) == []
        assert list(turns) == ids[1:]


@pytest.mark.parametrize("changed_to", ["claimed by another worker", "synced by a person", "disconnected"])
def test_store_whose_claim_was_lost_is_skipped_at_its_turn(in_job: World, changed_to: str) -> None:
    ids, now = _stores(in_job, 3), datetime.now(UTC)
    later = now + LEASE + MOMENT
    with in_job.session() as first, in_job.session() as second:
        turns = claimed(first, ids, lambda: now)
        assert next(turns) == ids[0]
        if changed_to == "claimed by another worker":
            assert next(claimed(second, ids[1:2], lambda: later)) == ids[1]
        else:
            _set_next_poll(second, ids[1], later if changed_to == "synced by a person" else None)
        assert list(turns) == ids[2:]


def test_expired_claim_still_counts_if_nobody_took_the_store(in_job: World) -> None:
    ids, times = _stores(in_job, 2), [datetime.now(UTC)]
    with in_job.session() as session:
        turns = claimed(session, ids, lambda: times[-1])
        assert next(turns) == ids[0]
        times.append(times[-1] + LEASE + MOMENT)
        assert next(turns) == ids[1]
        assert _next_poll(session, ids[1]) == times[-1] + LEASE


def test_store_that_somebody_reads_is_not_claimed(in_job: World) -> None:
    """Claiming it would change the time by which the other worker tells that nobody requested another poll."""
    (store_id,), now = _stores(in_job, 1), datetime.now(UTC)
    with in_job.session() as session:
        session.add(Lease(name=LeaseKind.READ.of(store_id), owner="another", until=now + LEASE))
        session.commit()
        before = _next_poll(session, store_id)
        assert list(claimed(session, [store_id], lambda: now)) == []
        assert _next_poll(session, store_id) == before


def test_products_are_read_once_if_the_job_waits_twice(in_job: World) -> None:
    store_id = in_job.store().id
    products([store_id])
    assert _calls(in_job)

    products([store_id])
    assert _calls(in_job) == {}

    with in_job.session() as session:
        session.execute(update(Store).values(products_refreshed_at=None))
        session.commit()
    products([store_id])
    assert _calls(in_job)


def test_dry_run_that_is_done_is_not_repeated(in_job: World) -> None:
    in_job.sandbox.place_order()
    in_job.poll()
    _calls(in_job)

    dry_run([in_job.store().id])
    assert _calls(in_job) == {}


def test_submit_and_settle_make_no_call_if_nothing_is_due(in_job: World) -> None:
    number = in_job.sandbox.place_order()
    in_job.poll()
    with in_job.session() as session:
        session.execute(update(Order).values(next_attempt_at=datetime.now(UTC) + timedelta(minutes=5)))
        session.commit()
    _calls(in_job)
    submit([MERCHANT])
    settle([MERCHANT])
    assert _calls(in_job) == {}

    with in_job.session() as session:
        session.execute(update(Order).values(next_attempt_at=datetime.now(UTC)))
        session.commit()
    settle([MERCHANT])
    assert in_job.states() == {number: "ready"}
    submit([MERCHANT])
    assert in_job.states() == {number: "submitted"}


@pytest.mark.parametrize("job", [submit, settle], ids=["submit", "settle"])
def test_unconfirmed_order_is_settled_by_either_job(in_job: World, job: object) -> None:
    number = in_job.sandbox.place_order()
    in_job.run()
    with in_job.session() as session:
        past = datetime.now(UTC) - timedelta(minutes=5)
        session.execute(update(Order).values(state=OrderState.UNCONFIRMED, next_attempt_at=past))
        session.commit()

    (submit if job is submit else settle)([MERCHANT])

    assert in_job.states() == {number: "submitted"}
    assert in_job.sandbox.posted() == {number: 1}


def test_tracking_is_done_once_if_the_job_waits_twice(in_job: World) -> None:
    number = in_job.sandbox.place_order()
    in_job.poll()
    in_job.submit()
    _calls(in_job)
    track([MERCHANT])
    assert len(_calls(in_job)) == 1

    in_job.sandbox.ship_all()
    track([MERCHANT])
    assert _calls(in_job) == {}

    in_job.change_merchant(last_tracked_at=datetime.now(UTC) - timedelta(hours=1))
    track([MERCHANT])
    assert in_job.states() == {number: "completed"}


def test_retried_marking_is_done_although_statuses_are_recent(in_job: World) -> None:
    number = in_job.sandbox.place_order()
    in_job.poll()
    in_job.submit()
    in_job.track()
    with in_job.session() as session:
        later = datetime.now(UTC) + timedelta(minutes=5)
        session.execute(update(Order).values(state=OrderState.SHIPPED, next_attempt_at=later))
        session.commit()
    track([MERCHANT])
    assert in_job.states() == {number: "shipped"}

    with in_job.session() as session:
        session.execute(update(Order).values(next_attempt_at=datetime.now(UTC)))
        session.commit()
    track([MERCHANT])

    assert in_job.states() == {number: "completed"}
