"""Two merchants, each with one of everything that an address can name, and a support user."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_order
from portal.clock import utc_now
from portal.crypto import seal
from portal.extensions import db
from portal.fulfillment.order_edits import stored_address
from portal.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    AuditEntry,
    ChangeAfterSending,
    Channel,
    Incident,
    IncidentEvent,
    IncidentKind,
    Merchant,
    Message,
    MessageKind,
    Order,
    OrderState,
    Product,
    Role,
    SavedFilter,
    SkuOverride,
    Store,
    StoredDifference,
    Trigger,
    User,
    WebhookEndpoint,
    WebhookFormat,
)
from portal.models.states import AT_THE_WAREHOUSE
from portal.people.invitations import INVITED
from portal.rules.hold_reasons import HoldReason
from tests.views.orders_world import document

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask
    from sqlalchemy.orm import Session

    from portal.models import StoredEdits, StoredLine

SUPPORT = "support@warehouse.example"
NAMED_IN_URL = OrderState.REJECTED
"""State of the order used in addresses: a rejected order can be both retried and closed."""


@dataclass(frozen=True, slots=True)
class Side:
    """One merchant: ``name`` is part of all its texts, ``arguments`` are its values for URL arguments."""

    name: str
    user: str
    arguments: dict[str, str | int]
    ids: frozenset[str]
    """Every id by which a form field can refer to its data."""


@dataclass(frozen=True, slots=True)
class World:
    own: Side
    foreign: Side


def build(app: Flask) -> World:
    """Create both merchants and a support user in the app's database."""
    with app.app_context():
        session, now = db.session(), utc_now()
        keys = app.config["SETTINGS"].token_keys
        world = World(
            own=_side(session, 816, "Fern", now, seal("token", keys)),
            foreign=_side(session, 900, "Zebra", now, seal("token", keys)),
        )
        _user(session, SUPPORT, None, now)
        session.commit()
    shared = world.own.arguments.items() & world.foreign.arguments.items()
    assert not shared, f"Both merchants have the same {shared}, so tests couldn't tell whether a page is scoped."
    return world


def _side(session: Session, merchant_id: int, name: str, now: datetime, sealed: str) -> Side:
    host = f"{name.lower()}.example"
    merchant = Merchant(
        id=merchant_id, name=f"{name} Goods", sealed_token=sealed, domestic_service="USPS_MEDIA",
        rules_changed_at=now, created_at=now,
    )  # fmt: skip
    session.add(merchant)
    session.flush()
    user = _user(session, f"owner@{host}", merchant_id, now)
    teammate = _user(session, f"teammate@{host}", merchant_id, now)
    store = Store(
        merchant_id=merchant_id, account_id=f"10{merchant_id}", name=f"{name} Store", sealed_token=sealed,
        connected_at=now, live=True, next_poll_at=now + timedelta(minutes=5), last_polled_at=now,
    )  # fmt: skip
    session.add(store)
    session.flush()
    product = f"{merchant_id}77"
    session.add(
        Product(
            store_id=store.id, product_id=product, name=f"{name} Mug", description=f"A mug.\n\nSKU:{name.upper()}-1",
            options=[], fetched_at=now,
        )
    )  # fmt: skip
    session.add(SkuOverride(store_id=store.id, product_id=product, sku=f"{name.upper()}-2", set_by="test", set_at=now))
    attempts = {state: _order(session, store, name, state, now) for state in OrderState}
    session.add(
        WebhookEndpoint(
            merchant_id=merchant_id, sealed_url=sealed, format=WebhookFormat.STANDARD, sealed_secret=sealed,
            created_at=now,
        )
    )  # fmt: skip
    message = Message(
        key=f"webhook:{name}", channel=Channel.WEBHOOK, kind=MessageKind.INCIDENT_OPENED, merchant_id=merchant_id,
        recipient=f"hooks.{host}", subject=f"{name} incident", text="{}", created_at=now,
        error=f"hooks.{host} returned an error.", http_status=500, tries=9,
    )  # fmt: skip
    session.add(message)
    invitation = AuditEntry(
        at=now, actor=user.email, merchant_id=merchant_id, action=INVITED, subject=f"invited@{host}"
    )  # fmt: skip
    session.add(invitation)
    incident = Incident(
        kind=IncidentKind.ORDERS_REJECTED, key=f"orders_rejected:{merchant_id}:sku", merchant_id=merchant_id,
        title=f"1 order rejected: unknown SKU {name.upper()}-1", orders=1, most_orders=1,
        opened_at=now, found_at=now, checked_at=now,
    )  # fmt: skip
    session.add(incident)
    session.flush()
    session.add(IncidentEvent(incident_id=incident.id, at=now, sentence=f"Opened: {incident.title}."))
    session.add(
        Message(
            key=f"test:{merchant_id}", channel=Channel.EMAIL, kind=MessageKind.INCIDENT_OPENED,
            merchant_id=merchant_id, user_id=user.id, incident_id=incident.id, recipient=user.email,
            subject=incident.title, text=f"{name} text", created_at=now, sent_at=now, tries=1,
        )
    )  # fmt: skip
    saved = SavedFilter(user_id=user.id, merchant_id=merchant_id, name=f"{name} filter", query="", created_at=now)
    session.add(saved)
    session.flush()
    named = attempts[NAMED_IN_URL]
    arguments: dict[str, str | int] = {
        "merchant_id": merchant_id,
        "store_id": store.id,
        "product_id": product,
        "number": named.order.number,
        "attempt_id": named.id,
        "user_id": teammate.id,
        "invitation_id": invitation.id,
        "incident_id": incident.id,
        "message_id": message.id,
        "filter_id": saved.id,
    }
    ids = {str(value) for value in (*arguments.values(), named.order_id)}
    return Side(name, user.email, arguments, frozenset(one for one in ids if one.isdecimal()))


def _user(session: Session, email: str, merchant_id: int | None, now: datetime) -> User:
    user = User(
        email=email, password_hash="none", session_key=f"key-{email}", merchant_id=merchant_id, created_at=now,
        role=Role.SUPPORT if merchant_id is None else Role.MERCHANT,
    )  # fmt: skip
    session.add(user)
    session.flush()
    return user


def _order(session: Session, store: Store, name: str, state: OrderState, now: datetime) -> Attempt:
    """Create an order in this state with one attempt, and return the attempt."""
    number = f"{name.upper()}-{100_000 + list(OrderState).index(state)}"
    is_held = state is OrderState.HELD
    # As it is with an item that can be fixed; the ready order has every kind of edit.
    line: StoredLine = {
        "item_id": "1", "name": f"{name} Mug", "option": "", "product_id": f"{store.merchant_id}77", "option_id": None,
        "sku": "", "quantity": 2, "source": "none", "left_out": False, "problems": [],
    }  # fmt: skip
    address = stored_address(read_order(document(number)).address)
    edits: StoredEdits = {
        "items": {"1": {"product_id": None, "option_id": None, "sku": "A-1", "is_not_shipped": False}},
        "address": {"address": address, "instead_of": address},
        "hold": {"by": "test", "at": now.isoformat(), "note": ""},
    }
    order = Order(
        merchant_id=store.merchant_id, store_id=store.id, number=number, state=state, state_changed_at=now,
        lines=[line], edits=edits if state is OrderState.READY else None,
        document=json.dumps(document(number)), placed_at=now, first_seen_at=now, shipping_code="DOMESTIC_DEFAULT",
        holds=[
            {"reason": HoldReason.NO_SKU.value, "detail": f"{name} Mug"},
            {"reason": HoldReason.HELD_BY_HAND.value, "detail": "test"},
        ] if is_held else [],
        next_attempt_at=now + timedelta(minutes=5) if state is OrderState.READY else None,
        state_reason=f"Invalid SKU: {name.upper()}-1" if state is OrderState.REJECTED else "",
        claim="a worker" if state is OrderState.SUBMITTING else "",
        submitted_at=now if state in AT_THE_WAREHOUSE else None,
        completed_at=now if state is OrderState.COMPLETED else None,
    )  # fmt: skip
    session.add(order)
    session.flush()
    attempt = Attempt(
        merchant_id=store.merchant_id, order_id=order.id, order=order, kind=AttemptKind.SUBMIT,
        trigger=Trigger.SCHEDULE, started_at=now, finished_at=now, outcome=AttemptOutcome.REFUSED, http_status=200,
        words=f"{name} words", explanation=f"{name} explanation.", request=f"<Order>{number}</Order>",
        answer=f"<Status>{name}</Status>",
    )  # fmt: skip
    session.add(attempt)
    if state is OrderState.SUBMITTED:
        changed: list[StoredDifference] = [{"field": "City", "before": f"{name}ville", "after": f"New {name}ville"}]
        session.add(ChangeAfterSending(order_id=order.id, merchant_id=store.merchant_id, at=now, fields=changed))
    session.flush()
    return attempt
