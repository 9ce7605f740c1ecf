"""A restored backup is older than the warehouse: what was sent since must not be sent again.

The commands are those of docs/operations.md, run in a shell.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rq.utils import utcformat
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from sqlalchemy import NullPool, create_engine, make_url, select, text

from portal.actions.overrides import set_skus
from portal.clock import utc_now
from portal.models import AttemptKind, Channel, Message, MessageKind, Order, OrderEvent, Product
from portal.queue import QUEUE, connect
from portal.rules.sku_by_hand import WHOLE
from tests.operations.documented import block, run

if TYPE_CHECKING:
    from tests.fulfillment.world import World


class Backups:
    """Back up and restore the portal's database with the documented commands."""

    def __init__(self, world: World, folder: Path, postgres_server: str) -> None:
        self.world, self.folder, self.server = world, folder, postgres_server
        self.url = make_url(world.settings.database_url)
        self.is_sqlite = self.url.drivername == "sqlite"
        if self.is_sqlite:
            (folder / "instance").symlink_to(Path(str(self.url.database)).parent)

    def back_up(self) -> None:
        self.run(block('python -c "import sqlite3') if self.is_sqlite else block("pg_dump"))

    def restore(self) -> None:
        self.world.close()
        if self.is_sqlite:
            self.run(block("rm -f instance"))
            return
        with create_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            connection.execute(text(f"DROP DATABASE {self.url.database} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {self.url.database}"))
        self.run(block("pg_restore"))

    def run(self, commands: str) -> None:
        run(commands, self.world.settings, folder=self.folder)


@pytest.fixture
def backups(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Backups:
    folder = tmp_path / "operator"
    folder.mkdir()
    is_sqlite = world.settings.database_url.startswith("sqlite")
    return Backups(world, folder, "" if is_sqlite else request.getfixturevalue("postgres_server"))


def after_restore(world: World, *, status: int = 0) -> str:
    assert world.cli("db", "upgrade").exit_code == 0
    done = world.cli("after-restore")
    assert done.exit_code == status, done.output
    return done.output


def add_message(world: World) -> None:
    now = world.clock()
    with world.session() as session:
        session.add(
            Message(
                key="m", channel=Channel.EMAIL, kind=MessageKind.NOTE, recipient="a@b.example", subject="s", text="t",
                created_at=now, next_attempt_at=now,
            )
        )  # fmt: skip
        session.commit()


def test_orders_sent_after_the_backup_are_not_sent_again(world: World, backups: Backups) -> None:
    before = world.sandbox.place_orders(count=3)
    world.poll()
    assert set(world.states().values()) == {"ready"}
    add_message(world)
    backups.back_up()
    # Not in the second of the last change that the backup knows: such orders are looked up while they are synced.
    later = {"created_at": f"{utc_now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"}
    after = world.sandbox.place_orders(count=2, template=later)
    world.run_until_settled(2)
    assert set(world.states().values()) == {"submitted"}
    never_sent = world.sandbox.place_orders(count=1, template=later)
    once = dict.fromkeys(before + after, 1)
    assert world.sandbox.posted() == once

    backups.restore()
    assert set(world.states()) == set(before)
    said = after_restore(world)
    assert "merchant 816: 6 orders to be checked with the warehouse." in said
    assert "1 message not sent again." in said
    assert set(world.states().values()) == {"unconfirmed"}
    assert world.sandbox.posted() == once, "the command sends nothing"

    world.run_until_settled(3)
    # Not even a request that the warehouse would reject as a duplicate.
    assert world.sandbox.posted() == once | dict.fromkeys(never_sent, 1)
    assert set(world.states().values()) == {"submitted"}
    with world.session() as session:
        assert session.scalars(select(Message.next_attempt_at)).one() is None
        reasons = session.scalars(select(OrderEvent.reason).join(Order).where(Order.number == before[0])).all()
    assert "a backup was restored, so we ask the warehouse first" in reasons
    world.sandbox.ship_all()
    world.run_until_settled(2)
    assert set(world.sandbox.shipping_statuses().values()) == {"shipped"}


def test_orders_on_hold_or_rejected_stay_so_unless_they_were_sent(world: World, backups: Backups) -> None:
    for product in ("7", "8"):
        world.sandbox.put_product(product, name="Tee", description="Wash at 30")
    held_then_sent, held = world.sandbox.place_orders([{"items": [{"product": product}]} for product in ("7", "8")])
    rejected_then_sent, rejected = world.sandbox.place_orders(count=2)
    world.poll()
    for number in (rejected_then_sent, rejected):
        world.change_order(number, state="rejected", state_reason="Invalid SKU", next_attempt_at=None)
    backups.back_up()
    with world.session() as session:
        tee = session.scalars(select(Product).where(Product.product_id == "7")).one()
        set_skus(session, tee, {WHOLE: "TEE"}, actor="tests", reason="", now=world.clock())
    world.change_order(rejected_then_sent, state="ready", state_reason="", next_attempt_at=world.clock())
    world.clock.forward(minutes=1)
    world.poll()
    world.submit()
    assert world.sandbox.posted() == {held_then_sent: 1, rejected_then_sent: 1}

    backups.restore()
    said = after_restore(world)
    assert f"at the warehouse: {held_then_sent}, {rejected_then_sent}" in said
    assert world.states() == {
        held_then_sent: "unconfirmed", held: "held", rejected_then_sent: "unconfirmed", rejected: "rejected",
    }  # fmt: skip
    world.settle()
    assert world.states()[held_then_sent] == world.states()[rejected_then_sent] == "submitted"
    assert world.order(rejected).state_reason == "Invalid SKU"


def test_what_cannot_be_checked_now_is_said_and_still_not_sent_unchecked(world: World) -> None:
    (number,) = world.sandbox.place_orders(count=1)
    world.poll()
    (held,) = world.sandbox.place_orders(count=1)
    world.poll()
    world.change_order(held, state="rejected", state_reason="Invalid SKU", next_attempt_at=None)
    world.sandbox.fault("status", "status", status=500, times=None)
    assert "Orders on hold or rejected were not checked." in after_restore(world, status=1)
    world.sandbox.clear_faults()
    world.sandbox.fault("orders", "status", status=500, times=None)
    assert "not synced." in after_restore(world, status=1)
    world.sandbox.clear_faults()
    after_restore(world)
    assert world.states()[number] == "unconfirmed"
    assert world.attempts(number, AttemptKind.SUBMIT) == []


def test_without_a_status_call_the_warehouse_rejects_what_it_has(world: World) -> None:
    (number,) = world.sandbox.place_orders(count=1)
    world.poll()
    world.submit()
    world.change_order(number, state="ready", submitted_at=None, next_attempt_at=world.clock())
    (rejected,) = world.sandbox.place_orders(count=1)
    world.poll()
    world.change_order(rejected, state="rejected", state_reason="Invalid SKU", next_attempt_at=None)
    world.sandbox.fault("status", "status", status=404, times=None)
    assert "The warehouse has no status call." in after_restore(world)
    world.run_until_settled(2)
    assert world.sandbox.accepted() == {number: 1}
    assert world.states() == {number: "submitted", rejected: "rejected"}


def test_refused_while_a_worker_runs(world: World, redis_url: str) -> None:
    world.settings = replace(world.settings, redis_url=redis_url)
    world.forget_app()
    world.sandbox.place_orders(count=1)
    world.poll()
    with connect(redis_url) as connection:
        connection.sadd(WORKERS_BY_QUEUE_KEY % QUEUE, "rq:worker:1")
        connection.hset("rq:worker:1", "last_heartbeat", utcformat(utc_now()))
    assert "Stop the workers first." in after_restore(world, status=1)
    assert set(world.states().values()) == {"ready"}
