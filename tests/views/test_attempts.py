"""The attempt log, and the page of one attempt with its request and response."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from portal.extensions import db
from portal.models import Attempt, AttemptOutcome
from tests.views.conftest import World, get
from tests.views.orders_world import Orders, put_many
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import BeautifulSoup
    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

LIST = "/m/816/attempts"


def rows(page: BeautifulSoup) -> list[str]:
    return [text(row) for row in page.select("tbody tr")]


def attempt_of(app: Flask, number: str, outcome: AttemptOutcome) -> int:
    with app.app_context():
        query = select(Attempt).join(Attempt.order).where(Attempt.outcome == outcome)
        return next(one.id for one in db.session.scalars(query) if number in one.explanation)


def test_empty_attempt_log_says_when_the_first_attempt_appears(world: World, owner: FlaskClient) -> None:
    main = one(get(owner, LIST), "main")
    assert "No attempts yet" in text(main)
    one(main, "a[href='/m/816/orders']")


def test_attempts_are_listed_newest_first_with_message_and_explanation(
    app: Flask, orders: Orders, owner: FlaskClient
) -> None:
    page = get(owner, LIST)
    ids = [int(str(link["href"]).rsplit("/", 1)[1]) for link in page.select("tbody td:last-child a")]
    assert ids == sorted(ids, reverse=True)
    [rejected] = [row for row in rows(page) if "Invalid SKU" in row]
    assert f"{orders.rejected} Send order Automatic Rejected" in rejected
    assert f"What attempt 1 of {orders.rejected} means. Invalid SKU: MUG-01" in rejected
    one(page, f"a[href='/m/816/orders/{orders.rejected}']")


FILTERED = {
    "outcome=refused": {"FERN-100009"},
    "outcome=open": {"FERN-100007"},
    "kind=mark_shipped": {"FERN-100012"},
    "number=100011": {"FERN-100011"},
    "number=100011&kind=mark_shipped": set(),
    "number=_": set(),
    "to_day=2026-11-06": {"FERN-100006"},
    "from_day=2026-11-15": {"FERN-100015"},
}


def test_each_filter_narrows_the_list(orders: Orders, owner: FlaskClient) -> None:
    for query, expected in FILTERED.items():
        page = get(owner, f"{LIST}?{query}")
        assert {link.get_text() for link in page.select("tbody th a")} == expected, query
        assert ("No attempts match these filters" in text_in(page)) is (not expected)


def test_filters_survive_paging(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    put_many(app, world, 60)
    seen = 0
    address: str | None = f"{LIST}?number=MANY&kind=status"
    while address:
        page = get(owner, address)
        seen += len(rows(page))
        older = page.find("a", rel="next")
        address = str(older["href"]) if older else None
        if address:
            arguments = parse_qs(urlsplit(address).query)
            assert (arguments["number"], arguments["kind"]) == (["MANY"], ["status"])
    assert seen == 60


def test_csv_has_the_filtered_attempts_without_bodies(orders: Orders, owner: FlaskClient) -> None:
    link = one(get(owner, f"{LIST}?number={orders.rejected}"), "a", "Download CSV")
    answer = owner.get(str(link["href"])).get_data(as_text=True)
    [row] = csv.DictReader(io.StringIO(answer.removeprefix("\ufeff")))
    assert (row["order"], row["kind"], row["outcome"]) == (orders.rejected, "Send order", "Rejected")
    assert (row["words"], row["took"]) == ("Invalid SKU: MUG-01", "340 ms")
    assert "<OrderNumber>" not in answer


def test_long_csv_is_complete(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    put_many(app, world, 600)
    answer = owner.get(f"{LIST}/attempts.csv?number=MANY").get_data(as_text=True)
    lines = list(csv.DictReader(io.StringIO(answer.removeprefix("\ufeff"))))
    assert len(lines) == 1200
    assert len({line["order"] for line in lines}) == 600


def test_attempt_page_shows_every_detail(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    attempt_id = attempt_of(app, orders.rejected, AttemptOutcome.REFUSED)
    page = get(owner, f"{LIST}/{attempt_id}")
    said = text_in(page)
    assert f"Order {orders.rejected} · Send order" in said
    assert f"What attempt 1 of {orders.rejected} means." in said
    assert "HTTP status 200" in said
    request, answer = page.select("pre")
    assert request.get_text() == f"<Order><OrderNumber>{orders.rejected}</OrderNumber></Order>"
    assert answer.get_text() == "<Status>as it is</Status>"
    one(page, f"main a[href='/m/816/orders/{orders.rejected}']")


def test_unfinished_attempt_shows_that_no_answer_has_arrived(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    with app.app_context():
        query = select(Attempt.id).where(Attempt.outcome == AttemptOutcome.OPEN)
        attempt_id = db.session.scalars(query).one()
    page = get(owner, f"{LIST}/{attempt_id}")
    assert "No answer yet" in text_in(page)
    assert "No answer yet, or the worker stopped before one arrived" in text_in(page)


def test_purged_attempt_shows_that_its_bodies_were_removed(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    attempt_id = attempt_of(app, orders.purged, AttemptOutcome.DONE)
    page = get(owner, f"{LIST}/{attempt_id}")
    assert not page.select("pre")
    assert "Removed with the buyer's data" in text_in(page)


def test_other_merchants_get_404_and_logged_out_users_are_sent_to_log_in(
    app: Flask, orders: Orders, world: World, client_of: ClientOf
) -> None:
    attempt_id = attempt_of(app, orders.rejected, AttemptOutcome.REFUSED)
    for path in ("", "/attempts.csv", f"/{attempt_id}"):
        get(client_of(world.stranger), f"{LIST}{path}", 404)
        assert client_of(None).get(f"{LIST}{path}").headers["Location"].startswith("/log-in?next=")
        assert client_of(world.support).get(f"{LIST}{path}").status_code == 200
    get(client_of(world.stranger), f"/m/900/attempts/{attempt_id}", 404)
    assert not rows(get(client_of(world.stranger), f"/m/900/attempts?number={orders.rejected}"))


def test_unknown_attempt_returns_404(orders: Orders, owner: FlaskClient) -> None:
    for number in ("0", "99999999", "99999999999999999999", "x"):
        get(owner, f"{LIST}/{number}", 404)
