"""Going live: the rehearsal, the FCP's verdict on request, the choice; and that nothing real is sent before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup

from jobs.rehearse import rehearse
from portal.clock import utc_now
from portal.engine.leases import Work, leased
from portal.extensions import db
from portal.fulfillment.due import due
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Merchant, Order, Store
from tests.views.conftest import World, get, read
from tests.views.page import one, text, text_in
from tests.views.real_services import audited, connected_app, send, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox

DAY = "2026-06-01"


@pytest.fixture
def app(database_url: str, sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    with connected_app(database_url, sandbox_process, monkeypatch) as app:
        yield app


@pytest.fixture
def url(world: World) -> str:
    return f"/m/816/go-live/{world.store_id}"


@pytest.fixture
def shop(app: Flask, world: World, sandbox_process: Sandbox) -> Sandbox:
    """Two orders that can go (of 2025 and of now), one without SKU, one unpaid and without SKU; not read yet."""
    with app.app_context():
        merchant = db.session.get_one(Merchant, 816)
        merchant.domestic_service, merchant.international_service = "USPS_MEDIA", "EPGEPACKT"
        db.session.commit()
    sandbox_process.put_product("1", name="Plain Mug", description="A mug. SKU:MUG-01", account="1000001")
    sandbox_process.put_product("2", name="Poster", description="A poster.", account="1000001")
    sandbox_process.place_orders(
        [
            {"number": "FERN-1", "created_at": "2025-05-05T10:00:00.000Z", "items": [{"product": "1", "quantity": 2}]},
            {"number": "FERN-2", "items": [{"product": "1"}]},
            {"number": "FERN-3", "items": [{"product": "2"}]},
            {"number": "FERN-4", "items": [{"product": "2"}], "payment_status": "pending"},
        ],
        account="1000001",
    )
    return sandbox_process


def work(app: Flask, world: World) -> None:
    """What the workers do in one turn."""
    with app.app_context():
        poll_store(db.session(), world.store_id, app.config["SETTINGS"])
        submit_merchant(db.session(), 816, app.config["SETTINGS"])


def verdicts(app: Flask) -> dict[str, str | None]:
    with app.app_context():
        return {order.number: order.rehearsal for order in db.session.query(Order)}


def row_of(page: BeautifulSoup, number: str) -> str:
    return text_in(page, f"tbody tr:has(a:-soup-contains-own('{number}'))")


def numbers(page: BeautifulSoup) -> list[str]:
    return [text(link) for link in page.select("tbody th a")]


def figures(page: BeautifulSoup) -> dict[str, int]:
    return {
        str(figure.next_sibling).strip(): int(figure.get_text()) for figure in page.find_all("div", class_="figure")
    }


def test_before_the_orders_are_read(owner: FlaskClient, url: str) -> None:
    page = get(owner, url)
    assert "This store is not live." in page.get_text()
    assert "have not been read yet" in text_in(page, ".empty")
    assert "about to be read" in text_in(page, "#progress")


def test_the_rehearsal_shows_skus_service_and_holds(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox
) -> None:
    work(app, world)
    page = get(owner, url)
    assert figures(page) == {"would be sent": 2, "would stay on hold": 2}
    first = row_of(page, "FERN-1")
    assert "MUG-01" in first.split("2 ")[1]
    assert "USPS Media Mail" in first
    assert "Would be sent" in first
    assert "Not asked yet" in first
    held = row_of(page, "FERN-4")
    assert "No SKU" in held
    assert "Mend the product description in Big Cartel" in held
    assert "The payment is not completed: it is pending." in held
    assert "switched on" not in held
    filters = [text(link) for link in page.select("nav[aria-label='Filter the orders'] a")]
    assert filters == [
        "All: 4",
        "Would be sent: 2",
        "An item has no SKU that can be sent: 2",
        "The payment is not completed: 1",
    ]
    only = get(owner, f"{url}?show=payment_not_completed")
    assert numbers(only) == ["FERN-4"]
    assert "No unshipped order is like this." in get(owner, f"{url}?show=paused").get_text()
    assert len(numbers(get(owner, f"{url}?page=77"))) == 4


def test_nothing_real_is_sent_before_the_choice(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox
) -> None:
    for _ in range(2):
        work(app, world)
    get(owner, url)
    send(owner, f"{url}/read")
    send(owner, f"{url}/ask")
    with app.app_context():
        rehearse([world.store_id])
    get(owner, f"{url}/confirm?start=all")
    get(owner, f"{url}/confirm?start=all", 200)
    work(app, world)
    assert shop.posted("816") == {}
    assert {number: order["tested"] for number, order in shop.received("816").items()} == {"FERN-1": 1, "FERN-2": 1}


def test_reading_on_request(app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox) -> None:
    work(app, world)
    assert text_in(get(owner, url), "#progress") == ""
    shop.place_order(number="FERN-5", items=[{"product": "1"}], account="1000001")
    assert send(owner, f"{url}/read").headers["Location"] == url
    assert stores(app)["1000001"].next_poll_at <= utc_now()  # type: ignore[operator]
    page = get(owner, url)
    assert "about to be read" in text_in(page, "#progress")
    piece = one(page, "#progress > div")
    assert (piece["hx-get"], piece["hx-trigger"], piece["hx-target"]) == (url, "every 2s", "#progress")
    live = owner.get(url, headers={"HX-Request": "true"})
    assert "about to be read" in live.text
    assert "<html" not in live.text
    assert "HX-Retarget" not in live.headers
    with app.app_context(), leased(db.session(), Work.READING.of(world.store_id)):
        assert "Reading the orders" in owner.get(url, headers={"HX-Request": "true"}).text
    work(app, world)
    done = owner.get(url, headers={"HX-Request": "true"})
    assert (done.headers["HX-Retarget"], done.headers["HX-Reswap"]) == ("#rehearsal", "outerHTML")
    assert done.text.lstrip().startswith('<div id="rehearsal">')
    assert "FERN-5" in done.text
    assert 'name="start"' not in done.text, "what a person has chosen meanwhile stays chosen"
    one(BeautifulSoup(done.text, "html.parser"), "#at-once[hx-swap-oob=true]")


def test_the_warehouses_verdict(app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox) -> None:
    shop.put_product("3", name="Bowl", description="SKU:BOWL-9", account="1000001")
    shop.place_order(number="FERN-6", items=[{"product": "3"}], account="1000001")
    shop.put_merchant("816", name="Fern & Fable", token="token", skus=["MUG-01"])
    work(app, world)
    one(get(owner, url), "button", "Ask the warehouse about 3 orders")
    send(owner, f"{url}/ask")
    assert "Asking the warehouse: 0 of 3 orders." in text_in(get(owner, url), "#progress")
    with app.app_context():
        assert due(db.session(), track_seconds=300, now=utc_now()).rehearsals == [world.store_id]
        rehearse([world.store_id])
        assert due(db.session(), track_seconds=300, now=utc_now()).rehearsals == []
    page = get(owner, url)
    assert figures(page) == {
        "would be sent": 3,
        "would stay on hold": 2,
        "the warehouse would take": 2,
        "the warehouse would refuse": 1,
    }
    assert "Would take it" in row_of(page, "FERN-1")
    assert "Would refuse it Invalid SKU: BOWL-9" in row_of(page, "FERN-6")
    assert "Not asked yet" in row_of(page, "FERN-3")
    assert numbers(get(owner, f"{url}?show=refused")) == ["FERN-6"]
    assert "1 of them the warehouse would refuse" in get(owner, f"{url}/confirm?start=all").get_text()
    assert shop.posted("816") == {}


def test_a_verdict_that_was_cut_off_goes_on_where_it_was(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox
) -> None:
    work(app, world)
    send(owner, f"{url}/ask")
    with app.app_context():
        order = db.session.query(Order).filter_by(number="FERN-1").one()
        order.rehearsed_at, order.rehearsal = utc_now(), "Said before"
        db.session.commit()
    assert "Asking the warehouse: 1 of 2 orders." in get(owner, url).get_text()
    send(owner, f"{url}/ask")
    with app.app_context():
        rehearse([world.store_id])
        rehearse([world.store_id])
    assert (verdicts(app)["FERN-1"], verdicts(app)["FERN-2"]) == ("Said before", "")
    assert {number: order["tested"] for number, order in shop.received("816").items()} == {"FERN-2": 1}
    assert [action for _, action, _ in audited(app)].count("rehearsal asked for") == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "unauthorized"}, "The warehouse does not accept the merchant's credentials."),
        ({"kind": "html", "times": None}, "The warehouse gave no clear answer several times in a row."),
        ({"kind": "throttle", "retry_after": "60"}, "asks us to send less"),
    ],
)
def test_a_warehouse_that_is_ill_is_left_alone(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox, fault: dict[str, Any], said: str
) -> None:
    shop.place_orders([{"items": [{"product": "1"}]}] * 4, account="1000001")
    work(app, world)
    shop.fault("submit", **fault)
    send(owner, f"{url}/ask")
    with app.app_context():
        rehearse([world.store_id])
    shown = text(get(owner, url))
    assert "The warehouse was not asked about every order." in shown
    assert said in shown
    assert set(verdicts(app).values()) == {None}
    assert stores(app)["1000001"].rehearsal_asked_at is None
    assert sum(order["tested"] for order in shop.received("816").values()) == 0


def test_one_unclear_answer_stops_nothing(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox
) -> None:
    work(app, world)
    shop.fault("submit", "html", order="FERN-1")
    send(owner, f"{url}/ask")
    with app.app_context():
        rehearse([world.store_id])
    assert (verdicts(app)["FERN-1"], verdicts(app)["FERN-2"]) == (None, "")
    assert stores(app)["1000001"].rehearsal_problem == ""


def test_nothing_to_ask_about(app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox) -> None:
    send(owner, f"{url}/ask")
    assert "There is no order to ask about" in get(owner, url).get_text()
    assert stores(app)["1000001"].rehearsal_asked_at is None


# The choice


@pytest.mark.parametrize(
    ("choice", "sentence", "more"),
    [
        ("start=all", "This sends 2 orders to the warehouse now", "2 orders stay on hold"),
        (
            f"start=day&day={DAY}",
            "This sends 1 order to the warehouse now",
            "1 order was placed before 1 June 2026 (midnight UTC)",
        ),
        ("start=new", "This sends no order now", "2 orders were placed before now and are not sent"),
    ],
)
def test_the_confirmation_says_what_it_would_do(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox, choice: str, sentence: str, more: str
) -> None:
    work(app, world)
    shown = text_in(get(owner, f"{url}/confirm?{choice}"))
    assert sentence in shown
    assert more in shown
    assert not stores(app)["1000001"].live


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("", "Choose which orders are to be sent."),
        ("start=some", "Not a valid choice"),
        ("start=day", "Choose the first day below as well."),
        ("start=day&day=soon", "Give the day as YYYY-MM-DD."),
        ("start=day&day=0026-06-01", "Check the year."),
    ],
)
def test_a_choice_that_is_not_clear(app: Flask, owner: FlaskClient, url: str, choice: str, said: str) -> None:
    page = read(owner.get(f"{url}/confirm?{choice}"), 422)
    assert any(said in text(error) for error in page.select(".invalid-feedback"))
    link = one(page, "[data-focus] a")  # the error stands on top, too, with a link to its field
    one(page, str(link["href"]))
    assert text_in(page, "head title").startswith("Error: ")
    assert read(send(owner, f"{url}/confirm"), 422).find("button", string="Go live") is None
    assert not stores(app)["1000001"].live


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ({"start": "all"}, {"FERN-1", "FERN-2"}),
        ({"start": "day", "day": DAY}, {"FERN-2"}),
        ({"start": "new"}, set()),
    ],
)
def test_going_live_sends_what_was_chosen(
    app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox, choice: dict[str, str], sent: set[str]
) -> None:
    work(app, world)
    page = get(owner, send(owner, f"{url}/confirm", **choice).headers["Location"])
    assert "is live." in page.get_text()
    assert "This store is live." in page.get_text()
    work(app, world)
    assert shop.accepted("816") == dict.fromkeys(sent, 1)
    created = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    shop.place_order(number="FERN-9", items=[{"product": "1"}], created_at=created, account="1000001")
    work(app, world)
    assert shop.accepted("816") == dict.fromkeys({*sent, "FERN-9"}, 1)
    assert (world.owner, "store went live") in [(actor, action) for actor, action, _ in audited(app)]


def test_the_choice_can_be_changed_later(app: Flask, world: World, owner: FlaskClient, url: str, shop: Sandbox) -> None:
    work(app, world)
    send(owner, f"{url}/confirm", start="new")
    work(app, world)
    page = get(owner, url)
    one(page, "h2", "Change which orders are sent")
    assert figures(page)["would be sent"] == 2
    one(get(owner, f"{url}/confirm?start=all"), "button", "Change it and send 2 orders")
    send(owner, f"{url}/confirm", start="all")
    work(app, world)
    assert shop.accepted("816") == {"FERN-1": 1, "FERN-2": 1}
    assert (world.owner, "start changed", "all orders") in audited(app)
    assert "FERN-1" not in get(owner, url).get_text()


def test_a_shop_that_is_not_connected(app: Flask, world: World, owner: FlaskClient, url: str) -> None:
    with app.app_context():
        db.session.get_one(Store, world.store_id).sealed_token = ""
        db.session.commit()
    page = get(owner, url)
    one(page, "a[href='/connect?merchant_id=816']", "Connect it again")
    assert page.find("form", action=f"{url}/confirm") is None
    for action in (f"{url}/read", f"{url}/confirm"):
        assert send(owner, action, start="all").status_code == 303
    assert owner.get(f"{url}/confirm?start=all").headers["Location"] == url
    assert not stores(app)["1000001"].live


# Who


def test_support_gives_a_reason(
    app: Flask, world: World, url: str, client_of: Callable[..., FlaskClient], shop: Sandbox
) -> None:
    work(app, world)
    support = client_of(world.support)
    get(support, url)
    for action in ("read", "ask", "confirm"):
        page = read(send(support, f"{url}/{action}", start="all"), 422)
        assert "Say why" in page.get_text()
    assert not stores(app)["1000001"].live
    for action in ("read", "ask", "confirm"):
        assert send(support, f"{url}/{action}", start="all", reason="On the phone").status_code == 303
    done = [(action, reason) for actor, action, reason in audited(app) if actor == world.support]
    assert done == [
        ("store read now", "On the phone"),
        ("rehearsal asked for", "On the phone"),
        ("store went live", "all orders; On the phone"),
    ]


def test_strangers_find_nothing(app: Flask, world: World, url: str, client_of: Callable[..., FlaskClient]) -> None:
    stranger = client_of(world.stranger)
    for address in (url, f"/m/900/go-live/{world.store_id}"):
        get(stranger, address, 404)
        get(stranger, f"{address}/confirm?start=all", 404)
        for action in ("read", "ask", "confirm"):
            assert send(stranger, f"{address}/{action}", start="all").status_code == 404
    assert not stores(app)["1000001"].live
    assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")
