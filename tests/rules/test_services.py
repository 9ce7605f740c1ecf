"""The catalogue of services: what ships with the product, and what is said about a broken one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from portal.rules.services import CatalogueError, catalogue, find, for_shipping_code, mark_verified
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


def test_only_the_two_codes_seen_in_use_are_verified() -> None:
    verified = {service.code: service for service in catalogue() if service.verified}
    assert verified.keys() == {"USPS_MEDIA", "EPGEPACKT"}
    assert (verified["USPS_MEDIA"].name, verified["USPS_MEDIA"].reach) == ("Media Mail", "domestic")
    assert (verified["EPGEPACKT"].name, verified["EPGEPACKT"].reach) == ("ePacket", "international")


@pytest.mark.parametrize("code", ShippingCode)
def test_every_carrier_serves_both_codes(code: ShippingCode) -> None:
    assert {"USPS", "UPS", "FedEx"} <= for_shipping_code(code, catalogue()).keys()


def test_services_are_grouped_by_carrier_in_the_files_order(tmp_path: Path) -> None:
    services = catalogue(write(tmp_path / "s.json", MEDIA, PACKET, GROUND, PRIORITY))
    grouped = for_shipping_code(ShippingCode.DOMESTIC_DEFAULT, services)
    assert [(carrier, [one.code for one in ones]) for carrier, ones in grouped.items()] == [
        ("USPS", ["USPS_MEDIA", "P"]),
        ("UPS", ["UPS_GROUND"]),
    ]
    abroad = for_shipping_code(ShippingCode.INTERNATIONAL_DEFAULT, services)
    assert [one.code for one in abroad["USPS"]] == ["EPGEPACKT"]


def test_find_knows_only_what_is_in_the_catalogue() -> None:
    found = find("EPGEPACKT", catalogue())
    assert found is not None
    assert found.carrier == "USPS"
    assert find("EPG", catalogue()) is None


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "s.json", MEDIA)
    assert [service.name for service in catalogue(path)] == ["Media Mail"]
    write(path, MEDIA | {"name": "Media Mall"})
    os.utime(path, ns=(1, 1))
    assert [service.name for service in catalogue(path)] == ["Media Mall"]


def test_marks_are_recorded_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "s.json", MEDIA | {"note": "é"}, GROUND, PRIORITY)
    mark_verified({"USPS_MEDIA": False, "UPS_GROUND": True, "GONE": True}, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["about"] == "ours"
    assert content["services"] == [
        MEDIA | {"note": "é", "verified": False},
        GROUND | {"verified": True},
        PRIORITY,
    ]
    assert [service.verified for service in catalogue(path)] == [False, True, False]
    assert [file.name for file in tmp_path.iterdir()] == ["s.json"]


def test_the_shipped_file_keeps_its_layout_when_marks_are_recorded(tmp_path: Path) -> None:
    from portal.rules.services import CATALOGUE_FILE  # noqa: PLC0415 - the one test that reads it raw

    copy = tmp_path / "s.json"
    copy.write_bytes(CATALOGUE_FILE.read_bytes())
    mark_verified({}, copy)
    assert copy.read_bytes() == CATALOGUE_FILE.read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no list called “services”"),
        ('{"services": {}}', "no list called “services”"),
        ('{"services": []}', "no service in it"),
        (json.dumps({"services": [3]}), "entry 1, is not an object"),
        (json.dumps({"services": [MEDIA, PACKET | {"code": ""}]}), "entry 2, needs a text"),
        (json.dumps({"services": [MEDIA | {"carrier": None}]}), "“carrier”"),
        (json.dumps({"services": [MEDIA | {"name": "a\nb"}]}), "“name”"),
        (json.dumps({"services": [MEDIA | {"reach": "world"}]}), "“reach”"),
        (json.dumps({"services": [MEDIA | {"reach": ["domestic"]}]}), "“reach”"),
        (json.dumps({"services": [MEDIA | {"verified": "yes"}]}), "“verified”"),
        (json.dumps({"services": [MEDIA, GROUND, MEDIA]}), "more than one service with the code USPS_MEDIA"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "services.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        catalogue(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    with pytest.raises(CatalogueError):
        mark_verified({}, path)
    assert path.read_text(encoding="utf-8") == content


def test_bytes_that_are_no_text_and_a_missing_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "services.json"
    with pytest.raises(CatalogueError, match=r"services\.json cannot be read"):
        catalogue(path)
    path.write_bytes(b'{"services": "\xff"}')
    with pytest.raises(CatalogueError, match="not valid JSON"):
        catalogue(path)
