"""The dry run: orders as they would be sent, and the warehouse's verdict on test orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup

from jobs.dry_run import dry_run
from portal.clock import utc_now
from portal.engine.leases import LeaseKind, leased
from portal.extensions import db
from portal.fulfillment.due import due
from portal.models import Order
from portal.rules.hold_reasons import HoldReason
from tests.views.conftest import World, get
from tests.views.golive.golive_world import figures, numbers, row_of, run_jobs, verdicts
from tests.views.page import one, text, text_in
from tests.views.real_services import audited, send, stores

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox


def test_page_before_the_first_sync_says_that_one_is_about_to_start(owner: FlaskClient, url: str) -> None:
    page = get(owner, url)
    assert "This store isn't live." in page.get_text()
    assert "haven't synced the store's orders yet" in text_in(page, ".empty")
    assert "A sync is about to start." in text_in(page, "#progress")


def test_dry_run_shows_skus_service_and_holds(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    run_jobs(app, world)
    page = get(owner, url)
    assert figures(page) == {"would be sent": 2, "would stay on hold": 2}
    first = row_of(page, "FERN-1")
    assert "MUG-01" in first.split("2 ")[1]
    assert "USPS Media Mail" in first
    assert "Would be sent" in first
    assert "Not checked yet" in first
    held = row_of(page, "FERN-4")
    assert "No SKU" in held
    # What to do stands once above the table, not beside each order.
    assert "Fix the description, or enter the SKU under Products." not in held
    causes = [text(cause) for cause in page.select(".causes > li")]
    assert len(causes) == 2
    assert sum("Missing or invalid SKU" in one and "or enter the SKU under Products." in one for one in causes) == 1
    assert "Payment not completed: Big Cartel shows “pending”." in held
    assert HoldReason.NOT_LIVE.row.label not in held
    filters = [text(link) for link in page.select("nav[aria-label='Filter orders'] a")]
    assert filters == [
        "All: 4",
        "Would be sent: 2",
        "Missing or invalid SKU: 2",
        "Payment not completed: 1",
    ]
    only = get(owner, f"{url}?show=payment_not_completed")
    assert numbers(only) == ["FERN-4"]
    assert "No unshipped orders match this filter." in get(owner, f"{url}?show=paused").get_text()
    assert len(numbers(get(owner, f"{url}?page=77"))) == 4


def test_no_real_order_is_sent_before_going_live(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    for _ in range(2):
        run_jobs(app, world)
    get(owner, url)
    send(owner, f"{url}/read")
    send(owner, f"{url}/ask")
    with app.app_context():
        dry_run([world.store_id])
    get(owner, f"{url}/confirm?start=all")
    get(owner, f"{url}/confirm?start=all", 200)
    run_jobs(app, world)
    assert store_orders.posted("816") == {}
    assert {number: order["tested"] for number, order in store_orders.received("816").items()} == {
        "FERN-1-T": 1,
        "FERN-2-T": 1,
    }


def test_requested_sync_shows_its_progress(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    run_jobs(app, world)
    assert text_in(get(owner, url), "#progress") == ""
    store_orders.place_order(number="FERN-5", items=[{"product": "1"}], account="1000001")
    assert send(owner, f"{url}/read").headers["Location"] == url
    assert stores(app)["1000001"].next_poll_at <= utc_now()  # type: ignore[operator]
    page = get(owner, url)
    assert "A sync is about to start." in text_in(page, "#progress")
    piece = one(page, "#progress > div")
    assert (piece["hx-get"], piece["hx-trigger"], piece["hx-target"]) == (url, "every 2s", "#progress")
    live = owner.get(url, headers={"HX-Request": "true"})
    assert "A sync is about to start." in live.text
    assert "<html" not in live.text
    assert "HX-Retarget" not in live.headers
    with app.app_context(), leased(db.session(), LeaseKind.READ.of(world.store_id)):
        assert "Syncing orders" in owner.get(url, headers={"HX-Request": "true"}).text
    run_jobs(app, world)
    done = owner.get(url, headers={"HX-Request": "true"})
    assert (done.headers["HX-Retarget"], done.headers["HX-Reswap"]) == ("#dry-run", "outerHTML")
    assert done.text.lstrip().startswith('<div id="dry-run">')
    assert "FERN-5" in done.text
    assert 'name="start"' not in done.text, "the choice must not be replaced"
    one(BeautifulSoup(done.text, "html.parser"), "#sent-now[hx-swap-oob=true]")


def test_warehouse_check_shows_its_verdicts(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    store_orders.put_product("3", name="Bowl", description="SKU:BOWL-9", account="1000001")
    store_orders.place_order(number="FERN-6", items=[{"product": "3"}], account="1000001")
    store_orders.put_merchant("816", name="Fern & Fable", token="token", skus=["MUG-01"])
    run_jobs(app, world)
    one(get(owner, url), "button", "Start dry run of 3 orders")
    send(owner, f"{url}/ask")
    assert "Dry run: the warehouse checked 0 of 3 orders." in text_in(get(owner, url), "#progress")
    with app.app_context():
        assert due(db.session(), track_seconds=300, now=utc_now()).dry_runs == [world.store_id]
        dry_run([world.store_id])
        assert due(db.session(), track_seconds=300, now=utc_now()).dry_runs == []
    page = get(owner, url)
    assert figures(page) == {
        "would be sent": 3,
        "would stay on hold": 2,
        "the warehouse would accept": 2,
        "the warehouse would reject": 1,
    }
    assert "Would be accepted" in row_of(page, "FERN-1")
    assert "Would be rejected Invalid SKU: BOWL-9" in row_of(page, "FERN-6")
    assert "Not checked yet" in row_of(page, "FERN-3")
    assert numbers(get(owner, f"{url}?show=refused")) == ["FERN-6"]
    assert "The warehouse rejected 1 of them" in get(owner, f"{url}/confirm?start=all").get_text()
    assert store_orders.posted("816") == {}


def test_interrupted_check_resumes_where_it_stopped(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    run_jobs(app, world)
    send(owner, f"{url}/ask")
    with app.app_context():
        order = db.session.query(Order).filter_by(number="FERN-1").one()
        order.dry_run_at, order.dry_run_verdict = utc_now(), "Said before"
        db.session.commit()
    assert "Dry run: the warehouse checked 1 of 2 orders." in get(owner, url).get_text()
    send(owner, f"{url}/ask")
    with app.app_context():
        dry_run([world.store_id])
        dry_run([world.store_id])
    assert (verdicts(app)["FERN-1"], verdicts(app)["FERN-2"]) == ("Said before", "")
    assert {number: order["tested"] for number, order in store_orders.received("816").items()} == {"FERN-2-T": 1}
    assert [action for _, action, _ in audited(app)].count("dry run requested") == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"on": "any", "kind": "unauthorized", "times": None}, "The warehouse rejected the merchant's credentials."),
        ({"on": "submit", "kind": "html", "times": None}, "The warehouse returned errors several times in a row."),
        ({"on": "submit", "kind": "throttle", "retry_after": "60"}, "asked us to slow down"),
    ],
)
def test_check_stops_when_the_warehouse_fails(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox, fault: dict[str, Any], said: str
) -> None:
    store_orders.place_orders([{"items": [{"product": "1"}]}] * 4, account="1000001")
    run_jobs(app, world)
    store_orders.fault(**fault, side="fcp")
    send(owner, f"{url}/ask")
    with app.app_context():
        dry_run([world.store_id])
    shown = text(get(owner, url))
    assert "The dry run stopped before it checked every order." in shown
    assert said in shown
    assert set(verdicts(app).values()) == {None}
    assert stores(app)["1000001"].dry_run_asked_at is None
    assert sum(order["tested"] for order in store_orders.received("816").values()) == 0


def test_one_unclear_answer_does_not_stop_the_check(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    run_jobs(app, world)
    store_orders.fault("submit", "html", order="FERN-1-T")
    send(owner, f"{url}/ask")
    with app.app_context():
        dry_run([world.store_id])
    assert (verdicts(app)["FERN-1"], verdicts(app)["FERN-2"]) == (None, "")
    assert stores(app)["1000001"].dry_run_problem == ""


def test_dry_run_without_orders_is_not_started(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    send(owner, f"{url}/ask")
    assert "There are no orders for a dry run" in get(owner, url).get_text()
    assert stores(app)["1000001"].dry_run_asked_at is None
