"""docs/personal-data.md says of every table what it holds about people, and for how long."""

from __future__ import annotations

from portal.models import Base
from tests.docs.markdown import page


def test_every_table_is_listed() -> None:
    rows = page("docs/personal-data.md").rows("Tables")
    assert {row[0].strip("`") for row in rows} == set(Base.metadata.tables)
    assert all(cell for row in rows for cell in row)
