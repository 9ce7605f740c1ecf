"""Big Cartel's webhooks: whether one is genuine, and what it says.

Source: help.bigcartel.com/developers/api/v1/webhooks. A POST of ``{"account_id", "type", "payload"}`` with the header
X-Webhook-Signature, the HMAC-SHA256 of the raw body in hexadecimal, keyed with the app's client secret.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clients.bigcartel_oauth import read_account_id

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNATURE_HEADER = "X-Webhook-Signature"
MAX_BYTES = 1024 * 1024
"""Of a body. An order with a hundred items has about 100 KiB."""


class MalformedError(Exception):
    """A genuine webhook isn't an event as Big Cartel documents it."""


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """Something that happened in a store. ``account_id`` is "" if it isn't an ID."""

    account_id: str
    type: str

    @property
    def is_about_orders_or_access(self) -> bool:
        """Whether a poll of the store would find something: an order, or that our access has ended."""
        return self.type.startswith("order.") or self.type in {"account.deauthorized", "account.closed"}


def is_genuine(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Return whether one of the secrets signed exactly this body. Every secret is tried, in constant time."""
    given = signature.encode("utf-8", "surrogatepass")
    fits = [
        hmac.compare_digest(hmac.new(secret.encode(), body, "sha256").hexdigest().encode(), given) for secret in secrets
    ]
    return any(fits)


def read_event(body: bytes) -> StoreEvent:
    """Return the event. Raises MalformedError. The payload isn't read: a poll reads what is true by then."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError from None
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise MalformedError
    return StoreEvent(read_account_id(document.get("account_id")), document["type"])
