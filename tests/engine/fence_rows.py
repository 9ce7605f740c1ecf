"""Rows and helpers that the tests of the fence share."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session

from portal.database import engine_options
from portal.engine.leases import leased
from portal.models import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

FAR = datetime(2100, 1, 1, tzinfo=UTC)
"""The work of these tests is done on other rows of the table of leases."""


@contextmanager
def engine_with_a_lease(url: str) -> Iterator[Engine]:
    made = create_engine(url, **engine_options(url))
    with Session(made) as session:
        session.add(Lease(name="work", owner="before", until=FAR))
        session.commit()
    yield made
    made.dispose()


def lease_row(engine: Engine, name: str = "thing") -> Lease:
    with Session(engine) as session:
        return session.get_one(Lease, name)


def take_over(engine: Engine, name: str = "thing") -> None:
    with Session(engine) as session:
        session.execute(update(Lease).where(Lease.name == name).values(owner="another worker", until=FAR))
        session.commit()


def under_lease(session: Session, *steps: Callable[[], object], name: str = "thing") -> None:
    with leased(session, name):
        for step in steps:
            step()


def write_row(session: Session) -> None:
    session.execute(update(Lease).where(Lease.name == "work").values(owner="after"))


def names_written(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return list(session.scalars(select(Lease.name).where(Lease.owner == "after")))
