"""The form for a note."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, Length

from portal.actions.notes import LONGEST_NOTE
from portal.models.base import MAX_ID


def plain_text(text: str | None) -> str:
    """Return the text with its line breaks, but without other unprintable characters and blank ends."""
    lines = (text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(c if c.isprintable() else " " for c in line).rstrip() for line in lines).strip()


class NoteForm(FlaskForm):
    """A note. It has no ``maxlength``, with which browsers silently cut off the end of a pasted text."""

    text = TextAreaField(
        "Your note",
        [
            DataRequired("Write a note."),
            Length(max=LONGEST_NOTE, message=f"Use at most {LONGEST_NOTE:,} characters."),
        ],
        filters=[plain_text],
        render_kw={"rows": 3, "dir": "auto", "maxlength": False},
    )
    seen = HiddenField()
    """Id of the newest note on the page: the same note sent again from this page is the same one."""

    def newest_seen(self) -> int:
        text = str(self.seen.data or "")
        return min(int(text), MAX_ID) if text.isdecimal() and len(text) <= len(str(MAX_ID)) else 0
