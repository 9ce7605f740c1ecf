"""What every fulfillment test works with: a portal with its database, merchants and clock, and the sandbox."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import create_app
from portal.actions.merchants import save_merchant
from portal.actions.stores import connect_store, go_live
from portal.extensions import db
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.probe import check_credentials, probe_hosts
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.submit.run import settle_merchant, submit_merchant
from portal.fulfillment.track.run import track_merchant
from portal.models import Attempt, AttemptKind, Merchant, Order, Store, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result
    from flask import Flask
    from sqlalchemy import Engine

    from config import Settings
    from portal.fulfillment.poll.context import PollResult
    from portal.fulfillment.submit.context import SubmitResult
    from portal.fulfillment.track.context import TrackResult
    from sandbox.client import Sandbox

MERCHANT, ACCOUNT = 816, "1000001"
BIGCARTEL_TOKEN = "store-token-of-the-tests"
MERCHANT_TOKEN = "merchant-token-of-the-tests"
BY_PERSON = RunContext(trigger=Trigger.PERSON)


@dataclass
class Clock:
    """The real time, moved forward by the test."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class World:
    sandbox: Sandbox
    settings: Settings
    engine: Engine
    clock: Clock = field(default_factory=Clock)
    _app: Flask | None = None

    # Setup

    def add_merchant(self, merchant: int = MERCHANT, account: str = ACCOUNT, **rules: Any) -> int:
        """Add a merchant with a live store and both shipping codes mapped, in the portal and in the sandbox."""
        self.sandbox.put_account(account, tokens=[f"{BIGCARTEL_TOKEN}-{account}"])
        self.sandbox.put_merchant(str(merchant), name="Example Shop", token=f"{MERCHANT_TOKEN}-{merchant}")
        self.sandbox.put_product("1", name="Plain Mug", description="A plain mug.\n\nSKU:MUG-01", account=account)
        now = self.clock()
        with self.session() as session:
            save_merchant(
                session,
                merchant,
                name="Example Shop",
                token=f"{MERCHANT_TOKEN}-{merchant}",
                settings=self.settings,
                now=now,
                actor="tests",
            )
            row = session.get_one(Merchant, merchant)
            mapped = {"domestic_service": "USPS_MEDIA", "international_service": "EPGEPACKT"}
            for name, value in {**mapped, **rules}.items():
                setattr(row, name, value)
            store, _ = connect_store(
                session,
                merchant,
                account_id=account,
                token=f"{BIGCARTEL_TOKEN}-{account}",
                settings=self.settings,
                now=now,
                actor="tests",
            )
            go_live(session, store, starts_at=None, now=now, actor="tests")
        return merchant

    def add_store(self, account: str, *, sealed_token: str, merchant: int = MERCHANT) -> int:
        """Add another store of a merchant, in the portal only. Return its id."""
        with self.session() as session:
            store = Store(
                merchant_id=merchant, account_id=account, sealed_token=sealed_token, connected_at=self.clock()
            )
            session.add(store)
            session.commit()
            return store.id

    def change_merchant(self, merchant: int = MERCHANT, **columns: Any) -> None:
        """Change the merchant's settings as the settings page does, and record that they changed."""
        with self.session() as session:
            row = session.get_one(Merchant, merchant)
            for name, value in columns.items():
                setattr(row, name, value)
            row.rules_changed_at = self.clock()
            session.commit()

    def change_store(self, account: str = ACCOUNT, **columns: Any) -> None:
        with self.session() as session:
            row = session.scalars(select(Store).where(Store.account_id == account)).one()
            for name, value in columns.items():
                setattr(row, name, value)
            row.merchant.rules_changed_at = self.clock()
            session.commit()

    def change_order(self, number: str, **columns: Any) -> None:
        with self.session() as session:
            row = session.scalars(select(Order).where(Order.number == number)).one()
            for name, value in columns.items():
                setattr(row, name, value)
            session.commit()

    # Steps

    @contextmanager
    def session(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def poll(self, account: str = ACCOUNT, *, context: RunContext = ON_SCHEDULE) -> PollResult:
        store_id = self.store(account).id
        with self.session() as session:
            return poll_store(session, store_id, self.settings, replace(context, clock=self.clock))

    def sweep(self, account: str = ACCOUNT) -> PollResult:
        """Poll more than an hour later, when every unshipped order is read."""
        self.clock.forward(minutes=61)
        return self.poll(account)

    def probe(self, merchant: int = MERCHANT) -> None:
        """Probe the services that fail, and the credentials of a stopped merchant."""
        with self.session() as session:
            probe_hosts(session, self.settings, self.clock)
            check_credentials(session, merchant, self.settings, self.clock)

    def submit(self, merchant: int = MERCHANT, *, context: RunContext = ON_SCHEDULE) -> SubmitResult:
        with self.session() as session:
            return submit_merchant(session, merchant, self.settings, replace(context, clock=self.clock))

    def settle(self, merchant: int = MERCHANT) -> SubmitResult:
        with self.session() as session:
            return settle_merchant(session, merchant, self.settings, RunContext(clock=self.clock))

    def track(self, merchant: int = MERCHANT, *, context: RunContext = ON_SCHEDULE) -> TrackResult:
        with self.session() as session:
            return track_merchant(session, merchant, self.settings, replace(context, clock=self.clock))

    def run(self, merchant: int = MERCHANT, account: str = ACCOUNT) -> None:
        """Do what the schedule does in one turn."""
        self.probe(merchant)
        self.poll(account)
        self.submit(merchant)
        self.track(merchant)

    def run_until_settled(self, turns: int = 8) -> None:
        """Run the schedule several times, ten minutes apart."""
        for _ in range(turns):
            self.run()
            self.clock.forward(minutes=10)

    def cli(self, *args: str, stdin: str = "") -> Result:
        if self._app is None:
            self._app = create_app(self.settings)
        result: Result = self._app.test_cli_runner().invoke(args=args, input=stdin)
        return result

    # Results

    def store(self, account: str = ACCOUNT) -> Store:
        with self.session() as session:
            return session.scalars(select(Store).where(Store.account_id == account)).one()

    def merchant(self, merchant: int = MERCHANT) -> Merchant:
        with self.session() as session:
            return session.get_one(Merchant, merchant)

    def order(self, number: str) -> Order:
        with self.session() as session:
            return session.scalars(select(Order).where(Order.number == number)).one()

    def states(self) -> dict[str, str]:
        with self.session() as session:
            return {number: state.value for number, state in session.execute(select(Order.number, Order.state))}

    def reasons(self, number: str) -> set[str]:
        return {hold["reason"] for hold in self.order(number).holds}

    def attempts(self, number: str, kind: AttemptKind | None = None) -> list[Attempt]:
        query = select(Attempt).join(Order, Order.id == Attempt.order_id).where(Order.number == number)
        if kind is not None:
            query = query.where(Attempt.kind == kind)
        with self.session() as session:
            return list(session.scalars(query.order_by(Attempt.id)))

    def forget_app(self) -> None:
        """Make the next command start a new app, with the settings as they are then."""
        if self._app is not None:
            with self._app.app_context():
                db.engine.dispose()
            self._app = None

    def close(self) -> None:
        self.engine.dispose()
        self.forget_app()
