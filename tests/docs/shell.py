"""What a shell command on a page refers to: a Make target, a command of the portal, a module, or a file."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

OTHER_PROGRAMS = frozenset(
    {"apt-get", "cat", "cd", "cp", "createdb", "curl", "docker", "export", "git", "install", "lint-imports", "ln",
     "mypy", "openssl", "pg_dump", "pg_restore", "pip", "pre-commit", "printf", "pytest", "python", "python3",
     "redis-cli", "rm", "ruff", "sqlite3", "sudo", "systemctl", "systemd-run", "umask", "useradd"}
)  # fmt: skip
"""Programs outside the project. The project's files that they are given are still checked."""
_VARIABLE = re.compile(r"[A-Z_]+=.*", re.DOTALL)
_MAKE_TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)
_PATH = re.compile(r"[\w*-][\w.*-]*(?:/[\w.*-]+)*/?")
_FILE_NAME = re.compile(r"[\w*-]+\.(?:cfg|css|html|in|ini|js|json|mako|md|png|py|toml|txt|ya?ml)")
_MADE_LATER = frozenset({"instance"})
"""Folders that the portal creates when it runs."""

Command = list[str]


def commands(text: str) -> Iterator[Command]:
    """Split shell text into its commands, without variables, pipes, redirections, and comments."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        command: Command = []
        for word in lexer:
            if set(word) <= set("|&;"):
                yield from _without_variables(command)
                command = []
            elif set(word) <= set("<>"):
                break
            else:
                command.append(word)
        yield from _without_variables(command)


def problem_with(app: Flask, command: Command) -> str:
    """Return what is wrong with a command, or "" when everything that it names exists."""
    names = [PurePosixPath(word).name for word in command]
    if names[0] in {"docker", "systemd-run"} and "flask" in names:
        command = command[names.index("flask") :]  # what they run
    program = PurePosixPath(command[0]).name
    if program == "make":
        known = set(_MAKE_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
        unknown = [word for word in command[1:] if not _VARIABLE.fullmatch(word) and word not in known]
        return f"no target {', '.join(unknown)} in the Makefile" if unknown else ""
    if program == "flask":
        return portal_command(app, command)[1]
    if program == "gunicorn":
        names = [word.partition(":")[0] for word in command[1:] if re.fullmatch(r"\w+:\w+", word)]
        return _missing_module(names[0]) if names else "it names no app"
    if program in {"python", "python3"} and "-m" in command:
        return _missing_module(command[command.index("-m") + 1])
    if program not in OTHER_PROGRAMS:
        return f"the program {program} is unknown"
    missing = [word for word in command[1:] if is_project_path(word) and not exists(word)]
    return f"no such file: {', '.join(missing)}" if missing else ""


def portal_command(app: Flask, command: Command) -> tuple[str, str]:
    """Return which command of the portal this is, and what is wrong with it or its options."""
    if "wsgi" not in command or command[command.index("wsgi") - 1] != "--app":
        return "", "it does not name the app with --app wsgi"
    rest = command[command.index("wsgi") + 1 :]
    found: click.Command | None = app.cli
    path: list[str] = []
    while isinstance(found, click.Group) and rest:
        path.append(rest.pop(0))
        found = found.commands.get(path[-1])
    name = " ".join(path)
    if found is None or isinstance(found, click.Group):
        return name, "no such command"
    try:
        found.make_context(name, rest)
    except click.UsageError as error:
        return name, error.format_message()
    return name, ""


def portal_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command below the group, by its full name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from portal_commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def is_project_path(word: str) -> bool:
    """Return whether the word looks like a path in the project. Folders that are created later do not count."""
    first = word.split("/", maxsplit=1)[0]
    if not _PATH.fullmatch(word) or first in _MADE_LATER:
        return False
    return _FILE_NAME.fullmatch(word) is not None or ("/" in word and (ROOT / first).is_dir())


def exists(path: str) -> bool:
    return any(ROOT.glob(path.rstrip("/")))


def _missing_module(name: str) -> str:
    return "" if importlib.util.find_spec(name) else f"no module {name}"


def _without_variables(command: Command) -> Iterator[Command]:
    while command and _VARIABLE.fullmatch(command[0]):
        command = command[1:]
    if command:
        yield command
