"""How a person sees the order list: its columns, and whether an order takes one line or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.models.stored import StoredListView

COLUMNS: Mapping[str, str] = {
    "buyer": "Buyer and destination",
    "items": "Items",
    "waiting": "Waiting on",
    "age": "Age",
    "service": "Service",
    "placed": "Placed",
}
"""The columns that can be hidden. Selecting, the number, and the state are always there."""
_HIDDEN_AT_FIRST = frozenset({"service"})


@dataclass(frozen=True, slots=True)
class ListView:
    columns: frozenset[str]
    is_dense: bool = False
    """Whether each order takes one line."""


DEFAULT = ListView(frozenset(COLUMNS) - _HIDDEN_AT_FIRST)


def view_of(stored: StoredListView | None) -> ListView:
    """Return a person's choice. Columns that another version stored, and this one doesn't have, are left out."""
    if not stored:
        return DEFAULT
    return ListView(frozenset(stored["columns"]) & COLUMNS.keys(), stored["dense"])


def as_stored(columns: Iterable[str], *, is_dense: bool) -> StoredListView:
    chosen = set(columns)
    return {"columns": [name for name in COLUMNS if name in chosen], "dense": is_dense}
