"""Log lines are structured and contain no credentials, wherever those came from."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from portal.logs.setup import JsonFormatter, TextFormatter

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
