"""The setup page: which step is open, what each says, and how people get back to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.extensions import db
from portal.models import CheckVerdict, Merchant, OrderState, Store, WarehouseCheck
from tests.views.conftest import get, post, read
from tests.views.dashboard_world import change, place
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients

URL = "/m/816/setup"
MAPPED = {"domestic_service": "USPS_MEDIA", "international_service": "EPGEPACKT"}
LATER = {"HX-Request": "true", "HX-Target": "steps"}


def following(page: BeautifulSoup) -> Tag:
    """Return the only step that is open, which is the next one."""
    step = one(page, "li[aria-current=step]")
    assert [one_step["id"] for one_step in page.select("li.step:has(> details[open])")] == [step["id"]]
    return step


def checked(app: Flask, service: str, verdict: CheckVerdict | None, *, words: str = "", problem: str = "") -> None:
    with app.app_context():
        due_at = utc_now() if verdict is None else None
        db.session.add(
            WarehouseCheck(
                merchant_id=816, service=service, verdict=verdict, words=words, problem=problem, due_at=due_at
            )
        )
        db.session.commit()


def test_one_step_after_the_other_is_open(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    change(app, Store, world.store_id, sealed_token="", next_poll_at=None)
    page = get(client, URL)
    step = following(page)
    assert step["id"] == "step-connect"
    assert one(step, "form")["action"] == "/connect"
    assert one(step, "input[name=merchant_id]")["value"] == "816"
    first = [text(link) for link in page.select("#step-live p a")]
    assert first == ["Connect your store", "Choose carrier services"]
    assert not page.select("#step-live a.btn"), "going live isn't possible yet"

    change(app, Store, world.store_id, sealed_token="sealed")
    page = get(client, URL)
    step = following(page)
    assert step["id"] == "step-services"
    assert one(step, "form#setup-services")["action"] == "/m/816/shipping"
    assert "media only" in text(step)

    change(app, Merchant, 816, **MAPPED)
    step = following(get(client, URL))
    assert step["id"] == "step-catalog"
    assert "We're syncing your products." in text(step)

    change(app, Store, world.store_id, products_refreshed_at=datetime.now(UTC))
    step = following(get(client, URL))
    assert (step["id"], one(step, "a.btn")["href"]) == ("step-dry-run", f"/m/816/go-live/{world.store_id}")

    place(app, world, utc_now(), OrderState.HELD, 3, dry_run_at=utc_now(), dry_run_verdict="")
    place(app, world, utc_now(), OrderState.HELD, 1, dry_run_at=utc_now(), dry_run_verdict="Invalid SKU")
    page = get(client, URL)
    assert "The warehouse would accept 3 and reject 1 of the orders" in text_in(page, "#step-dry-run")
    assert following(page)["id"] == "step-live"

    change(app, Store, world.store_id, live=True)
    page = get(client, URL)
    assert not page.select("li[aria-current=step]")
    assert text_in(page, "#setup-status") == "Setup is complete. View dashboard"


def test_people_are_brought_back_until_setup_is_complete(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    services = {"domestic": "USPS_MEDIA", "international": "EPGEPACKT"}
    assert post(client, "/m/816/shipping", **services).request.path == URL
    change(app, Store, world.store_id, live=True)
    assert post(client, "/m/816/shipping", **services, territories_domestic="y").request.path == "/m/816/shipping"
    assert client.get("/").headers["Location"] == "/m/816/"
    change(app, Store, world.store_id, sealed_token="", next_poll_at=None)
    assert client.get("/").headers["Location"] == URL


def test_rejected_name_is_corrected_where_it_is_said(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    assert "we send it a test order as soon as" in text_in(get(client, URL), "#step-account")
    checked(app, "", CheckVerdict.REJECTED, words="Invalid MerchantName")
    step = following(get(client, URL))
    assert step["id"] == "step-account"
    assert "The warehouse rejected a test order: “Invalid MerchantName”." in text(step)
    assert one(step, "form")["action"] == "/m/816/settings/credentials"
    assert one(step, "input[name=merchant_name]")["value"] == "Fern & Fable"


def test_accepted_name_says_so(app: Flask, world: World, client_of: Clients) -> None:
    checked(app, "", CheckVerdict.ACCEPTED)
    assert "It accepted a test order with this Merchant Name, too." in text_in(
        get(client_of(world.owner), URL), "#step-account"
    )


def test_rejected_service_opens_its_step_again(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Merchant, 816, domestic_service="UPS_GROUND", international_service="EPGEPACKT")
    checked(app, "UPS_GROUND", CheckVerdict.REJECTED, words="Invalid ShippingMethod")
    page = get(client_of(world.owner), URL)
    step = following(page)
    assert step["id"] == "step-services"
    assert "The warehouse rejected UPS Ground: “Invalid ShippingMethod”." in text(step)
    one(step, "form#setup-services")
    assert not page.select("#step-live a.btn"), "its orders would be rejected"


def test_page_follows_what_workers_do(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    change(app, Merchant, 816, **MAPPED)
    here = str(one(get(client, URL), "#steps")["hx-get"])
    assert client.get(here, headers=LATER).status_code == 204
    change(app, Store, world.store_id, products_refreshed_at=datetime.now(UTC))
    answer = client.get(here, headers=LATER).get_data(as_text=True)
    assert "<html" not in answer
    assert "3 of 6" not in answer
    assert "4 of 6 steps complete. Next: Do a dry run." in answer
    assert "hx-get" not in answer, "nothing is under way any more"


def test_only_the_merchants_team_and_support_see_it(world: World, client_of: Clients) -> None:
    get(client_of(world.teammate), URL)
    page = get(client_of(world.support), URL)
    one(page, "#services-reason")
    get(client_of(world.stranger), URL, 404)
    page = read(post(client_of(world.support), "/m/816/shipping", domestic="USPS_MEDIA", international="EPGEPACKT"))
    assert "Say why" in text(page)
