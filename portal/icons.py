"""Icons of the pages: Bootstrap Icons, written into the page, where they take the color of the text beside them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent / "static" / "vendor" / "bootstrap-icons-1.13.2"
_OPENING = re.compile(r"<svg[^>]*>")


@cache
def icon(name: str, label: str = "") -> Markup:
    """Return the icon with this name (https://icons.getbootstrap.com) as an inline SVG.

    Without a label it is decoration, which screen readers skip: the words beside it say the same.
    Raises FileNotFoundError for an icon that isn't among the project's files.
    """
    drawing = _OPENING.sub("", (FOLDER / f"{name}.svg").read_text(encoding="utf-8"), count=1)
    shape = "".join(line.strip() for line in drawing.splitlines())
    meaning = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" viewBox="0 0 16 16" {}>').format(meaning) + Markup(shape)  # noqa: S704 - our file
