"""How long the warehouse's answer is not yet, or no longer, the last word on an order."""

from __future__ import annotations

from datetime import timedelta

STATUS_LAG = timedelta(seconds=30)
"""For this long after an order was sent, the warehouse's "not found" may only mean "not yet"."""
CANCELED_FOR_GOOD_AFTER = timedelta(days=14)
"""For this long we keep asking about an order that the warehouse canceled: it may take the order up again."""
CHECK_CANCELED_EVERY = timedelta(hours=1)
"""How often we ask if a merchant has only such orders. Otherwise they are part of the calls about open orders."""
