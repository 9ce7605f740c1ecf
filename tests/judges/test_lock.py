"""The judges are pinned, whichever registry they come from."""

from __future__ import annotations

import json

from tests.conftest import ROOT


def test_lock_pins_every_package_by_its_hash_and_names_no_registry() -> None:
    text = (ROOT / "tests/judges/package-lock.json").read_text()
    assert "resolved" not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((ROOT / "tests/judges/package.json").read_text())["dependencies"]
    assert packages.pop("")["dependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
