"""What stops a store or a merchant, and what to do about it."""

from __future__ import annotations

RECONNECT = "Big Cartel no longer accepts our access token. Reconnect the store."
DISCONNECTED = "The store is disconnected. Reconnect the store."
CHECK_CREDENTIALS = "The warehouse rejected the merchant's credentials. Check the Merchant Token and the Merchant Name."


def credentials_rejected_because(words: str) -> str:
    """``words`` is the warehouse's own message, or ""."""
    return f'{CHECK_CREDENTIALS} The warehouse said: "{words}".' if words else CHECK_CREDENTIALS


NO_STATUS_CALL = (
    "The warehouse's system doesn't tell us which orders it has shipped, so we can't mark them as shipped in "
    "Big Cartel. Mark them there yourself, and ask support to look into it."
)
STORE_NOT_CHECKED = (
    "The warehouse doesn't have some orders that await confirmation. "
    "We send them again as soon as we can check them in Big Cartel."
)
PRODUCTS_NOT_READ = (
    "Some orders have waited for more than five minutes, and we couldn't check their SKUs in Big Cartel. "
    "We send them as soon as we can."
)
DRY_RUN_FAILED = "Something went wrong on our side, and we've logged it. Start the dry run again in a few minutes."
DRY_RUN_UNCLEAR = "The warehouse returned errors several times in a row. Start the dry run again in a few minutes."
ANOTHER_TOOK_OVER = "Another worker took over while this one was paused. Nothing was sent."
