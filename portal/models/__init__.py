"""The tables, typed, one aggregate per file; no HTTP and no rules beyond the row."""

from __future__ import annotations

from portal.models.account import Alerts, Merchant, Role, User
from portal.models.attempt import Attempt, AttemptKind, AttemptOutcome, Trigger
from portal.models.audit import AuditEntry
from portal.models.base import Base
from portal.models.chore import Chore
from portal.models.history import ChangeAfterSending, Note, OrderEvent
from portal.models.host import Host, HostName
from portal.models.incident import Incident, IncidentEvent, IncidentKind
from portal.models.lease import Lease
from portal.models.log_in import LogIn
from portal.models.message import Channel, Message, MessageKind, WebhookEndpoint, WebhookFormat
from portal.models.order import Order
from portal.models.order_search import OrderSearch
from portal.models.product import OptionSku, Product, ProductToFix, SkuDrift, SkuOverride, SkuVerdict
from portal.models.rate import MarkedRate, RateMark
from portal.models.saved_filter import SavedFilter
from portal.models.states import ClosedBecause, OrderState
from portal.models.store import Store
from portal.models.stored import (
    StoredDifference,
    StoredEdits,
    StoredHold,
    StoredLine,
    StoredListView,
    StoredReconciliation,
)
from portal.models.warehouse_check import CheckVerdict, WarehouseCheck

__all__ = [
    "Alerts",
    "Attempt",
    "AttemptKind",
    "AttemptOutcome",
    "AuditEntry",
    "Base",
    "ChangeAfterSending",
    "Channel",
    "CheckVerdict",
    "Chore",
    "ClosedBecause",
    "Host",
    "HostName",
    "Incident",
    "IncidentEvent",
    "IncidentKind",
    "Lease",
    "LogIn",
    "MarkedRate",
    "Merchant",
    "Message",
    "MessageKind",
    "Note",
    "OptionSku",
    "Order",
    "OrderEvent",
    "OrderSearch",
    "OrderState",
    "Product",
    "ProductToFix",
    "RateMark",
    "Role",
    "SavedFilter",
    "SkuDrift",
    "SkuOverride",
    "SkuVerdict",
    "Store",
    "StoredDifference",
    "StoredEdits",
    "StoredHold",
    "StoredLine",
    "StoredListView",
    "StoredReconciliation",
    "Trigger",
    "User",
    "WarehouseCheck",
    "WebhookEndpoint",
    "WebhookFormat",
]
