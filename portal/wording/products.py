"""What the pages say after a person has set or removed SKUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.wording.counts import count_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def saved(skus: Sequence[str], on_hold: int) -> str:
    """Return what happened: the new SKUs, each "" if it was removed, and the number of orders on hold they concern."""
    if not skus:
        return "Nothing changed."
    count = "SKU" if len(skus) == 1 else f"{len(skus)} SKUs"
    products = "this product" if len(skus) == 1 else "these products"
    done = f"{count} {'saved' if any(skus) else 'removed'}."
    if not on_hold:
        return f"{done} No orders on hold have {products}."
    return f"{done} We're checking {count_of(on_hold, 'order')} on hold with {products} again now."
