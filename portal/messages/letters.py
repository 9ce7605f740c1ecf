"""The content of a mail, and how it is written as plain text and as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    from collections.abc import Sequence

_templates = Environment(
    loader=PackageLoader("portal.messages"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list, such as an order's number; ``path`` is its page, or empty."""

    text: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says. Paths are pages of the portal, such as "/m/816/orders"."""

    subject: str
    heading: str
    paragraphs: Sequence[str]
    items: Sequence[Item] = ()
    button: str = ""
    """What the one button says, a verb and an object; empty for none."""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Footer:
    """Why somebody gets a mail, and how to get fewer. The addresses are complete, or empty."""

    reason: str
    choose: str = ""
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A mail's two bodies."""

    text: str
    html: str


def write(letter: Letter, footer: Footer, *, public_url: str) -> Written:
    """Write the letter as plain text and as HTML."""
    content = {"letter": letter, "footer": footer, "base": public_url}
    text = _templates.get_template("mail.txt").render(content)
    return Written(text, _templates.get_template("mail.html").render(content))


def link_in(text: str, *, public_url: str) -> str:
    """Return the path that the button of a written mail leads to, or "" if it has none."""
    for line in text.splitlines():
        if line.startswith(f"{public_url}/"):
            return line.removeprefix(public_url)
    return ""
