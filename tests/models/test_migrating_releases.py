"""Orders that a person released before holds were remembered stay released, for the one reason that there was."""

from __future__ import annotations

import json

import flask_migrate
import pytest
from sqlalchemy import NullPool, create_engine, text

from portal import create_app
from portal.extensions import db
from portal.schema import MIGRATIONS
from tests.conftest import settings_for
from tests.models.rows import fill

BEFORE, AFTER = "a94e2c7d0b58", "6c1f0e9b2d73"
PICKUP = [{"reason": "local_pickup", "detail": ""}]


@pytest.mark.parametrize(
    ("state", "released", "holds"),
    [("held", True, PICKUP), ("ready", True, PICKUP), ("held", False, None), ("submitted", True, None)],
)
def test_release_covers_local_pickup(database_url: str, state: str, released: bool, holds: object) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with create_app(settings_for(database_url)).app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision=BEFORE)
        with engine.begin() as connection:
            fill(connection)
            changed = text("UPDATE orders SET state = :state, claim = '', released = :released WHERE id = 2")
            connection.execute(changed, {"state": state, "released": released})
        flask_migrate.upgrade(directory=str(MIGRATIONS), revision=AFTER)
        db.engine.dispose()
    with engine.connect() as connection:
        saved = connection.scalar(text("SELECT released_holds FROM orders WHERE id = 2"))
    assert (json.loads(saved) if isinstance(saved, str) else saved) == holds
