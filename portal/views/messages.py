"""What the next page says about an action. A success is a toast, which can have an "Undo" button.

Undoing is an action like any other: the button is a form for the address that takes back what was done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from flask import flash, get_flashed_messages

from portal import access

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

KINDS = frozenset({"success", "info", "warning", "danger"})
SUPPORTS_REASON = "Undone right after."
"""What the audit trail says for support, who would otherwise be asked for a reason."""


class Undo(NamedTuple):
    """The address that takes back an action, and what is posted to it."""

    address: str
    fields: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Message:
    kind: str
    text: str
    undo: Undo | None = None


def register(app: Flask) -> None:
    app.jinja_env.globals["page_messages"] = _messages


def flash_with_undo(text: str, undo: Undo) -> None:
    fields = {**undo.fields, "reason": SUPPORTS_REASON} if access.as_support() else {**undo.fields}
    flash(text, json.dumps([undo.address, fields], ensure_ascii=False))


def _messages() -> list[Message]:
    found = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    return [_read(category, text) for category, text in found]


def _read(category: str, text: str) -> Message:
    if category.startswith("["):
        address, fields = json.loads(category)
        return Message("success", text, Undo(address, fields))
    return Message(category if category in KINDS else "info", text)
