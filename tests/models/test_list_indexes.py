"""The few attempts that aren't done are found by index, among all and among a merchant's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, create_engine, select, text

from benchmarks import many_stores
from benchmarks.plans import plan_of, statements_of
from portal import create_app
from portal.extensions import db
from portal.forms.attempts import SupportAttemptFilters
from portal.models import Attempt
from tests.conftest import settings_for

ATTEMPTS = """
INSERT INTO attempts
    (merchant_id, order_id, kind, trigger, started_at, finished_at, outcome, words, explanation, request, answer)
SELECT merchant_id, id, 'submit', 'schedule', state_changed_at, state_changed_at,
    CASE WHEN id % 400 = 0 THEN 'refused' ELSE 'done' END, '', '', '', ''
FROM orders
"""


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ("outcome=refused", "ix_attempts_outcome"),
        ("outcome=open", "ix_attempts_outcome"),
        ("outcome=refused&kind=mark_shipped", "ix_attempts_outcome"),
        ("outcome=refused&merchant=3", "ix_attempts_merchant_outcome"),
    ],
)
def test_attempts_that_are_not_done_are_found_by_index(database_url: str, filters: str, index: str) -> None:
    filling = create_engine(database_url, poolclass=NullPool)
    with filling.begin() as connection:
        many_stores.fill(connection, 10, 8_000, datetime.now(UTC))
        connection.execute(text(ATTEMPTS))
        if filling.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    app = create_app(settings_for(database_url))
    with app.test_request_context(f"/?{filters}"), statements_of(db.engine) as statements:
        page = SupportAttemptFilters().narrow(select(Attempt.id)).order_by(Attempt.id.desc()).limit(51)
        db.session.execute(page).all()
        plan = plan_of(db.session.connection(), statements[-1])
        assert f"{index} " in str(plan).replace("'", " ")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
