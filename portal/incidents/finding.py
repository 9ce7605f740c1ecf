"""What one look at the database finds wrong. Findings with the same key are the same incident."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.models import IncidentKind


MAX_KEY = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong now. The fields mean what portal.models.Incident says about its columns."""

    kind: IncidentKind
    merchant_id: int | None
    cause: str
    """What tells it from other findings of this kind about this merchant, in a stable form; empty if nothing has to."""
    title: str
    explanation: str
    since: datetime
    subject: str = ""
    orders: int = 0
    order_numbers: Sequence[str] = ()

    @property
    def key(self) -> str:
        """What the incident is found by again. An index has no room for a cause of any length."""
        text = f"{self.kind}:{self.merchant_id or ''}:{self.cause}"
        return text if len(text) <= MAX_KEY else f"{text[:MAX_KEY]} {hashlib.sha256(text.encode()).hexdigest()}"
