"""Orders that earlier versions closed get the code for why, so that they open again when the signal is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask_migrate
import pytest
from sqlalchemy import NullPool, create_engine, text

from portal import create_app
from portal.extensions import db
from portal.schema import MIGRATIONS
from tests.conftest import settings_for
from tests.models.rows import fill

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE, AFTER = "7c1f0a5d92be", "3d5b8e6a1f47"
SENTENCES = {
    "Marked as shipped in Big Cartel.": "marked",
    "Set to shipped in Big Cartel.": "marked",
    "No longer in Big Cartel.": "gone",
    "Canceled at the warehouse.": "canceled",
    "Shipped by the warehouse; no longer in Big Cartel.": "shipped_but_gone",
    "Closed by owner@fern.example: the buyer changed her mind": None,
}


@pytest.mark.parametrize(("sentence", "code"), SENTENCES.items())
def test_closed_order_gets_the_code_of_its_reason(database_url: str, sentence: str, code: str | None) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    app = create_app(settings_for(database_url))

    def migrate(step: Callable[..., None], revision: str) -> None:
        with app.app_context():
            step(directory=str(MIGRATIONS), revision=revision)
            db.engine.dispose()

    migrate(flask_migrate.downgrade, BEFORE)
    with engine.begin() as connection:
        fill(connection)
        closed = text("UPDATE orders SET state = 'closed', claim = '', state_reason = :sentence WHERE id = 2")
        connection.execute(closed, {"sentence": sentence})
    migrate(flask_migrate.upgrade, AFTER)

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT closed_because FROM orders WHERE id = 2")) == code
        assert connection.scalar(text("SELECT closed_because FROM orders WHERE id = 1")) is None
