"""What keeps PostgreSQL's large tables small: compressed documents, and vacuuming long before a fifth has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine, func, select, text

from portal.models import Order

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.mark.parametrize("table", ["orders", "attempts", "order_events"])
def test_large_tables_are_vacuumed_early(table: str, postgres_url: str) -> None:
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT reloptions FROM pg_class WHERE relname = :table"), {"table": table})
    assert "autovacuum_vacuum_scale_factor=0.02" in found


def test_documents_are_compressed(postgres_world: World) -> None:
    """PostgreSQL compresses them on its own, and can still search them."""
    postgres_world.sandbox.place_orders(count=5)
    postgres_world.run()
    with postgres_world.session() as session:
        sizes = select(func.sum(func.octet_length(Order.document)), func.sum(func.pg_column_size(Order.document)))
        as_text, stored = session.execute(sizes).one()
        assert stored < as_text / 2
        document = session.scalars(select(Order.document).where(Order.document.contains("customer_email"))).first()
    assert json.loads(document or "")["data"]["type"] == "orders"
