"""The tables, typed, one aggregate per file; no HTTP and no rules beyond the row."""

from __future__ import annotations

from portal.models.account import Merchant, Role, User
from portal.models.attempt import Attempt, AttemptKind, AttemptOutcome, Trigger
from portal.models.audit import AuditEntry
from portal.models.base import Base
from portal.models.chore import Chore
from portal.models.host import Host, HostName
from portal.models.lease import Lease
from portal.models.log_in import LogIn
from portal.models.order import Order
from portal.models.product import Product, ProductToFix, SkuOverride
from portal.models.rate import MarkedRate, RateMark
from portal.models.states import ClosedBecause, OrderState
from portal.models.store import Store
from portal.models.stored import StoredHold, StoredLine, StoredReconciliation

__all__ = [
    "Attempt",
    "AttemptKind",
    "AttemptOutcome",
    "AuditEntry",
    "Base",
    "Chore",
    "ClosedBecause",
    "Host",
    "HostName",
    "Lease",
    "LogIn",
    "MarkedRate",
    "Merchant",
    "Order",
    "OrderState",
    "Product",
    "ProductToFix",
    "RateMark",
    "Role",
    "SkuOverride",
    "Store",
    "StoredHold",
    "StoredLine",
    "StoredReconciliation",
    "Trigger",
    "User",
]
