"""A merchant's audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry
from tests.views.conftest import World, get
from tests.views.page import one
from tests.views.settings_world import HOME

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def test_audit_trail_is_paged_newest_first(app: Flask, world: World, client_of: ClientOf) -> None:
    with app.app_context():
        db.session.add_all(
            AuditEntry(at=utc_now(), actor="someone", merchant_id=816, action="order retried", subject=f"N-{number}")
            for number in range(60)
        )
        db.session.add(AuditEntry(at=utc_now(), actor="other", merchant_id=900, action="order closed", subject="X-1"))
        db.session.commit()
    client = client_of(world.owner)
    first = get(client, f"{HOME}/audit-trail")
    rows = [row.get_text(" ", strip=True) for row in first.select("tbody tr")]
    assert len(rows) == 50
    assert "Order retried: N-59" in rows[0]
    second = get(client, str(one(first, "a[rel=next]")["href"]))
    rest = [row.get_text(" ", strip=True) for row in second.select("tbody tr")]
    assert "Order retried: N-9" in rest[0]
    assert "Merchant added" in rest[-1]
    assert len(rest) == 12
    assert "X-1" not in str(first) + str(second)
