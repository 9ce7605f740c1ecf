"""A purge changes few rows at a time, holds no lock in between, and waits for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, func, select, update

from portal.fulfillment import purge as purging
from portal.fulfillment.purge import purge
from portal.models import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from tests.fulfillment.world import World

ORDERS = 5


@pytest.fixture
def batches_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)


def _completed(world: World) -> None:
    world.sandbox.place_orders(count=ORDERS)
    world.run()
    world.sandbox.ship_all()
    world.run()
    assert set(world.states().values()) == {"completed"}
    world.clock.forward(days=91)


def _purge(session: Session, world: World) -> Iterator[int]:
    return purge(session, days=90, now=world.clock())


@pytest.mark.usefixtures("batches_of_two")
def test_purge_commits_each_batch(world: World) -> None:
    _completed(world)
    emptied: list[int | None] = []

    def committed(_: Session) -> None:
        with world.engine.connect() as connection:
            emptied.append(connection.scalar(select(func.count()).where(Order.purged_at.is_not(None))))

    with world.session() as session:
        event.listen(session, "after_commit", committed)
        assert list(_purge(session, world)) == [2, 2, 1]
    assert {2, 4, 5} == set(emptied)


@pytest.mark.usefixtures("batches_of_two")
def test_purge_that_is_interrupted_goes_on_where_it_ended(world: World) -> None:
    _completed(world)
    with world.session() as session:
        assert next(_purge(session, world)) == 2
    with world.session() as session:
        assert list(_purge(session, world)) == [2, 1]


@pytest.mark.usefixtures("batches_of_two")
def test_purge_holds_no_lock_between_batches_and_waits_for_none(world: World) -> None:
    """On SQLite there is only the first half: it has one lock for all rows, which a batch needs too."""
    _completed(world)
    with world.session() as session, world.session() as other:
        batches = _purge(session, world)
        assert next(batches) == 2
        assert session.in_transaction() is False
        ids = other.scalars(select(Order.id).order_by(Order.id)).all()
        other.execute(update(Order).values(fcp_status="Seen"))
        other.commit()
        if world.engine.dialect.name == "postgresql":
            other.execute(update(Order).where(Order.id == ids[-1]).values(fcp_status="Changing"))
            assert sum(batches) == 2
            other.commit()
            assert list(_purge(session, world)) == [1]
        else:
            assert sum(batches) == 3
