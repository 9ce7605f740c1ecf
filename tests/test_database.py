"""Database errors are logged, so they must not quote rows; a database host that disappears is noticed."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import IntegrityError

from portal.database import UNREACHABLE_SECONDS, engine_options
from portal.engine.leases import LEASE
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


def test_connection_to_a_host_that_has_gone_is_given_up_before_a_lease_expires(postgres_url: str) -> None:
    engine = create_engine(postgres_url, **engine_options(postgres_url))
    with engine.connect() as connection:
        given = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]  # psycopg's
    engine.dispose()
    probes = int(given["keepalives_interval"]) * int(given["keepalives_count"])
    assert int(given["keepalives_idle"]) + probes == UNREACHABLE_SECONDS < LEASE.total_seconds()
    assert int(given["tcp_user_timeout"]) == UNREACHABLE_SECONDS * 1000
    # PostgreSQL keeps the locks of a batch of statements that is cut off until it gives up the connection itself.
    server = dict(one.split("=") for one in given["options"].split() if "=" in one)
    for name in ("keepalives_idle", "keepalives_interval", "keepalives_count"):
        assert server[f"tcp_{name}"] == given[name]
    assert server["tcp_user_timeout"] == given["tcp_user_timeout"]
