"""One word per idea: what people read never uses a synonym for an established term."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from jinja2 import nodes

from portal.wording.actions import EARLIER_ACTIONS
from portal.wording.states import STATE_LABELS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

SAY = {
    r"mend(s|ed|ing)?|repair(s|ed|ing)?": "fix",
    r"hand(s|ed|ing)? over|handed to": "send",
    r"by (itself|themselves|ourselves)": "automatically",
    r"refus(e|es|ed|al|als|ing)": "reject",
    r"ledgers?|adds? up": "reconciliation, matches",
    r"rehears\w*": "dry run, test order, catalog check",
    r"colleagues?": "teammate",
    r"shops?": "store",
    r"catalogues?": "catalog",
    r"trouble|in trouble|needs? some(one|body)|what needs you": "needs attention",
    r"whose move|next move": "waiting on",
    r"in doubt|not confirmed": "awaiting confirmation",
    r"(waits|waiting) to (be sent|send)": "ready to send",
    r"no clear answer|is ill|is away": "couldn't reach, timed out, returned an error",
    r"looked at again|last looked at": "sync, last synced",
    r"cancelled|anew|afresh|e-mails?": "canceled, again, email",
}
NEVER = {re.compile(rf"\b(?:{words})\b", re.IGNORECASE): better for words, better in SAY.items()}
READ_ATTRIBUTES = re.compile(r'\b(?:aria-label|title|placeholder|alt|content|value|data-confirm)="([^"]*)"')
TAG = re.compile(r"<[^>]*>", re.DOTALL)


WORDS_OF_OTHERS = ROOT / "portal/rules/pickup_words.py"
"""How merchants name their shipping rates."""


def wrong_words(texts: Iterator[tuple[str, str]]) -> list[str]:
    return [
        f"{where}: “{found.group()}” in “{text.strip()}”; say: {better}"
        for where, text in texts
        for never, better in NEVER.items()
        if (found := never.search(text))
    ]


@pytest.mark.parametrize("word", ["Mend", "ledger", "handed over", "goes by itself", "Cancelled", "needs someone"])
def test_a_wrong_word_is_found(word: str) -> None:
    assert wrong_words(iter([("page", f"The order: {word}.")]))


def test_pages_use_one_word_per_idea(app: Flask) -> None:
    assert wrong_words(page_texts(app)) == []


def page_texts(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield what the templates say in every branch: text, attributes that are read out, and strings in expressions."""
    loader = app.jinja_loader
    assert loader is not None
    for name in loader.list_templates():
        tree = app.jinja_env.parse(loader.get_source(app.jinja_env, name)[0])
        html = "\0".join(data.data for data in tree.find_all(nodes.TemplateData))
        yield from ((name, text) for text in READ_ATTRIBUTES.findall(html))
        yield from ((name, text) for text in TAG.sub("\0", html).split("\0") if text.strip())
        constants = (one.value for one in tree.find_all(nodes.Const))
        yield from ((name, text) for text in constants if isinstance(text, str) and " " in text)


@pytest.mark.parametrize("folder", ["portal", "jobs", "embedded", "config.py"])
def test_messages_use_one_word_per_idea(folder: str) -> None:
    path = ROOT / folder
    modules = [path] if path.is_file() else sorted({*path.rglob("*.py")} - {WORDS_OF_OTHERS})
    assert wrong_words(text for module in modules for text in messages(module)) == []


def messages(module: Path) -> Iterator[tuple[str, str]]:
    """Yield the module's strings that read like text: not docstrings, patterns, names or HTML."""
    tree = ast.parse(module.read_text())
    docstrings = {id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings and _is_text(node.value):
            yield f"{module.relative_to(ROOT)}:{node.lineno}", str(node.value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and " " in value and "|" not in value and value not in EARLIER_ACTIONS


def test_state_labels_use_one_word_per_idea() -> None:
    assert wrong_words((state.value, label) for state, label in STATE_LABELS.items()) == []


def test_pages_in_markdown_use_one_word_per_idea() -> None:
    pages = {*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")} - {ROOT / "CHANGELOG.md"}  # it lists the earlier words
    assert len(pages) > 3
    prose = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)", re.DOTALL)
    texts = ((page.name, line) for page in sorted(pages) for line in prose.sub("", page.read_text()).splitlines())
    assert wrong_words(texts) == []
