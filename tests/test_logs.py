"""Log lines are structured and contain no credentials, wherever those came from."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from typing import Any

import pytest

from portal.logs.setup import JsonFormatter, TextFormatter, own_secrets
from tests.conftest import settings_for

OWN = "our-own-long-secret"
TOKEN = "tok3n-of-a-store"


def _record(message: str, **fields: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": message, "levelno": logging.ERROR, "levelname": "ERROR", **fields})
    try:
        int(f"about {OWN}")
    except ValueError:
        record.exc_info = sys.exc_info()
    return record


@pytest.mark.parametrize("formatter", [TextFormatter((OWN,)), JsonFormatter((OWN,))])
@pytest.mark.parametrize(
    "text",
    [
        f"the key is {OWN}",
        f'body {{"access_token": "{TOKEN}"}}',
        f"Authorization: Bearer {TOKEN}",
        f"https://x/?access_token={TOKEN} failed",
        f"<MerchantToken>{TOKEN}",
    ],
)
def test_credentials_are_redacted(formatter: logging.Formatter, text: str) -> None:
    line = formatter.format(_record(text, where=text))
    assert TOKEN not in line
    assert OWN not in line
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["level"] == "error"


def test_every_setting_that_repr_leaves_out_is_redacted() -> None:
    """A new secret needs no list of its own: whoever hides it from repr() has hidden it from the log."""
    settings = settings_for("sqlite:///x.sqlite3")
    hidden = [one.name for one in dataclasses.fields(settings) if not one.repr]
    values = {name: f"hidden-value-of-{name.replace('_', '-')}" for name in hidden}
    given: dict[str, Any] = {name: (value,) if name == "token_keys" else value for name, value in values.items()}
    secrets = own_secrets(dataclasses.replace(settings, **given))
    assert len(hidden) >= 11
    for value in values.values():
        assert value not in TextFormatter(secrets).format(_record(f"wrong: {value}"))


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("postgresql://portal:s3cret%2Fword@db.internal/portal", ["s3cret/word", "s3cret%2Fword"]),
        ("redis://:s3cretword@redis.internal:6379/0", ["s3cretword"]),
        ("postgresql:///portal?host=db.internal&password=s3cretword", ["s3cretword"]),
    ],
)
def test_password_in_a_url_is_redacted_and_its_host_is_not(url: str, passwords: list[str]) -> None:
    secrets = own_secrets(dataclasses.replace(settings_for("sqlite:///x.sqlite3"), database_url=url))
    host = "redis.internal" if "redis.internal" in url else "db.internal"
    for password in passwords:
        line = TextFormatter(secrets).format(_record(f"{host} rejected the password {password}"))
        assert password not in line
        assert host in line
    assert url not in TextFormatter(secrets).format(_record(url))
