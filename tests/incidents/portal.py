"""A portal's database with merchants, stores and orders in the states that a look is to find, and a clock to move."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from portal.incidents.run import look
from portal.models import (
    ChangeAfterSending,
    Host,
    HostName,
    Incident,
    IncidentEvent,
    IncidentKind,
    Merchant,
    Order,
    OrderState,
    Store,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from config import Settings

FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
MERCHANT = 816
BUYER = {
    "customer_first_name": "Wilhelmina", "customer_last_name": "Ostrander", "customer_email": "mina@buyer.example",
    "customer_phone_number": "+1 555 010 9999", "shipping_address_1": "12 Elmhurst Street",
    "shipping_city": "Millbrook",
    "shipping_state": "NY", "shipping_zip": "12545",
}  # fmt: skip


class Portal:
    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.now = FRIDAY
        self._orders = 0

    @contextmanager
    def session(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)

    def add_merchant(self, merchant: int = MERCHANT, *, store: dict[str, Any] | None = None, **columns: Any) -> int:
        """Add a merchant with one live store that was synced just now. Return the store's id."""
        with self.session() as session:
            made = {"name": "Shop", "sealed_token": "x", "rules_changed_at": self.now, "created_at": self.now}
            session.add(Merchant(id=merchant, **{**made, **columns}))
            session.flush()
            return self._add_store(session, merchant, **(store or {}))

    def add_store(self, merchant: int = MERCHANT, **columns: Any) -> int:
        with self.session() as session:
            return self._add_store(session, merchant, **columns)

    def _add_store(self, session: Session, merchant: int, **columns: Any) -> int:
        count = session.scalar(select(func.count()).select_from(Store)) or 0
        made: dict[str, Any] = {
            "account_id": str(1_000_001 + count), "name": f"Store {count + 1}", "sealed_token": "x", "live": True,
            "connected_at": self.now - timedelta(days=30), "last_polled_at": self.now, "next_poll_at": self.now,
        }  # fmt: skip
        row = Store(merchant_id=merchant, **{**made, **columns})
        session.add(row)
        session.commit()
        return row.id

    def add_order(self, state: OrderState, *, merchant: int = MERCHANT, sku: str = "GUIDE-1", **columns: Any) -> str:
        """Add an order of the merchant's first store that has just got into this state. Return its number."""
        self._orders += 1
        number = str(columns.pop("number", f"LMFN-{543_100 + self._orders}"))
        document = {"data": {"id": number, "type": "orders", "attributes": BUYER}}
        made: dict[str, Any] = {
            "state_changed_at": self.now, "document": json.dumps(document), "first_seen_at": self.now,
            "lines": [{"sku": sku}], "submitted_at": self.now, "completed_at": self.now,
            "next_attempt_at": self.now if state in {OrderState.READY, OrderState.SHIPPED} else None,
        }  # fmt: skip
        with self.session() as session:
            store_id = session.scalars(select(Store.id).where(Store.merchant_id == merchant).order_by(Store.id)).first()
            session.add(
                Order(merchant_id=merchant, store_id=store_id, number=number, state=state, **{**made, **columns})
            )
            session.commit()
        return number

    def add_change(self, number: str, *fields: str) -> None:
        with self.session() as session:
            order = session.scalars(select(Order).where(Order.number == number)).one()
            differences = [{"field": field, "before": "Elmhurst", "after": "Ostrander"} for field in fields]
            session.add(
                ChangeAfterSending(order_id=order.id, merchant_id=order.merchant_id, at=self.now, fields=differences)
            )
            session.commit()

    def reject(self, words: str, *, count: int = 1, **columns: Any) -> list[str]:
        return [self.add_order(OrderState.REJECTED, state_reason=words, **columns) for _ in range(count)]

    def change(self, table: type[Any], *conditions: Any, **columns: Any) -> None:
        """Set columns of the rows that meet the conditions."""
        with self.session() as session:
            for row in session.scalars(select(table).where(*conditions)):
                for name, value in columns.items():
                    setattr(row, name, value)
            session.commit()

    def change_orders(self, *numbers: str, **columns: Any) -> None:
        self.change(Order, *([Order.number.in_(numbers)] if numbers else []), **columns)

    def set_host(self, name: HostName, error: str) -> None:
        """Make a service fail for everyone, or answer again with an empty error."""
        with self.session() as session:
            since = self.now if error else None
            session.merge(Host(name=name, failing_since=since, error=error, probe_at=self.now))
            session.commit()

    def look(self, **after: float) -> None:
        self.forward(**after)
        with self.session() as session:
            look(session, self.settings, lambda: self.now)

    def statements(self) -> int:
        """Look, and return how many statements that took."""
        seen: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(self.engine, "before_cursor_execute", note)
        self.look(seconds=15)
        event.remove(self.engine, "before_cursor_execute", note)
        return len(seen)

    def incidents(self, *kinds: IncidentKind, is_open: bool | None = True) -> list[Incident]:
        query = select(Incident).order_by(Incident.id)
        if kinds:
            query = query.where(Incident.kind.in_(kinds))
        if is_open is not None:
            query = query.where(Incident.closed_at.is_(None) if is_open else Incident.closed_at.is_not(None))
        with self.session() as session:
            return list(session.scalars(query))

    def titles(self) -> list[str]:
        return [incident.title for incident in self.incidents()]

    def history(self, incident: Incident) -> list[str]:
        query = select(IncidentEvent.sentence).where(IncidentEvent.incident_id == incident.id)
        with self.session() as session:
            return list(session.scalars(query.order_by(IncidentEvent.id)))
