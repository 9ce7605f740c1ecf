"""Structured logging, as text or JSON: a constant event name plus fields, with credentials redacted.

Each line also says what the process was working on; see portal.logs.work.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from portal.clients.redact import redact
from portal.logs.work import CurrentWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config import Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
MIN_SECRET_LENGTH = 8
"""Characters. A shorter "secret" is a placeholder that would match parts of ordinary words."""


def configure_logging(settings: Settings) -> None:
    """Log INFO and above to standard error. Call it once per process."""
    handler = logging.StreamHandler(sys.stderr)
    secrets = own_secrets(settings)
    handler.setFormatter(JsonFormatter(secrets) if settings.log_format == "json" else TextFormatter(secrets))
    handler.addFilter(CurrentWork())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("urllib3", "rq", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def own_secrets(settings: Settings) -> tuple[str, ...]:
    """Return this installation's secrets, to be redacted wherever they turn up: all settings that repr() leaves out.

    Of a URL, that is the URL and the password in it, as it is written and as it is meant.
    """
    hidden = [getattr(settings, one.name) for one in fields(settings) if not one.repr]
    values = [part for value in hidden for part in (re.split(r"[\s,]+", value) if isinstance(value, str) else value)]
    found = {secret for value in values for secret in (value, *_passwords(value))}
    return tuple(sorted(secret for secret in found if len(secret) >= MIN_SECRET_LENGTH))


def _passwords(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if not parts.scheme:
        return
    written = parts.password or ""
    yield from (written, unquote(written))
    for name, value in parse_qsl(parts.query):
        if "pass" in name.lower():
            yield from (value, quote(value))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {name: value.value if isinstance(value, Enum) else value for name, value in fields.items()}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class _Formatter(logging.Formatter):
    """A formatter that redacts credentials in every line, including this installation's own ``secrets``."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def redacted(self, value: object) -> str:
        return redact(str(value), self._secrets)


class TextFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value!r}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.getMessage()}{fields}"
        return self.redacted(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class JsonFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # Redact before encoding: JSON escapes would hide some secrets, and redacting encoded text could break it.
        redacted = {name: self.redacted(value) if isinstance(value, str) else value for name, value in line.items()}
        return json.dumps(redacted, default=self.redacted)
