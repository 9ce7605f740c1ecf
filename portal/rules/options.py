"""Find the option of an order's item among the options that its product has now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.bigcartel_types import Option
from portal.rules.sku import option_text

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_option(option_id: str | None, option_name: str, options: Sequence[Option]) -> Option | None:
    """Return the option as it is named now, or None if the product no longer has it.

    It is found by id, because its name may have changed since the order was placed. A product without options has one
    named Default, which an item may name or not. An item of an older answer has no option id: its option is found by
    name.
    """
    if option_id is not None:
        by_id = next((option for option in options if option.id == option_id), None)
        if by_id is not None:
            return by_id
    named = option_text(option_name)
    if not named and not any(option_text(option.name) for option in options):
        # It never had options, or we can't tell which of its unnamed options this was; nothing is appended for any.
        return options[0] if options else Option("", "")
    if option_id is not None:
        return None
    if not named:
        # Which option it is remains open; the SKU's own check says so.
        return Option("", "")
    same = [option for option in options if option_text(option.name) == named]
    return same[0] if len(same) == 1 else None
