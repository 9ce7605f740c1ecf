"""The project's Markdown files, parsed: their headings, links, code blocks, and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable("table")
_NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")
_NOT_OURS = frozenset({"instance", "node_modules", "payloads"})


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    @cached_property
    def tokens(self) -> list[Token]:
        return _PARSER.parse("\n".join(self.lines))

    @cached_property
    def inline(self) -> list[Token]:
        """Everything inside paragraphs, headings, and table cells, in order."""
        return [child for token in self.tokens if token.type == "inline" for child in token.children or ()]

    @property
    def links(self) -> list[str]:
        """Where links and images lead, as written."""
        names = {"link_open": "href", "image": "src"}
        return [str(token.attrs[names[token.type]]) for token in self.inline if token.type in names]

    @property
    def code_spans(self) -> list[str]:
        return [token.content for token in self.inline if token.type == "code_inline"]

    def code_blocks(self, language: str) -> list[str]:
        return [token.content for token in self.tokens if token.type == "fence" and token.info.strip() == language]

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The anchors that GitHub gives to the headings."""
        found: dict[str, int] = {}
        anchors = set()
        for title in self._headings():
            anchor = _NOT_IN_AN_ANCHOR.sub("", title.strip().lower()).replace(" ", "-")
            seen = found.get(anchor, 0)
            found[anchor] = seen + 1
            anchors.add(f"{anchor}-{seen}" if seen else anchor)
        return frozenset(anchors)

    def _headings(self) -> Iterator[str]:
        for opened, title in zip(self.tokens, self.tokens[1:], strict=False):
            if opened.type == "heading_open":
                yield "".join(
                    child.content for child in title.children or () if child.type in {"text", "code_inline", "image"}
                )

    def rows(self, heading: str) -> list[list[str]]:
        """The cells, as written, of the first table below the heading with this title; the header is left out."""
        rows: list[list[str]] = []
        is_below = is_in_body = False
        for opened, token in zip(self.tokens, self.tokens[1:], strict=False):
            if opened.type == "heading_open" and not rows:
                is_below = token.content == heading
            elif opened.type == "tbody_open":
                is_in_body = is_below
            elif opened.type == "tbody_close" and is_in_body:
                break
            elif opened.type == "tr_open" and is_in_body:
                rows.append([])
            elif opened.type == "td_open" and is_in_body:
                rows[-1].append(token.content)
        return rows


@lru_cache(maxsize=1)
def pages() -> tuple[Page, ...]:
    """Every Markdown file of the project."""
    folders = [
        folder
        for folder in sorted(ROOT.iterdir())
        if folder.is_dir() and (folder.name == ".github" or not folder.name.startswith("."))
    ]
    found = [*ROOT.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))]
    return tuple(Page(path) for path in sorted(found) if not _NOT_OURS & set(path.relative_to(ROOT).parts))


def page(name: str) -> Page:
    """The page at this path from the project's root."""
    return next(one for one in pages() if str(one) == name)
