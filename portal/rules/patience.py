"""How long what we have read counts: the warehouse's answer about an order, and a product for an order that waits."""

from __future__ import annotations

from datetime import timedelta

STATUS_LAG = timedelta(seconds=30)
"""For this long after an order was sent, the warehouse's "not found" may only mean "not yet"."""
CANCELED_FOR_GOOD_AFTER = timedelta(days=14)
"""For this long we keep asking about an order that the warehouse canceled: it may take the order up again."""
CHECK_CANCELED_EVERY = timedelta(hours=1)
"""How often we ask if a merchant has only such orders. Otherwise they are part of the calls about open orders."""
SENT_AS_READ = timedelta(minutes=5)
"""An order that we have known for longer than this is sent only after its products were read again."""
