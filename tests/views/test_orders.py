"""Orders: the list, one order as a case, and what a person decides about them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event, select

from portal import queue
from portal.actions import order_outlook
from portal.actions.order_outlook import Action
from portal.clock import utc_now
from portal.extensions import db
from portal.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    AuditEntry,
    Merchant,
    Order,
    OrderState,
    Trigger,
)
from tests.views.conftest import World, get, post, read
from tests.views.orders_world import BUYER, FIRST_DAY, STREET, Orders, put_many
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bs4 import Tag
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

    ClientOf = Callable[[str | None], FlaskClient]

LIST = "/m/816/orders"


WOKEN = [queue.Call(queue.JobName.SUBMIT, (816,)), queue.Call(queue.JobName.TRACK, (816,))]


@pytest.fixture
def big_cartel_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Big Cartel answers at once, and nothing has changed there."""

    def read_again(_: Session, orders: Sequence[Order], *__: object) -> set[int]:
        return {order.id for order in orders}

    monkeypatch.setattr("portal.views.orders.read_again", read_again)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[queue.Call]:
    calls: list[queue.Call] = []
    monkeypatch.setattr(queue, "wake_if_possible", lambda _connection, given: calls.extend(given))
    return calls


def numbers(page: BeautifulSoup) -> list[str]:
    return [row.get_text(strip=True) for row in page.select("tbody th[scope=row] a")]


def row(page: BeautifulSoup, number: str) -> Tag:
    return one(page, f"tbody tr:has(a:-soup-contains-own('{number}'))")


def said_of_each(page: BeautifulSoup) -> dict[str, str]:
    """The text of each row, by the order's number."""
    return {text_in(row, "a"): text(row) for row in page.select("tbody tr")}


def state_of(app: Flask, number: str) -> OrderState:
    with app.app_context():
        return db.session.scalars(select(Order.state).where(Order.number == number)).one()


def entries(app: Flask, number: str) -> Sequence[AuditEntry]:
    with app.app_context():
        return db.session.scalars(select(AuditEntry).where(AuditEntry.subject == number)).all()


# The list


def test_without_orders_the_list_says_what_to_do(world: World, owner: FlaskClient) -> None:
    page = get(owner, LIST)
    assert "No orders yet" in text_in(page)
    assert one(page, "main a.btn-primary")["href"] == "/m/816/"


def test_the_list_shows_every_order_of_the_merchant_newest_first(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, LIST)
    assert numbers(page) == [f"FERN-1000{n:02}" for n in range(15, 0, -1)]
    assert "15 orders match" in text_in(page)
    assert "All 15" in text_in(page, "nav[aria-label='Orders by state']")
    assert "On hold 4" in text_in(page, "nav[aria-label='Orders by state']")
    refused = text(row(page, orders.rejected))
    assert "Refused" in refused
    assert "Invalid SKU: MUG-01" in refused
    assert "Needs you" in text(row(page, orders.given_up))


FILTERED = {
    "state=rejected": ["rejected"],
    "state=closed": ["cancelled", "closed"],
    "hold=no_sku": ["no_sku"],
    "hold=local_pickup": ["pickup"],
    "hold=no_mapping&shipping=INTERNATIONAL_DEFAULT": ["no_mapping"],
    "shipping=INTERNATIONAL_DEFAULT": ["no_mapping"],
    "number=fern-100009": ["rejected"],
    "number=%20100009%20": ["rejected"],
    "number=100009&state=held": [],
    "number=_ERN": [],
    "number=%25": [],
    "number=%ED%A0%80": [],
    "from_day=2026-11-14": ["purged", "cancelled"],
    "to_day=2026-11-02": ["pickup", "no_sku"],
    "from_day=2026-11-09&to_day=2026-11-09": ["rejected"],
}


def test_filters(orders: Orders, owner: FlaskClient) -> None:
    for query, expected in FILTERED.items():
        page = get(owner, f"{LIST}?{query}")
        assert numbers(page) == [getattr(orders, name) for name in expected], query
        assert ("No order matches these filters" in text_in(page)) is (not expected)


def test_a_filter_stays_in_its_field(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}?state=held&hold=no_sku&number=FERN&from_day=2026-11-01")
    form = one(page, "#filters")
    assert one(form, "input[name=state]")["value"] == "held"
    assert one(form, "input[name=number]")["value"] == "FERN"
    assert one(form, "input[name=from_day]")["value"] == "2026-11-01"
    assert one(form, "select[name=hold] option[selected]")["value"] == "no_sku"
    # The counts are of what the other filters leave, so that one sees where to look.
    assert "On hold 1" in text_in(page, "nav[aria-label='Orders by state']")


def test_a_filter_that_cannot_be_understood_says_so(orders: Orders, owner: FlaskClient) -> None:
    for query, sentence in {
        "from_day=yesterday": "Give the day as YYYY-MM-DD.",
        "from_day=2026-11-09&to_day=2026-11-08": "This day is before the first one.",
        "hold=nonsense": "Not a valid choice.",
    }.items():
        assert text_in(get(owner, f"{LIST}?{query}"), "#filters .invalid-feedback") == sentence


def test_odd_addresses_still_show_the_list(orders: Orders, owner: FlaskClient) -> None:
    for query in (
        "state=nonsense",
        "number=%00",
        "to_day=9999-12-31&from_day=0001-01-01",
        "before=x",
        "before=99999999999999999999",
        "endpoint=x&_method=POST&merchant_id=900",
    ):
        assert len(numbers(get(owner, f"{LIST}?{query}"))) == 15, query


def test_filters_survive_paging_and_pages_neither_repeat_nor_skip(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    put_many(app, world, 120)
    seen: list[str] = []
    address: str | None = f"{LIST}?number=MANY&state=completed"
    while address:
        page = get(owner, address)
        assert "120 orders match" in text_in(page)
        seen += numbers(page)
        older = page.find("a", rel="next")
        address = str(older["href"]) if older else None
        assert address is None or {"number": ["MANY"], "state": ["completed"]}.items() <= query_of(address).items()
    assert seen == [f"MANY-{n:06}" for n in range(119, -1, -1)]


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_the_csv_holds_what_was_filtered(orders: Orders, owner: FlaskClient) -> None:
    link = one(get(owner, f"{LIST}?state=completed&number=FERN"), "a", "Download as CSV")
    answer = owner.get(str(link["href"]))
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row["order"] for row in rows] == [orders.purged, orders.completed]
    assert rows[1]["state"] == "Done"
    assert rows[1]["SKUs"] == "2 x MUG-01"
    assert rows[1]["tracking numbers"] == "9400100000000000000001; 9400100000000000000002"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert STREET not in answer.get_data(as_text=True)


@pytest.fixture
def queries(app: Flask) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_a_page_costs_few_queries_however_many_orders_there_are(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, queries: list[str]
) -> None:
    put_many(app, world, 2000)
    for path, at_most in {
        "orders": 5,
        "orders?state=completed&number=MANY&from_day=2026-01-01": 5,
        "orders/FERN-100012": 6,
        "attempts": 4,
        "attempts?number=MANY&outcome=done": 4,
        "orders/decide?do=close&all=1&number=MANY": 5,
        "orders/decide?do=retry&all=1&state=held": 8,
    }.items():
        queries.clear()
        get(owner, f"/m/816/{path}")
        assert len(queries) <= at_most, (path, queries)


# One order


SAID = (
    ("no_sku", "On hold", "yours", "An item has no SKU that can be sent"),
    ("unpaid", "On hold", "the buyer's", "The payment is not completed"),
    ("ready", "Waiting to send", "ours", "It will be sent at the next run."),
    ("given_up", "Waiting to send", "yours", "It could not be sent for 72 hours."),
    ("submitting", "Sending", "ours", "It is being handed to the warehouse now."),
    ("unconfirmed", "Sent, not confirmed", "ours", "it will not be sent twice"),
    ("rejected", "Refused", "yours", 'The warehouse refused it: "Invalid SKU: MUG-01".'),
    ("submitted", "At the warehouse", "the warehouse's", "Accepted by the warehouse as 5001"),
    ("shipped", "Shipped", "ours", "Big Cartel is being told"),
    ("completed", "Done", "", "Nothing is left to do."),
    ("closed", "Closed", "", "Closed by owner@fern.example: the buyer gave up"),
    ("cancelled", "Closed", "", "Cancelled at the warehouse."),
)


def test_an_order_says_where_it_is_and_whose_move_it_is(orders: Orders, owner: FlaskClient) -> None:
    for case, badge, move, sentence in SAID:
        said = text_in(get(owner, f"{LIST}/{getattr(orders, case)}"), "#state")
        assert said.startswith(badge), case
        assert sentence in said
        assert (f"The next move is {move}." in said) if move else ("The next move" not in said)


def test_a_hold_comes_with_its_remedy_and_where_it_is_done(orders: Orders, owner: FlaskClient) -> None:
    for case, remedy, link in (
        ("no_sku", "Mend the product description in Big Cartel", "/m/816/products"),
        ("no_mapping", "Choose a service under Shipping", "/m/816/shipping"),
        ("unpaid", "It is sent once Big Cartel shows the payment as completed", "/m/816/settings"),
        ("pickup", "release it on its page", "https://my.bigcartel.com/orders/FERN-100002"),
    ):
        hold = one(get(owner, f"{LIST}/{getattr(orders, case)}"), "#state li")
        assert remedy in text(hold)
        one(hold, f"a[href='{link}']")


def test_an_order_of_a_store_that_is_not_live_leads_to_going_live(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.no_sku)).one()
        order.holds = [{"reason": "not_live", "detail": ""}]
        db.session.commit()
    page = get(owner, f"{LIST}/{orders.no_sku}")
    one(page, f"a[href='/m/816/go-live/{world.store_id}']", "Go to Go live")


def test_a_case_shows_items_service_tracking_address_and_timeline(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}/{orders.completed}")
    said = text_in(page)
    assert "Plain Mug 2 MUG-01 The product description in Big Cartel" in said
    assert "It goes to US, which counts as domestic: DOMESTIC_DEFAULT." in said
    assert "That stands for USPS Media Mail (USPS_MEDIA), as chosen under Shipping." in said
    one(page, "a[href='https://tools.usps.com/go/TrackConfirmAction?tLabels=9400100000000000000001']")
    assert [field["value"] for field in page.select("#tracking input")] == [
        "9400100000000000000001",
        "9400100000000000000002",
    ]
    hidden = one(page, "details:has(address)")
    assert not hidden.has_attr("open")
    assert BUYER in text(hidden)
    assert STREET in text(hidden)
    happened = [one.get_text(strip=True) for one in page.select("#timeline li > div > strong")]
    assert happened == [
        "Telling Big Cartel: Done",
        "Status check: Done",
        "Submission: Done",
        "Read from Big Cartel for the first time",
        "Placed by the buyer",
    ]
    assert f"<OrderNumber>{orders.completed}</OrderNumber>" in text(page.select("#timeline details")[0])
    assert page.select(f"a[href='https://my.bigcartel.com/orders/{orders.completed}']")


def test_a_number_in_small_letters_is_found_too(orders: Orders, owner: FlaskClient) -> None:
    assert f"Order {orders.rejected}" in text_in(get(owner, f"{LIST}/{orders.rejected.lower()}"), "h1")


@pytest.mark.parametrize(
    ("words", "said", "place"),
    [
        ("Invalid SKU: MUG-01", "It does not know a SKU", "/m/816/products?store=1"),
        ("Unknown ShippingMethod USPS_MEDIA", "It does not take the carrier's service", "/m/816/shipping"),
        ("PostalCode does not match State", "It cannot ship to this address", "https://my.bigcartel.com/orders/"),
        ("Computer says no", "Mend what it names", None),
    ],
)
def test_a_refusal_says_what_it_means_and_leads_there(
    app: Flask, orders: Orders, owner: FlaskClient, words: str, said: str, place: str | None
) -> None:
    with app.app_context():
        db.session.get_one(Order, orders.ids[orders.rejected]).state_reason = words
        db.session.commit()
    page = get(owner, f"{LIST}/{orders.rejected}")
    assert said in text_in(page, "#state")
    links = [str(link["href"]) for link in page.select("#state p a")]
    assert (not links) if place is None else links[0].startswith(place)


def test_while_credentials_are_refused_an_order_does_not_say_that_it_goes(
    app: Flask, orders: Orders, owner: FlaskClient
) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).credentials_refused_at = utc_now()
        db.session.commit()
    said = text_in(get(owner, f"{LIST}/{orders.ready}"), "#state")
    assert "The next move is yours" in said
    assert "Check the Merchant Token" in said


def test_an_item_without_sku_cannot_be_overlooked(orders: Orders, owner: FlaskClient) -> None:
    assert "Poster 2 No SKU Nowhere yet: mend its SKU" in text_in(get(owner, f"{LIST}/{orders.no_sku}"))


def test_after_the_purge_the_page_says_that_the_data_are_removed(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}/{orders.purged}")
    assert "The buyer's data were removed" in text_in(page, "section[aria-labelledby=address-head]")
    assert "Removed with the buyer's data" in text_in(page, "#timeline")
    assert BUYER not in text_in(page)
    assert "It counts as domestic" in text_in(page)


def test_the_words_of_others_are_shown_as_text(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.rejected)).one()
        order.state_reason = "<script>alert(1)</script>"
        order.document = json.dumps(json.loads(order.document)).replace(STREET, "<script>alert(2)</script>")
        attempt = db.session.scalars(select(Attempt).where(Attempt.order_id == order.id)).one()
        attempt.answer = "</pre><script>alert(3)</script>"
        db.session.commit()
    for address in (f"{LIST}/{orders.rejected}", LIST):
        page = get(owner, address)
        assert not [script for script in page.find_all("script") if "alert" in script.get_text()]
    assert "<script>alert(3)</script>" in text_in(get(owner, f"{LIST}/{orders.rejected}"))


def test_a_long_answer_is_cut_and_the_attempts_page_has_all(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    with app.app_context():
        query = select(Attempt).join(Attempt.order).where(Order.number == orders.rejected)
        attempt = db.session.scalars(query).one()
        attempt.answer, attempt_id = "x" * 9_000 + "the end", attempt.id
        db.session.commit()
    page = get(owner, f"{LIST}/{orders.rejected}")
    assert "The first 6000 of 9007 characters." in text_in(page, "#timeline")
    assert "the end" not in text_in(page)
    one(page, f"a[href='/m/816/attempts/{attempt_id}']")
    assert "the end" in text_in(get(owner, f"/m/816/attempts/{attempt_id}"))


# The live part


def test_an_order_that_moves_by_itself_keeps_its_page_up_to_date(
    app: Flask, orders: Orders, owner: FlaskClient
) -> None:
    for number in (orders.ready, orders.submitting, orders.unconfirmed, orders.shipped):
        address = str(one(get(owner, f"{LIST}/{number}"), "#state [hx-get]")["hx-get"])
        quiet = owner.get(address, headers={"HX-Request": "true"})
        assert (quiet.status_code, quiet.get_data()) == (204, b"")
        with app.app_context():
            order = db.session.scalars(select(Order).where(Order.number == number)).one()
            order.state, order.state_changed_at = OrderState.COMPLETED, utc_now()
            db.session.commit()
        news = owner.get(address, headers={"HX-Request": "true"})
        piece = BeautifulSoup(news.get_data(as_text=True), "html.parser")
        assert news.status_code == 200
        assert piece.find("html") is None
        assert "Done" in piece.get_text()
        assert not piece.select("[hx-get]")
        assert {part["id"] for part in piece.select("[hx-swap-oob]")} == {"timeline", "tracking"}


def test_a_new_attempt_is_news_too(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    poller = one(get(owner, f"{LIST}/{orders.unconfirmed}"), "#state [hx-get]")
    with app.app_context():
        session = db.session()
        session.add(
            Attempt(
                merchant_id=816, order_id=orders.ids[orders.unconfirmed], kind=AttemptKind.STATUS,
                trigger=Trigger.SCHEDULE, started_at=utc_now(), outcome=AttemptOutcome.OPEN,
            )
        )  # fmt: skip
        session.commit()
    news = owner.get(str(poller["hx-get"]), headers={"HX-Request": "true"})
    assert "Status check: No answer yet" in news.get_data(as_text=True)


def test_an_order_that_waits_for_somebody_does_not_ask_again(orders: Orders, owner: FlaskClient) -> None:
    for case in ("given_up", "rejected", "completed", "closed"):
        assert not get(owner, f"{LIST}/{getattr(orders, case)}").select("[hx-get]"), case


# Deciding about one order


def test_only_what_is_possible_is_offered(orders: Orders, owner: FlaskClient) -> None:
    for case, offered in (
        ("no_sku", ["Retry …", "Close …"]),
        ("pickup", ["Release …", "Close …"]),
        ("rejected", ["Retry …", "Close …"]),
        ("unconfirmed", ["Retry …"]),
        ("closed", ["Retry …"]),
        ("submitting", []),
        ("submitted", []),
        ("completed", []),
        ("cancelled", []),
    ):
        page = get(owner, f"{LIST}/{getattr(orders, case)}")
        assert [button.get_text() for button in page.select("#state a.btn")] == offered, case


@pytest.mark.parametrize("action", list(Action))
def test_what_is_said_to_be_possible_is_what_happens(app: Flask, orders: Orders, action: Action) -> None:
    for number, order_id in orders.ids.items():
        with app.app_context():
            session = db.session()
            order = session.get_one(Order, order_id)
            [outlook] = order_outlook.outlooks(session, [order], action)
            result = order_outlook.act(
                session, order, action, is_fresh=True, actor="test", reason="a test", now=utc_now()
            )
            assert result.done is outlook.possible, number
            if "sent to the warehouse at the next run" in outlook.sentence:
                assert order.state is OrderState.READY
            if "waits on hold" in outlook.sentence:
                assert order.state is OrderState.HELD


@pytest.mark.usefixtures("big_cartel_answers")
def test_a_retry_is_confirmed_first_then_done_and_wakes_the_submission(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    address = f"{LIST}/{orders.rejected}/retry"
    page = get(owner, address)
    assert "It is looked at again and sent to the warehouse at the next run." in text_in(page)
    assert not page.select("input[name=reason]")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    after = post(owner, address)
    assert after.request.path == f"{LIST}/{orders.rejected}"
    assert f"{orders.rejected} is now “Waiting to send”." in text_in(read(after), ".alert-success")
    assert f"Retried by {world.owner}" in text_in(read(after), "#timeline")
    assert state_of(app, orders.rejected) is OrderState.READY
    assert woken == WOKEN


def test_a_retry_that_would_not_help_says_so_before(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    page = get(owner, f"{LIST}/{orders.no_sku}/retry")
    assert "waits on hold: An item has no SKU that can be sent" in text_in(page)
    post(owner, f"{LIST}/{orders.no_sku}/retry")
    assert state_of(app, orders.no_sku) is OrderState.HELD


def test_a_pickup_is_sent_only_when_it_is_released(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    refused = get(owner, f"{LIST}/{orders.pickup}/retry")
    assert "Release it if it is to be sent all the same." in text_in(refused)
    assert not refused.select("main form")
    post(owner, f"{LIST}/{orders.pickup}/retry")
    assert state_of(app, orders.pickup) is OrderState.HELD
    after = read(post(owner, f"{LIST}/{orders.pickup}/release"))
    assert f"Released by {world.owner}" in text_in(after, "#timeline")
    assert state_of(app, orders.pickup) is OrderState.READY


def test_closing_asks_why_and_keeps_it(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    address = f"{LIST}/{orders.rejected}/close"
    unsaid = read(post(owner, address, reason="  "))
    assert "Say why it is never to be sent" in text_in(unsaid, "main form .invalid-feedback")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    page = read(post(owner, address, reason="Bought twice"))
    assert f"Closed by {world.owner}: Bought twice" in text_in(page, "#state")
    assert [(one.actor, one.action, one.reason) for one in entries(app, orders.rejected)] == [
        (world.owner, "order closed", "Bought twice")
    ]
    assert not woken


def test_an_order_at_the_warehouse_is_left_alone(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    for action in Action:
        address = f"{LIST}/{orders.submitted}/{action}"
        assert "Nothing." in text_in(get(owner, address))
        page = read(post(owner, address, reason="by force"))
        assert f"{orders.submitted} is as it was." in text_in(page, ".alert-warning")
    assert state_of(app, orders.submitted) is OrderState.SUBMITTED
    assert not entries(app, orders.submitted)
    assert not woken


@pytest.mark.usefixtures("big_cartel_answers")
def test_acting_works_without_redis(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    read(post(owner, f"{LIST}/{orders.rejected}/retry"))
    assert state_of(app, orders.rejected) is OrderState.READY


@pytest.mark.usefixtures("big_cartel_answers")
def test_support_gives_a_reason_and_its_name_is_written_down(
    app: Flask, orders: Orders, world: World, client_of: ClientOf, woken: list[queue.Call]
) -> None:
    support = client_of(world.support)
    address = f"{LIST}/{orders.rejected}/retry"
    one(get(support, address), "input[name=reason]")
    unsaid = read(post(support, address))
    assert "Say why" in text_in(unsaid, "main form .invalid-feedback")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    page = read(post(support, address, reason="The SKU is mended at the warehouse"))
    assert f"Retried by {world.support}" in text_in(page, "#timeline")
    assert "The SKU is mended at the warehouse" in text_in(page, "#timeline")
    assert [one.actor for one in entries(app, orders.rejected)] == [world.support]


def test_a_refused_order_stays_while_its_products_cannot_be_read(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    page = read(post(owner, f"{LIST}/{orders.rejected}/retry"))
    assert "could not be read from Big Cartel" in text_in(page, ".alert-warning")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    assert woken == []


# Deciding about many


@pytest.mark.usefixtures("big_cartel_answers")
def test_many_are_confirmed_order_by_order_then_done_with_a_result_each(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    chosen = [orders.rejected, orders.no_sku, orders.pickup, orders.completed]
    ids = "&".join(f"order={orders.ids[number]}" for number in chosen)
    address = f"{LIST}/decide?do=retry&{ids}&number=FERN"
    page = get(owner, address)
    said = said_of_each(page)
    assert "sent to the warehouse at the next run" in said[orders.rejected]
    assert "waits on hold" in said[orders.no_sku]
    assert "Nothing." in said[orders.pickup]
    assert "shipped, and marked shipped in Big Cartel" in said[orders.completed]
    assert text_in(page, "main form button") == "Retry 2 orders"
    assert one(page, "a", "Cancel")["href"] == f"{LIST}?number=FERN"

    after = post(owner, address, order=[orders.ids[number] for number in chosen])
    assert after.request.path == f"{LIST}/decided"
    result = read(after)
    assert "2 orders retried" in text_in(result, "h1")
    assert "2 left as they were." in text_in(result)
    said = said_of_each(result)
    assert "Retried" in said[orders.rejected]
    assert "Waiting to send" in said[orders.rejected]
    assert "Left as it was" in said[orders.pickup]
    assert "Release it if it is to be sent all the same." in said[orders.pickup]
    assert one(result, "a", "Back to the orders")["href"] == f"{LIST}?number=FERN"
    assert state_of(app, orders.rejected) is OrderState.READY
    assert state_of(app, orders.pickup) is OrderState.HELD
    assert woken == WOKEN


def test_many_are_closed_with_one_reason(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    chosen = [orders.rejected, orders.no_sku]
    address = f"{LIST}/decide?do=close&" + "&".join(f"order={orders.ids[number]}" for number in chosen)
    unsaid = read(post(owner, address, order=[orders.ids[number] for number in chosen], reason=""))
    assert "Say why" in text_in(unsaid, "main form .invalid-feedback")
    assert len(unsaid.select("main form input[name=order]")) == 2
    read(post(owner, address, order=[orders.ids[number] for number in chosen], reason="Season is over"))
    for number in chosen:
        assert state_of(app, number) is OrderState.CLOSED
        assert [one.reason for one in entries(app, number)] == ["Season is over"]


def test_all_that_match_can_be_chosen_at_once(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    put_many(app, world, 230, state=OrderState.REJECTED)
    page = get(owner, f"{LIST}?number=MANY")
    assert "The newest 200 that match, not only those ticked" in text_in(page, "label[for=all]")
    page = get(owner, f"{LIST}/decide?do=close&all=1&number=MANY")
    assert "Close 200 orders" in text_in(page, "h1")
    ids = [field["value"] for field in page.select("main form input[name=order]")]
    result = read(post(owner, f"{LIST}/decide?do=close&all=1&number=MANY", order=ids, reason="Gone"))
    assert "200 orders closed" in text_in(result, "h1")


def test_nothing_chosen_leads_back_with_a_word(orders: Orders, owner: FlaskClient) -> None:
    answer = owner.get(f"{LIST}/decide?do=retry&state=held", follow_redirects=True)
    page = read(answer)
    assert answer.request.full_path == f"{LIST}?state=held"
    assert "No order was chosen. Tick at least one, then retry it." in text_in(page, ".alert")


def test_an_unknown_action_is_not_there(orders: Orders, owner: FlaskClient) -> None:
    for path in ("decide?do=delete&order=1", "decide", "decided", "decided?do=nonsense"):
        get(owner, f"{LIST}/{path}", 404)


# Who may see what


PATHS = (
    "orders", "orders/orders.csv", "orders/FERN-100009", "orders/FERN-100009/retry", "orders/FERN-100009/release",
    "orders/FERN-100009/close", "orders/decide?do=retry&order=1", "orders/decided?do=retry",
)  # fmt: skip


def test_a_stranger_finds_nothing_and_nobody_is_asked_to_log_in(
    orders: Orders, world: World, client_of: ClientOf
) -> None:
    for path in PATHS:
        get(client_of(world.stranger), f"/m/816/{path}", 404)
        answer = client_of(None).get(f"/m/816/{path}")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/log-in?next=")
        for email in (world.owner, world.colleague, world.support):
            assert client_of(email).get(f"/m/816/{path}").status_code in {200, 303}


def test_a_stranger_cannot_act_on_anothers_order(
    app: Flask, orders: Orders, world: World, client_of: ClientOf, woken: list[queue.Call]
) -> None:
    stranger = client_of(world.stranger)
    assert post(stranger, f"{LIST}/{orders.rejected}/close", reason="mine now").status_code == 404
    # Within the stranger's own pages, but with the order of another merchant.
    get(stranger, f"/m/900/orders/{orders.rejected}", 404)
    foreign = orders.ids[orders.rejected]
    own = orders.ids[orders.other]
    address = f"/m/900/orders/decide?do=close&order={foreign}&order={own}"
    assert numbers(get(stranger, address)) == [orders.other]
    post(stranger, address, order=[foreign, own], reason="mine now")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    assert state_of(app, orders.other) is OrderState.CLOSED


def test_an_order_that_does_not_exist_is_not_there(orders: Orders, owner: FlaskClient) -> None:
    for number in ("NONE-1", "%00", "FERN-100009%00", "..%2f..", "FERN 100009"):
        get(owner, f"{LIST}/{number}", 404)


def test_a_form_without_its_token_changes_nothing(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    assert owner.post(f"{LIST}/{orders.rejected}/close", data={"reason": "forged"}).status_code == 400
    assert state_of(app, orders.rejected) is OrderState.REJECTED


def test_the_first_day_is_what_the_page_shows(orders: Orders, owner: FlaskClient) -> None:
    shown = one(row(get(owner, LIST), orders.no_sku), "time")
    assert shown["datetime"] == FIRST_DAY.isoformat(timespec="seconds")
