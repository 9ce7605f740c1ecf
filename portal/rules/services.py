"""The catalogue of carrier services that shipping codes are mapped to, from a file for operators."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from portal.rules.shipping import ShippingCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CATALOGUE_FILE = Path(__file__).with_name("services.json")

Reach = Literal["domestic", "international"]
_REACHES = ("domestic", "international")


class CatalogueError(Exception):
    """The catalogue cannot be read; the sentence names the file and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class Service:
    """``code`` is what the FCP gets as ShippingMethod; ``verified``: it is known to take it."""

    code: str
    carrier: str
    name: str
    reach: Reach
    verified: bool


def catalogue(path: Path | None = None) -> tuple[Service, ...]:
    """All services in the file's order; read again when the file has changed. Raises CatalogueError."""
    path = path or CATALOGUE_FILE
    try:
        stat = path.stat()
    except OSError as error:
        raise CatalogueError(f"The services file {path} cannot be read: {error.strerror}.") from error
    return _read(path, stat.st_mtime_ns, stat.st_size)


def find(code: str, services: Iterable[Service]) -> Service | None:
    return next((service for service in services if service.code == code), None)


def for_shipping_code(code: ShippingCode, services: Iterable[Service]) -> dict[str, tuple[Service, ...]]:
    """The services that a shipping code can be mapped to, by carrier, both in the file's order."""
    reach = "domestic" if code is ShippingCode.DOMESTIC_DEFAULT else "international"
    carriers: dict[str, tuple[Service, ...]] = {}
    for service in services:
        if service.reach == reach:
            carriers[service.carrier] = (*carriers.get(service.carrier, ()), service)
    return carriers


def mark_verified(verified: Mapping[str, bool], path: Path | None = None) -> None:
    """Record in the file which codes the FCP takes; all else in it stays. Raises CatalogueError."""
    path = path or CATALOGUE_FILE
    catalogue(path)
    content = _content(path)
    for entry in content["services"]:
        entry["verified"] = verified.get(entry["code"].strip(), entry["verified"])
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(_one_service_per_line(content), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise CatalogueError(f"The services file {path} cannot be written: {error.strerror}.") from error


def _one_service_per_line(content: dict[str, Any]) -> str:
    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    rest = [f"  {line(key)}: {line(value)}" for key, value in content.items() if key != "services"]
    entries = ",\n".join(f"    {line(entry)}" for entry in content["services"])
    return "{\n" + ",\n".join([*rest, f'  "services": [\n{entries}\n  ]']) + "\n}\n"


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"The services file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CatalogueError(f"The services file {path} is not valid JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("services"), list):
        raise CatalogueError(f"The services file {path} has no list called “services”.")
    return content


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, _size: int) -> tuple[Service, ...]:
    entries = _content(path)["services"]
    if not entries:
        raise CatalogueError(f"The services file {path} has no service in it.")
    services = tuple(_service(entry, number, path) for number, entry in enumerate(entries, start=1))
    codes = [service.code for service in services]
    if repeated := sorted({code for code in codes if codes.count(code) > 1}):
        raise CatalogueError(f"The services file {path} has more than one service with the code {repeated[0]}.")
    return services


def _service(entry: Any, number: int, path: Path) -> Service:
    where = f"The services file {path}, entry {number}"
    if not isinstance(entry, dict):
        raise CatalogueError(f"{where}, is not an object with code, carrier, name, reach and verified.")
    for field in ("code", "carrier", "name"):
        value = entry.get(field)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise CatalogueError(f"{where}, needs a text without line breaks for “{field}”.")
    if entry.get("reach") not in _REACHES:
        raise CatalogueError(f"{where}, needs “domestic” or “international” for “reach”.")
    if not isinstance(entry.get("verified"), bool):
        raise CatalogueError(f"{where}, needs true or false for “verified”.")
    return Service(
        code=entry["code"].strip(),
        carrier=entry["carrier"].strip(),
        name=entry["name"].strip(),
        reach=cast("Reach", entry["reach"]),
        verified=entry["verified"],
    )
