"""Which texts a person may set as the SKU of a product or an option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.rules.sku import MARKER, option_text, sku_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterable

WHOLE = ""
"""The option id that stands for the whole product."""
MAX_OVERRIDE = 200
"""Characters of a text that is looked at."""


def why_unusable(text: str, option_names: Iterable[str]) -> str:
    """Return why this can't be the SKU of a product with these options, as a sentence, or "" if it can.

    An option name of "" stands for the SKU without an option's name.
    """
    if len(text) > MAX_OVERRIDE:
        return f"Use at most {MAX_OVERRIDE} characters."
    if text.upper().startswith(MARKER):
        return "Enter the SKU alone, without “SKU:” before it."
    names = [option_text(name) for name in option_names] or [""]
    found = (problem for name in names for problem in sku_by_hand(text, name, has_options=False)[1])
    return next((problem.sentence for problem in found if problem.stops), "")
