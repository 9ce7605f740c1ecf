"""docs/alerts.md lists every kind of incident."""

from __future__ import annotations

from portal.models import IncidentKind
from tests.conftest import ROOT


def test_every_kind_of_incident_is_listed() -> None:
    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [kind.value for kind in IncidentKind if f"| `{kind.value}` |" not in text] == []
