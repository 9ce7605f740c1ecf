"""Hold reasons that were stored without spaces are found again, and keep what they say."""

from __future__ import annotations

import json

import flask_migrate
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session

from portal import create_app
from portal.extensions import db
from portal.reports.overview import open_orders
from portal.rules.hold_reasons import HoldReason
from portal.schema import MIGRATIONS
from tests.conftest import settings_for
from tests.models.rows import fill

BEFORE, AFTER = "5b9c0e7ad214", "8d41f6a2b907"
HOLDS = [{"reason": "local_pickup", "detail": "Rate “Abholung: heute”"}]


def test_reasons_are_found_and_say_the_same(postgres_url: str) -> None:
    engine = create_engine(postgres_url, poolclass=NullPool)
    with create_app(settings_for(postgres_url)).app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision=BEFORE)
        with engine.begin() as connection:
            fill(connection)
            changed = text("UPDATE orders SET state = 'held', claim = '', holds = CAST(:holds AS json) WHERE id = 2")
            connection.execute(changed, {"holds": json.dumps(HOLDS, separators=(",", ":"))})
        flask_migrate.upgrade(directory=str(MIGRATIONS), revision=AFTER)
        db.engine.dispose()
    with engine.connect() as connection:
        merchant, holds = connection.execute(text("SELECT merchant_id, holds FROM orders WHERE id = 2")).one()
        assert holds == HOLDS
        with Session(connection) as session:
            assert open_orders(session, merchant).holds[HoldReason.LOCAL_PICKUP] >= 1
