"""Every command and every file that a page names exists, with the options that the page shows."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from portal import create_app
from tests.conftest import ROOT, settings_for
from tests.docs import shell
from tests.docs.markdown import Page, page, pages

if TYPE_CHECKING:
    from flask import Flask

EXAMPLES = {"N": "1", "NUMBER": "ABCD-123456", "EMAIL": "person@example.com"}
"""Values for the words in capitals that stand for one in a sentence."""
TEST = re.compile(r"^\s*def (test_\w+)", re.MULTILINE)
COMMANDS = ("make ", "python -m ", "flask ", "pip install ", "gunicorn ")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(settings_for("sqlite://"))


@pytest.mark.parametrize("one", pages(), ids=str)
def test_every_command_in_a_shell_block_exists(app: Flask, one: Page) -> None:
    problems = [
        f"{' '.join(command)}: {problem}"
        for block in one.code_blocks("sh")
        for command in shell.commands(block)
        if (problem := shell.problem_with(app, command))
    ]
    assert problems == []


@pytest.mark.parametrize("one", pages(), ids=str)
def test_every_command_in_a_sentence_exists(app: Flask, one: Page) -> None:
    problems = [
        f"{span}: {problem}"
        for span in one.code_spans
        if span.startswith(COMMANDS) and "…" not in span
        for command in shell.commands(span)
        if (problem := shell.problem_with(app, [EXAMPLES.get(word, word) for word in command]))
    ]
    assert problems == []


@pytest.mark.parametrize("one", pages(), ids=str)
def test_every_file_named_in_a_sentence_exists(one: Page) -> None:
    assert [span for span in one.code_spans if shell.is_project_path(span) and not shell.exists(span)] == []


def test_operators_are_shown_every_command_of_the_portal(app: Flask) -> None:
    shown = {
        shell.portal_command(app, command)[0]
        for block in page("docs/operations.md").code_blocks("sh")
        for command in shell.commands(block)
        if PurePosixPath(command[0]).name == "flask"
    }
    own = {name for name in shell.portal_commands(app.cli) if not name.startswith("db ")} | {"db upgrade"}
    assert own - shown == set()


def test_every_test_named_in_a_sentence_exists() -> None:
    tests = {name for path in (ROOT / "tests").rglob("test_*.py") for name in TEST.findall(path.read_text("utf-8"))}
    named = {span for one in pages() for span in one.code_spans if span.startswith("test_")}
    assert named - tests == set()
