"""Many SKUs set at once: the CSV file downloaded, edited, uploaded, previewed, and saved."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import uploaded_csv
from portal.actions import overrides
from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, Order, OrderState, Product, SkuOverride
from portal.views import product_file
from tests.views.conftest import World, get, post, read
from tests.views.counting import statements
from tests.views.page import one, text, text_in
from tests.views.products.products_world import URL, add

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]
    Cells = dict[str, str]

OWN, BEFORE = "own SKU", "own SKU when downloaded"


@pytest.fixture
def own(catalog: World, client_of: ClientOf) -> FlaskClient:
    """The owner's browser, after setting the SKU of the mug and of all shirts by hand."""
    client = client_of(catalog.owner)
    read(post(client, f"{URL}/{catalog.store_id}/102", whole_product="MUG-1"))
    read(post(client, f"{URL}/{catalog.store_id}/101", whole_product="TEE-"))
    return client


def _download(client: FlaskClient) -> list[Cells]:
    answer = client.get(f"{URL}/products.csv")
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"), newline="")))


def _upload(
    client: FlaskClient, world: World, rows: list[Cells] | bytes, *, separator: str = ",", encoding: str = "utf-8-sig"
) -> BeautifulSoup:
    if isinstance(rows, bytes):
        data = rows
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
        data = out.getvalue().encode(encoding)
    address = f"{URL}/{world.store_id}/upload"
    token = str(one(get(client, address), "main input[name=csrf_token]")["value"])
    answer = client.post(address, data={"csrf_token": token, "file": (io.BytesIO(data), "products.csv")})
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def _changes(page: BeautifulSoup) -> list[tuple[str, str, str]]:
    rows = page.select("section[aria-labelledby=changed-skus] tbody tr")
    found = []
    for row in rows:
        _, before, after = row.select("td")
        found.append((text(one(row, "th")), text(before), text(after)))
    return found


def _errors(page: BeautifulSoup) -> dict[str, str]:
    """Return what is wrong by the row's number."""
    rows = page.select("section[aria-labelledby=row-errors] tbody tr")
    return {text(row.select("td")[0]): text(row.select("td")[1]) for row in rows}


def _save(client: FlaskClient, world: World, page: BeautifulSoup, **fields: str) -> BeautifulSoup:
    changes = str(one(page, "input[name=changes]")["value"])
    return read(post(client, f"{URL}/{world.store_id}/upload/save", changes=changes, **fields))


def _set(app: Flask) -> dict[tuple[str, str], str]:
    with app.app_context():
        return {(one.product_id, one.option_id): one.sku for one in db.session.scalars(select(SkuOverride))}


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16")])
def test_file_that_was_not_changed_changes_nothing(
    catalog: World, own: FlaskClient, separator: str, encoding: str
) -> None:
    rows = _download(own)
    assert [(row["product"], row["option"], row[OWN]) for row in rows if row[OWN]] == [
        ("Mug", "", "MUG-1"), ("Shirt", "All options", "TEE-"),
    ]  # fmt: skip
    page = _upload(own, catalog, rows, separator=separator, encoding=encoding)
    assert "7 rows stay as they are." in text(page)
    assert "The file changes no SKU." in text(page)
    assert page.select("section[aria-labelledby=row-errors], input[name=changes]") == []


def test_changes_are_previewed_and_saved_together(
    app: Flask, catalog: World, own: FlaskClient, woken: list[object]
) -> None:
    with app.app_context():
        line = {"product_id": "103", "name": "Poster"}
        now = utc_now()
        db.session.add(
            Order(
                merchant_id=816, store_id=catalog.store_id, number="FERN-1", state=OrderState.HELD,
                state_changed_at=now, first_seen_at=now, document='{"data": {"id": "FERN-1"}}', lines=[line],
            )
        )  # fmt: skip
        db.session.commit()
    woken.clear()
    wanted = {("103", ""): "POSTER-1", ("102", ""): "", ("101", ""): "TEE-", ("101", "101-SMALL"): " TS\u200b "}
    rows = [
        row | {OWN: wanted.get((row["product id"], row["option id"]), row[OWN])} for row in reversed(_download(own))
    ]
    page = _upload(own, catalog, rows, separator=";")

    assert sorted(_changes(page)) == [
        ("Mug", "MUG-1", "None: the description counts"), ("Poster", "None", "POSTER-1"),
        ("Shirt / SMALL", "None", "TS"),
    ]  # fmt: skip
    assert "4 rows stay as they are." in text(page)
    assert _set(app) == {("102", ""): "MUG-1", ("101", ""): "TEE-"}, "nothing is saved by the preview"
    assert one(page, "main form button", "Save 3 SKUs")

    page = _save(own, catalog, page)

    assert "3 SKUs saved. We're checking 1 order on hold with these products again now." in text(page)
    assert _set(app) == {("101", ""): "TEE-", ("103", ""): "POSTER-1", ("101", "101-SMALL"): "TS"}
    assert woken
    with app.app_context():
        entries = db.session.execute(select(AuditEntry.action, AuditEntry.subject, AuditEntry.actor)).all()
    assert {tuple(entry) for entry in entries[-3:]} == {
        ("SKU set by hand", "Poster: POSTER-1", catalog.owner),
        ("SKU set by hand", "Shirt / SMALL: TS", catalog.owner),
        ("SKU set by hand: removed", "Mug: MUG-1", catalog.owner),
    }


def test_rows_that_cannot_be_used_are_left_out(app: Flask, catalog: World, own: FlaskClient) -> None:
    add(app, catalog.store_id, ("106", "Scarf", "SKU:SCARF", ("Default",)), gone=True)
    rows: list[tuple[str, str, str, str]] = [
        ("103", "", "POSTER-1", ""),
        ("999", "", "X", ""),
        ("901", "", "X", ""),
        ("", "", "X", ""),
        ("104", "", "SKU:BADGE", ""),
        ("104", "", "BADGE", ""),
        ("105", "", "sku:CUP", ""),
        ("101", "101-LARGE", "X" * 65, ""),
        ("101", "101-HUGE", "HUGE", ""),
        ("101", "", "TOP-", "SHIRT-"),
        ("106", "", "SCARF-1", ""),
        ("102", "", "OLD", "OLD"),
    ]
    titles = ("product id", "option id", OWN, BEFORE)
    page = _upload(own, catalog, [dict(zip(titles, row, strict=True)) for row in rows])
    assert _changes(page) == [("Poster", "None", "POSTER-1")]
    twice = "Another row is for the same product and option. Keep only one of them."
    unknown = "This store has no product with this id."
    errors = _errors(page)
    assert errors.pop("9").startswith("The SKU “XXX")
    assert errors == {
        "3": unknown, "4": unknown, "5": "The product id is missing.", "6": twice, "7": twice,
        "8": "Enter the SKU alone, without “SKU:” before it.",
        "10": "This product has no option with this id. It may have been deleted in Big Cartel.",
        "11": "The own SKU has changed since you downloaded the file: it is “TEE-” now. Download it again.",
        "12": "This product is no longer in Big Cartel, and no order is waiting for it.",
    }  # fmt: skip
    assert "1 row stays as it is." in text(page), "what was left as it was isn't set back"
    assert "10 rows can't be used and are left out." in text(page)
    assert "Secret lamp" not in text(page)


def test_nothing_is_saved_if_something_changed_since_the_preview(app: Flask, catalog: World, own: FlaskClient) -> None:
    rows = [{"product id": one, "option id": "", OWN: f"NEW-{one}"} for one in ("103", "104")]
    preview = _upload(own, catalog, rows)
    assert len(_changes(preview)) == 2
    read(post(own, f"{URL}/{catalog.store_id}/104", whole_product="BADGE"))

    page = _save(own, catalog, preview)

    assert "Nothing was saved, because something has changed since the preview." in text(page)
    assert _changes(page) == [("Poster", "None", "NEW-103")]
    assert "it is “BADGE” now" in text(page)
    assert ("103", "") not in _set(app)
    assert "SKU saved." in text(_save(own, catalog, page))
    assert _set(app)["103", ""] == "NEW-103"


def test_changes_are_checked_again_when_they_are_saved(app: Flask, catalog: World, own: FlaskClient) -> None:
    address, before = f"{URL}/{catalog.store_id}/upload/save", _set(app)
    for changes in (
        "", "[]", "{}", "x", "[1]", '[[1,"103","","",5]]', '[[1,"103","","","\\ud800"]]', "[" * 5000,
        json.dumps([[n, "103", str(n), "", "X"] for n in range(1001)]),
    ):  # fmt: skip
        assert post(own, address, changes=changes).status_code == 400
    for product_id, sku in (("901", "X"), ("103", "SKU:X"), ("103", "X" * 65)):
        page = read(post(own, address, changes=json.dumps([[2, product_id, "", "", sku]])))
        assert "Nothing was saved" in text(page)
    assert _set(app) == before


def test_support_gives_a_reason_for_an_upload(app: Flask, catalog: World, client_of: ClientOf) -> None:
    support = client_of(catalog.support)
    page = _upload(support, catalog, [{"product id": "103", "option id": "", OWN: "POSTER-1"}])
    page = _save(support, catalog, page)
    assert "Say why." in text_in(page, ".invalid-feedback")
    assert "SKU saved." in text(_save(support, catalog, page, reason="asked by phone"))
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.reason) == (catalog.support, "asked by phone")


def test_unusable_file_is_explained_beside_the_field(
    catalog: World, own: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploaded_csv, "MAX_BYTES", 20_000)
    for data, why in (
        (b"PK\x03\x04", "Save it as “CSV UTF-8” in Excel"),
        (b"a,b\n1,2\n", "“product id”"),
        (b"x" * 20_001, "larger than 0.02 MB"),
    ):
        assert why in text_in(_upload(own, catalog, data), ".invalid-feedback")
    monkeypatch.setattr(product_file, "MAX_CHANGES", 1)
    rows = [{"product id": one, "option id": "", OWN: f"NEW-{one}"} for one in ("103", "104")]
    page = _upload(own, catalog, rows)
    assert "The file changes 2 SKUs. Change at most 1 in one file." in text_in(page, ".invalid-feedback")
    page = read(post(own, f"{URL}/{catalog.store_id}/upload"))
    assert "Choose a CSV file." in text_in(page, ".invalid-feedback")


def test_upload_of_many_products_takes_few_statements(app: Flask, catalog: World, own: FlaskClient) -> None:
    add(app, catalog.store_id, *((str(n), f"Mug {n}", f"SKU:MUG-{n}-", ("S", "M")) for n in range(1000, 1300)))
    get(own, URL)
    rows = [{"product id": str(n), "option id": f"{n}-S", OWN: f"OWN-{n}"} for n in range(1000, 1300)]
    with statements(app) as ran:
        page = _upload(own, catalog, rows)
    assert len(_changes(page)) == 300
    assert len(ran) < 24, "two pages"
    assert "300 SKUs saved." in text(_save(own, catalog, page))
    assert len(_set(app)) == 302


def test_products_of_another_store_are_not_changed(app: Flask, catalog: World, client_of: ClientOf) -> None:
    for path in ("upload", "upload/save"):
        address = f"{URL}/{catalog.other_store_id}/{path}"
        assert post(client_of(catalog.owner), address, changes='[[1,"901","","","X"]]').status_code == 404
    get(client_of(catalog.owner), f"{URL}/{catalog.other_store_id}/upload", 404)
    with app.app_context():
        assert db.session.scalars(select(Product.product_id).where(Product.product_id == "901")).all()
    assert _set(app) == {}


def test_sku_that_somebody_else_set_meanwhile_is_the_one_that_is_replaced(
    app: Flask, catalog: World, own: FlaskClient
) -> None:
    """What a request read before it waited for the other is out of date, and the audit trail would tell it."""
    with app.app_context(), Session(db.engine) as early, Session(db.engine) as other:
        product = early.scalars(select(Product).where(Product.product_id == "102")).one()
        seen = early.scalars(select(SkuOverride).where(SkuOverride.product_id == "102")).all()
        if db.engine.dialect.name == "sqlite":
            early.commit()  # there, a transaction that has read keeps all others waiting
        same = other.scalars(select(Product).where(Product.product_id == "102")).one()
        overrides.set_skus(other, same, {"": "MUG-2"}, actor="other", reason="", now=utc_now())
        made = overrides.set_skus(early, product, {"": "MUG-3"}, actor="early", reason="", now=utc_now())
        assert [one.sku for one in seen] == ["MUG-3"]
    assert [(one.before, one.after) for one in made] == [("MUG-2", "MUG-3")]
