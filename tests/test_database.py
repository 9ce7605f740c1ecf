"""Database errors are logged, so they must not quote rows."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import IntegrityError

from portal.database import engine_options
from portal.models import Merchant

SECRET = "Ada Buyer, 12 Elm Street"


def test_integrity_error_does_not_quote_the_row(database_url: str) -> None:
    engine = create_engine(database_url, **engine_options(database_url))
    row = {"id": 1, "sealed_token": "", "rules_changed_at": None, "created_at": None, "name": SECRET}
    with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(insert(Merchant), [row])
    engine.dispose()
    text = "".join(traceback.format_exception(caught.value))
    assert "merchants" in text
    assert SECRET not in text
