"""The catalog of carrier services that shipping codes are mapped to, read from a file that operators can edit."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from portal.rules.shipping import ShippingCode

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOG_FILE = Path(__file__).with_name("services.json")

Reach = Literal["domestic", "international"]
Cost = Literal["", "low", "medium", "high"]
"""A class of cost among the catalog's services, "" if unknown. The warehouse's prices aren't known here."""
_REACHES = ("domestic", "international")
_COSTS = ("", "low", "medium", "high")
_EXPLAINED_BY = ("speed", "use", "warning")
# The first word of a code, for codes that the catalog lacks.
_CARRIERS = {"USPS": "USPS", "UPS": "UPS", "FEDEX": "FedEx"}


class CatalogError(Exception):
    """The services file can't be read; the message names the file and the problem."""


@dataclass(frozen=True, slots=True)
class Service:
    """A carrier service. ``code`` is the FCP's ShippingMethod; ``verified`` means the FCP is known to accept it."""

    code: str
    carrier: str
    name: str
    reach: Reach
    verified: bool
    speed: str = ""
    """How long it usually takes, "" if unknown; like the following, for merchants to read."""
    use: str = ""
    """What it is good for."""
    cost: Cost = ""
    warning: str = ""
    """What may go wrong for a merchant who chooses it without knowing."""


def catalog(path: Path | None = None) -> tuple[Service, ...]:
    """Return all services in file order, re-reading the file if it has changed. Raises CatalogError."""
    path = path or CATALOG_FILE
    try:
        stat = path.stat()
    except OSError as error:
        raise CatalogError(f"The services file {path} cannot be read: {error.strerror}.") from error
    return _read(path, stat.st_mtime_ns, stat.st_size)


def known_services(path: Path | None = None) -> tuple[Service, ...]:
    """Return all services as catalog() does, or none if the file can't be read."""
    try:
        return catalog(path)
    except CatalogError:
        return ()


def find(code: str, services: Iterable[Service]) -> Service | None:
    return next((service for service in services if service.code == code), None)


def carrier_of(code: str, path: Path | None = None) -> str:
    """Return the carrier of a service, "" if unknown. A code that the catalog lacks begins with its carrier's name."""
    service = find(code, known_services(path))
    return service.carrier if service is not None else _CARRIERS.get(re.split("[^A-Z]", code.upper())[0], "")


def for_shipping_code(code: ShippingCode, services: Iterable[Service]) -> dict[str, tuple[Service, ...]]:
    """Return the services that a shipping code can be mapped to, grouped by carrier, both in file order."""
    reach = "domestic" if code is ShippingCode.DOMESTIC_DEFAULT else "international"
    carriers: dict[str, tuple[Service, ...]] = {}
    for service in services:
        if service.reach == reach:
            carriers[service.carrier] = (*carriers.get(service.carrier, ()), service)
    return carriers


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"The services file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"The services file {path} is not valid JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("services"), list):
        raise CatalogError(f"The services file {path} has no list called “services”.")
    return content


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, _size: int) -> tuple[Service, ...]:
    entries = _content(path)["services"]
    if not entries:
        raise CatalogError(f"The services file {path} lists no services.")
    services = tuple(_service(entry, number, path) for number, entry in enumerate(entries, start=1))
    codes = [service.code for service in services]
    if repeated := sorted({code for code in codes if codes.count(code) > 1}):
        raise CatalogError(f"The services file {path} lists the code {repeated[0]} more than once.")
    return services


def _service(entry: Any, number: int, path: Path) -> Service:
    where = f"Entry {number} of the services file {path}"
    if not isinstance(entry, dict):
        raise CatalogError(f"{where} must be an object with code, carrier, name, reach and verified.")
    for field in ("code", "carrier", "name"):
        value = entry.get(field)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise CatalogError(f"{where}: “{field}” must be text on one line and not empty.")
    if entry.get("reach") not in _REACHES:
        raise CatalogError(f"{where}: “reach” must be “domestic” or “international”.")
    for field in _EXPLAINED_BY:
        value = entry.get(field, "")
        if not isinstance(value, str) or not value.isprintable():
            raise CatalogError(f"{where}: “{field}” must be text on one line.")
    if entry.get("cost", "") not in _COSTS:
        raise CatalogError(f"{where}: “cost” must be “low”, “medium” or “high”.")
    if not isinstance(entry.get("verified"), bool):
        raise CatalogError(f"{where}: “verified” must be true or false.")
    return Service(
        code=entry["code"].strip(),
        carrier=entry["carrier"].strip(),
        name=entry["name"].strip(),
        reach=cast("Reach", entry["reach"]),
        verified=entry["verified"],
        speed=entry.get("speed", "").strip(),
        use=entry.get("use", "").strip(),
        cost=cast("Cost", entry.get("cost", "")),
        warning=entry.get("warning", "").strip(),
    )
