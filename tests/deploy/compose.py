"""compose.yaml, parsed."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import Any

import yaml  # type: ignore[import-untyped]  # only parsed

from tests.conftest import ROOT

Service = dict[str, Any]
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(:[-?][^}]*)?\}")


@cache
def services() -> dict[str, Service]:
    found: dict[str, Service] = yaml.safe_load(TEXT)["services"]
    return found


def own() -> dict[str, Service]:
    """The services that run the portal's image."""
    return {name: service for name, service in services().items() if service["image"] == "portal"}


def words(service: Service) -> list[str]:
    """Return the service's command as Compose passes it on: split, and with "$$" as "$"."""
    command = service["command"]
    parts = shlex.split(command) if isinstance(command, str) else command
    return [part.replace("$$", "$") for part in parts]
