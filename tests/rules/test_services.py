"""The service catalog: the file we ship, editing it, and the errors for a broken one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from portal.rules.services import CatalogError, catalog, find, for_shipping_code
from portal.rules.shipping import ShippingCode

if TYPE_CHECKING:
    from pathlib import Path

MEDIA = {"code": "USPS_MEDIA", "carrier": "USPS", "name": "Media Mail", "reach": "domestic", "verified": True}
GROUND = {"code": "UPS_GROUND", "carrier": "UPS", "name": "Ground", "reach": "domestic", "verified": False}
PACKET = {"code": "EPGEPACKT", "carrier": "USPS", "name": "ePacket", "reach": "international", "verified": True}
PRIORITY = {"code": "P", "carrier": "USPS", "name": "Priority", "reach": "domestic", "verified": False}


def write(path: Path, *entries: Any) -> Path:
    path.write_text(json.dumps({"about": "ours", "services": entries}), encoding="utf-8")
    return path


def test_only_these_codes_are_verified() -> None:
    verified = {service.code: service for service in catalog() if service.verified}
    assert verified.keys() == {"USPS_MEDIA", "EPGEPACKT"}
    assert (verified["USPS_MEDIA"].name, verified["USPS_MEDIA"].reach) == ("Media Mail", "domestic")
    assert (verified["EPGEPACKT"].name, verified["EPGEPACKT"].reach) == ("ePacket", "international")


def test_every_service_of_ours_is_explained() -> None:
    assert [one.code for one in catalog() if not (one.speed and one.use and one.cost)] == []
    assert [one.code for one in catalog() if "media only" in one.warning] == ["USPS_MEDIA"]


@pytest.mark.parametrize("code", ShippingCode)
def test_every_carrier_has_services_for_both_shipping_codes(code: ShippingCode) -> None:
    assert {"USPS", "UPS", "FedEx"} <= for_shipping_code(code, catalog()).keys()


def test_services_are_grouped_by_carrier_in_file_order(tmp_path: Path) -> None:
    services = catalog(write(tmp_path / "s.json", MEDIA, PACKET, GROUND, PRIORITY))
    grouped = for_shipping_code(ShippingCode.DOMESTIC_DEFAULT, services)
    assert [(carrier, [one.code for one in ones]) for carrier, ones in grouped.items()] == [
        ("USPS", ["USPS_MEDIA", "P"]),
        ("UPS", ["UPS_GROUND"]),
    ]
    abroad = for_shipping_code(ShippingCode.INTERNATIONAL_DEFAULT, services)
    assert [one.code for one in abroad["USPS"]] == ["EPGEPACKT"]


def test_find_returns_only_services_in_the_catalog() -> None:
    found = find("EPGEPACKT", catalog())
    assert found is not None
    assert found.carrier == "USPS"
    assert find("EPG", catalog()) is None


def test_edited_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "s.json", MEDIA)
    assert [service.name for service in catalog(path)] == ["Media Mail"]
    write(path, MEDIA | {"name": "Media Mall"})
    os.utime(path, ns=(1, 1))
    assert [service.name for service in catalog(path)] == ["Media Mall"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no list called “services”"),
        ('{"services": {}}', "no list called “services”"),
        ('{"services": []}', "lists no services"),
        (json.dumps({"services": [3]}), "must be an object with code, carrier"),
        (json.dumps({"services": [MEDIA, PACKET | {"code": ""}]}), "Entry 2 of the services file"),
        (json.dumps({"services": [MEDIA | {"carrier": None}]}), "“carrier”"),
        (json.dumps({"services": [MEDIA | {"name": "a\nb"}]}), "“name”"),
        (json.dumps({"services": [MEDIA | {"reach": "world"}]}), "“reach”"),
        (json.dumps({"services": [MEDIA | {"reach": ["domestic"]}]}), "“reach”"),
        (json.dumps({"services": [MEDIA | {"verified": "yes"}]}), "“verified”"),
        (json.dumps({"services": [MEDIA | {"speed": 3}]}), "“speed”"),
        (json.dumps({"services": [MEDIA | {"warning": "a\nb"}]}), "“warning”"),
        (json.dumps({"services": [MEDIA | {"cost": "$"}]}), "“cost”"),
        (json.dumps({"services": [MEDIA, GROUND, MEDIA]}), "the code USPS_MEDIA more than once"),
    ],
)
def test_error_names_the_broken_file_and_the_problem(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "services.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        catalog(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


def test_error_names_a_missing_file_and_one_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "services.json"
    with pytest.raises(CatalogError, match=r"services\.json cannot be read"):
        catalog(path)
    path.write_bytes(b'{"services": "\xff"}')
    with pytest.raises(CatalogError, match="not valid JSON"):
        catalog(path)
