"""The shipping page: the service for each shipping code, and the orders that a change affects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, CheckVerdict, Merchant, Order, OrderState, Store, WarehouseCheck
from portal.rules import services
from portal.rules.services import catalog
from tests.views.conftest import World, get, post, read
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bs4 import BeautifulSoup
    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

URL = "/m/816/shipping"
CODES = {"US": "DOMESTIC_DEFAULT", "CA": "INTERNATIONAL_DEFAULT", "PR": "INTERNATIONAL_DEFAULT", "": ""}
NAMES = {"US": "United States", "CA": "Canada", "PR": "Puerto Rico"}


def order(app: Flask, store_id: int, number: str, country: str, state: OrderState, *, merchant_id: int = 816) -> None:
    document = {
        "data": {"id": number, "relationships": {"shipping_country": {"data": {"type": "countries", "id": country}}}},
        "included": [{"type": "countries", "id": country, "attributes": {"name": NAMES.get(country)}}],
    }
    with app.app_context():
        now = utc_now()
        db.session.add(
            Order(
                merchant_id=merchant_id, store_id=store_id, number=number, state=state, state_changed_at=now,
                document=json.dumps(document), first_seen_at=now, shipping_code=CODES[country], submitted_at=now,
            )
        )  # fmt: skip
        db.session.commit()


@pytest.fixture
def shipping_world(app: Flask, world: World) -> World:
    """Three US orders, one to Canada and one to Puerto Rico, plus another merchant's order that must not show."""
    order(app, world.store_id, "AAAA-1", "US", OrderState.SUBMITTED)
    order(app, world.store_id, "AAAA-2", "US", OrderState.READY)
    order(app, world.store_id, "AAAA-3", "US", OrderState.HELD)
    order(app, world.store_id, "BBBB-1", "CA", OrderState.HELD)
    order(app, world.store_id, "CCCC-1", "PR", OrderState.READY)
    order(app, world.other_store_id, "ZZZZ-1", "US", OrderState.READY, merchant_id=900)
    with app.app_context():
        merchant = db.session.get_one(Merchant, 816)
        merchant.domestic_service, merchant.international_service = "USPS_MEDIA", "EPGEPACKT"
        db.session.get_one(Store, world.store_id).live = True  # setup is complete, so people stay on the page
        db.session.commit()
    return world


def flashed(page: BeautifulSoup) -> str:
    return re.sub(r"\s+", " ", " ".join(alert.get_text() for alert in page.select("main > .alert, .toast-message")))


def effect(page: BeautifulSoup) -> str:
    return text_in(page, "#effect")


def about(page: BeautifulSoup, code: str) -> str:
    """Return what the page says about a service, as a screen reader would: the radio button's description."""
    return text(one(page, f"#{one(page, f'input[type=radio][value={code}]')['aria-describedby']}"))


def test_services_are_grouped_by_carrier_and_explained(shipping_world: World, client_of: ClientOf) -> None:
    page = get(client_of(shipping_world.owner), URL)
    for field, code in (("domestic", "DOMESTIC_DEFAULT"), ("international", "INTERNATIONAL_DEFAULT")):
        carriers = dict.fromkeys(service.carrier for service in catalog() if service.reach == field)
        groups = page.select(f".services[role=group]:has(input[name={field}])")
        assert [group["aria-label"] for group in groups] == [f"{carrier}, {code}" for carrier in carriers]
    chosen = page.select("input[type=radio][checked]")
    assert [(radio["value"], text(one(page, f"label[for={radio['id']}]"))) for radio in chosen] == [
        ("USPS_MEDIA", "USPS Media Mail"), ("EPGEPACKT", "USPS ePacket"),
    ]  # fmt: skip
    assert about(page, "UPS_GROUND").endswith(
        "$$ Medium cost. Heavier packages to street addresses; no PO boxes. Not checked yet."
    )
    for service in catalog():
        said = about(page, service.code)
        assert all(words in said for words in (service.speed, service.use, f"{service.cost.capitalize()} cost."))


def test_media_mail_warns_that_it_is_for_media_only(shipping_world: World, client_of: ClientOf) -> None:
    page = get(client_of(shipping_world.owner), URL)
    assert "other media only. USPS may open packages" in about(page, "USPS_MEDIA")
    assert "USPS Media Mail: For books, sheet music, sound and video recordings, and other media only." in effect(page)


def test_effect_counts_orders_per_code_and_gives_an_example(shipping_world: World, client_of: ClientOf) -> None:
    said = effect(get(client_of(shipping_world.owner), URL))
    assert "Effect on orders" in said
    assert "DOMESTIC_DEFAULT 3 of the last 5 orders Example: AAAA-3 (United States) ships with USPS Media Mail" in said
    assert "INTERNATIONAL_DEFAULT 2 of the last 5 orders Example: CCCC-1 (Puerto Rico) ships with USPS ePacket" in said
    assert "ZZZZ" not in said


def test_effect_follows_the_form_and_saves_nothing(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    client = client_of(shipping_world.owner)
    answer = client.get(
        f"{URL}?domestic=UPS_GROUND&international=EPGEPACKT&territories_domestic=y", headers={"HX-Request": "true"}
    )
    piece = re.sub(r"<[^>]*>|\s+", " ", answer.get_data(as_text=True))
    piece = re.sub(r"\s+", " ", piece)
    assert "4 of the last 5 orders" in piece
    assert "UPS Ground (UPS_GROUND)" in piece
    assert "Orders to Puerto Rico use DOMESTIC_DEFAULT" in piece
    assert "3 unsent orders would switch to another service: CCCC-1, AAAA-3, AAAA-2." in piece
    assert "Not checked yet: UPS Ground (UPS_GROUND). We'll check with a test order" in piece
    assert "html lang" not in piece
    odd = client.get(f"{URL}?domestic=NONSENSE", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "NONSENSE" not in odd
    with app.app_context():
        assert db.session.get_one(Merchant, 816).domestic_service == "USPS_MEDIA"


def test_saving_names_the_unsent_orders_that_change_service(
    app: Flask, shipping_world: World, client_of: ClientOf
) -> None:
    with app.app_context():
        before = db.session.get_one(Merchant, 816).rules_changed_at
    page = read(post(client_of(shipping_world.owner), URL, domestic="UPS_GROUND", international="EPGEPACKT"))
    assert "Saved. 2 unsent orders now use another service: AAAA-3, AAAA-2. View them:" in flashed(page)
    links = [link["href"] for link in page.select(".toast-message .words a")]
    assert links == ["/m/816/orders?state=held", "/m/816/orders?state=ready"]
    with app.app_context():
        merchant = db.session.get_one(Merchant, 816)
        assert (merchant.domestic_service, merchant.international_service) == ("UPS_GROUND", "EPGEPACKT")
        assert merchant.rules_changed_at > before
        store = db.session.get_one(Store, shipping_world.store_id)
        assert store.next_poll_at is not None
        assert store.next_poll_at >= merchant.rules_changed_at, "held orders are assessed again right away"
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.merchant_id, entry.action) == (shipping_world.owner, 816, "carrier services changed")
        assert entry.subject == "UPS_GROUND / EPGEPACKT; US territories international"


def test_us_territories_can_count_as_domestic(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    client, fields = client_of(shipping_world.owner), {"domestic": "USPS_MEDIA", "international": "EPGEPACKT"}
    assert "1 unsent order now uses another service: CCCC-1." in flashed(
        read(post(client, URL, **fields, territories_domestic="y"))
    )
    assert "4 of the last 5 orders" in effect(get(client, URL))
    page = read(post(client, URL, domestic="UPS_GROUND", international="EPGEPACKT", territories_domestic="y"))
    assert "3 unsent orders now use another service: CCCC-1, AAAA-3, AAAA-2." in flashed(page)
    # The stored code of the order to Puerto Rico is still international; its destination decides.
    page = read(post(client, URL, domestic="UPS_GROUND", international="UPS_STANDARD", territories_domestic="y"))
    assert "1 unsent order now uses another service: BBBB-1." in flashed(page)
    page = read(post(client, URL, domestic="UPS_GROUND", international="UPS_GROUND"))
    assert "Not a valid choice" in text(page)
    with app.app_context():
        assert db.session.get_one(Merchant, 816).territories_domestic


def test_message_names_at_most_ten_orders(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    for number in range(12):
        order(app, shipping_world.store_id, f"DDDD-{number}", "US", OrderState.HELD)
    client = client_of(shipping_world.owner)
    page = read(post(client, URL, domestic="", international="EPGEPACKT"))
    assert "14 unsent orders" in flashed(page)
    assert "DDDD-11, DDDD-10" in flashed(page)
    assert "DDDD-2 and 4 more." in flashed(page)
    assert "No service is chosen for DOMESTIC_DEFAULT. Those orders stay on hold" in flashed(page)
    assert "goes on hold because no service is chosen" in effect(get(client, URL))


def test_saving_the_same_services_changes_nothing(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    page = read(post(client_of(shipping_world.owner), URL, domestic="USPS_MEDIA", international="EPGEPACKT"))
    assert "Nothing changed" in flashed(page)
    with app.app_context():
        assert "carrier services changed" not in db.session.scalars(select(AuditEntry.action)).all()


def test_support_must_give_a_reason(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    support, fields = client_of(shipping_world.support), {"domestic": "UPS_GROUND", "international": "EPGEPACKT"}
    assert "Say why" in text(read(post(support, URL, **fields)))
    assert "Saved." in flashed(read(post(support, URL, **fields, reason="asked by phone")))
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.reason) == (shipping_world.support, "asked by phone")


def test_effect_uses_a_sample_country_before_the_first_order(world: World, client_of: ClientOf) -> None:
    said = effect(get(client_of(world.owner), URL))
    assert "No orders yet. Example: An order to Canada goes on hold because no service is chosen." in said


def test_purged_orders_and_unknown_countries_are_counted(
    app: Flask, shipping_world: World, client_of: ClientOf
) -> None:
    order(app, shipping_world.store_id, "EEEE-1", "", OrderState.HELD)
    with app.app_context():
        purged = db.session.scalars(select(Order).where(Order.number == "AAAA-1")).one()
        purged.document, purged.purged_at = "{}", utc_now()
        db.session.commit()
    said = effect(get(client_of(shipping_world.owner), URL))
    assert "DOMESTIC_DEFAULT 3 of the last 6 orders" in said
    assert "1 of the last 6 orders has no shipping code" in said


def test_service_gone_from_the_catalog_stays_selected_until_another_is_chosen(
    app: Flask, shipping_world: World, client_of: ClientOf
) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).domestic_service = "PIGEON"
        db.session.commit()
    page = get(client_of(shipping_world.owner), URL)
    lost = one(page, "input[name=domestic][checked]")
    assert lost["value"] == "PIGEON"
    assert "No longer in the list of services 1 service PIGEON" in text_in(page, "fieldset:has(input[value=PIGEON])")


def test_broken_catalog_changes_nothing(
    shipping_world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(services, "CATALOG_FILE", tmp_path / "nowhere.json")
    page = get(client_of(shipping_world.owner), URL, 503)
    assert "Your current services stay in use." in text(page)
    assert str(tmp_path) not in text(page)


def test_other_merchants_cannot_see_or_change_services(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    get(client_of(shipping_world.stranger), URL, 404)
    get(client_of(shipping_world.support), URL)
    assert client_of(None).get(URL).headers["Location"].startswith("/log-in?next=")
    assert post(client_of(shipping_world.stranger), URL, domestic="", international="").status_code == 404
    with app.app_context():
        assert db.session.get_one(Merchant, 816).domestic_service == "USPS_MEDIA"


def checked(app: Flask, service: str, verdict: CheckVerdict | None, *, words: str = "", problem: str = "") -> None:
    """Store what a TEST order found out about a service; without a verdict, it is due again."""
    with app.app_context():
        db.session.execute(delete(WarehouseCheck).where(WarehouseCheck.service == service))
        due_at = utc_now() if verdict is None else None
        db.session.add(
            WarehouseCheck(
                merchant_id=816, service=service, verdict=verdict, words=words, problem=problem, tried_at=utc_now(),
                due_at=due_at,
            )
        )  # fmt: skip
        db.session.commit()


def checks(page: BeautifulSoup) -> str:
    return text_in(page, "#service-checks")


def test_saved_service_is_checked_in_the_background(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    client = client_of(shipping_world.owner)
    assert not checks(get(client, URL)), "nothing to say about services that are known"
    page = read(post(client, URL, domestic="UPS_GROUND", international="EPGEPACKT"))
    assert checks(page).startswith("Being checked: UPS Ground. We're checking with a test order")
    assert "Being checked with the warehouse." in about(page, "UPS_GROUND")
    with app.app_context():
        row = db.session.scalars(select(WarehouseCheck)).one()
        assert (row.service, row.merchant_id, row.verdict) == ("UPS_GROUND", 816, None)
        assert row.due_at is not None
    here = one(page, "#service-checks")["hx-get"]
    htmx = {"HX-Request": "true", "HX-Target": "service-checks"}
    assert client.get(here, headers=htmx).status_code == 204
    checked(app, "UPS_GROUND", CheckVerdict.ACCEPTED)
    piece = client.get(here, headers=htmx).get_data(as_text=True)
    assert "The warehouse offers UPS Ground." in piece
    assert "hx-get" not in piece, "it stops asking"


def test_rejected_service_says_what_to_do(app: Flask, shipping_world: World, client_of: ClientOf) -> None:
    client = client_of(shipping_world.owner)
    post(client, URL, domestic="UPS_GROUND", international="EPGEPACKT")
    checked(app, "UPS_GROUND", CheckVerdict.REJECTED, words="Invalid ShippingMethod: UPS_GROUND")
    page = get(client, URL)
    assert "The warehouse rejected UPS Ground: “Invalid ShippingMethod: UPS_GROUND”." in checks(page)
    assert "2 unsent orders use it and would be rejected, too. Choose another service" in checks(page)
    assert "The warehouse rejected it: “Invalid ShippingMethod: UPS_GROUND”." in about(page, "UPS_GROUND")
    page = read(post(client, f"{URL}/check", service="UPS_GROUND"))
    assert "Being checked: UPS Ground." in checks(page)
    with app.app_context():
        assert "service check requested" in db.session.scalars(select(AuditEntry.action)).all()
    assert "you no longer use that service" in flashed(read(post(client, f"{URL}/check", service="FEDEX_GROUND")))
    assert post(client_of(shipping_world.stranger), f"{URL}/check", service="UPS_GROUND").status_code == 404


def test_another_merchants_check_counts_but_not_its_problem(
    app: Flask, shipping_world: World, client_of: ClientOf
) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 900).domestic_service = "UPS_GROUND"
        db.session.commit()
    checked(app, "UPS_GROUND", None, problem="The warehouse rejected the order: Invalid SKU: SECRET-1.")
    stranger = client_of(shipping_world.stranger)
    assert "SECRET-1" not in checks(get(stranger, "/m/900/shipping"))
    checked(app, "UPS_GROUND", CheckVerdict.ACCEPTED)
    assert checks(get(stranger, "/m/900/shipping")) == "The warehouse offers UPS Ground."
