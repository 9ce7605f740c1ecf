"""Notes: a thread on each order and one for the merchant, each note mailed to the other side once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import Message, Note, User
from tests.views.conftest import World, get, post, read
from tests.views.order_pages import LIST
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.orders_world import Orders


@pytest.fixture
def helper(world: World, client_of: Callable[[str | None], FlaskClient]) -> FlaskClient:
    """A browser of a support user."""
    return client_of(world.support)


TEXT = "The buyer called.\n\n<b>Please</b> use USPS & hurry."


def _mails(app: Flask) -> Sequence[Message]:
    with app.app_context():
        return db.session.scalars(select(Message).order_by(Message.id)).all()


def _texts(app: Flask) -> Sequence[str]:
    with app.app_context():
        return db.session.scalars(select(Note.text).order_by(Note.id)).all()


def test_merchants_note_is_shown_as_typed_and_mailed_to_support(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    page = f"{LIST}/{orders.rejected}"
    post(owner, f"{page}/notes", text=TEXT.replace("\n", "\r\n"), seen="0")
    note = one(get(owner, page), "#notes li")
    assert world.owner in note.get_text()
    assert not note.select("b")
    assert "<b>Please</b> use USPS & hurry." in note.get_text()
    assert len(note.select("br")) == 2
    [mail] = _mails(app)
    assert (mail.recipient, mail.merchant_id) == (world.support, 816)
    assert mail.subject.startswith(f"Note on order {orders.rejected} from ")
    assert "(816)" in mail.subject
    assert "The buyer called." in mail.text
    assert "<b>Please" not in mail.html
    assert f"{page}#notes" in mail.text


def test_supports_note_is_mailed_to_the_team_except_who_turned_it_off(
    app: Flask, orders: Orders, world: World, helper: FlaskClient
) -> None:
    with app.app_context():
        db.session.scalars(select(User).where(User.email == world.teammate)).one().muted = ["note"]
        db.session.commit()
    post(helper, f"{LIST}/{orders.rejected}/notes", text="We called the warehouse.", seen="0")
    [mail] = _mails(app)
    assert (mail.recipient, mail.subject) == (world.owner, f"Note on order {orders.rejected} from support")
    assert "Support" in text_in(get(helper, f"{LIST}/{orders.rejected}"), "#notes li")


def test_form_sent_twice_adds_one_note(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    address = f"{LIST}/{orders.rejected}/notes"
    for _ in range(2):
        post(owner, address, text="Any news?", seen="0")
    assert list(_texts(app)) == ["Any news?"]
    assert len(_mails(app)) == 1
    seen = str(one(get(owner, f"{LIST}/{orders.rejected}"), "#notes input[name=seen]")["value"])
    post(owner, address, text="Any news?", seen=seen)
    assert len(_texts(app)) == 2


def test_the_same_words_about_something_else_or_by_another_person_are_a_note_of_their_own(
    app: Flask, orders: Orders, owner: FlaskClient, helper: FlaskClient
) -> None:
    for browser in (owner, helper):
        for address in (f"{LIST}/{orders.rejected}/notes", f"{LIST}/{orders.ready}/notes", "/m/816/notes"):
            post(browser, address, text="Done.", seen="0")
    assert list(_texts(app)) == ["Done."] * 6


@pytest.mark.parametrize("typed", ["", " \n ", "x" * 2_001])
def test_empty_or_long_note_is_not_added(app: Flask, orders: Orders, owner: FlaskClient, typed: str) -> None:
    for address in (f"{LIST}/{orders.rejected}/notes", "/m/816/notes"):
        field = one(read(post(owner, address, text=typed, seen="0"), 422), "textarea")
        assert field.get_text().strip() == typed.strip()
        assert "maxlength" not in field.attrs, "a browser would cut off the end of a pasted text without a word"
    assert list(_texts(app)) == []


def test_note_about_the_merchant(app: Flask, orders: Orders, owner: FlaskClient, helper: FlaskClient) -> None:
    post(owner, "/m/816/notes", text="We move in March.", seen="0")
    post(helper, f"{LIST}/{orders.ready}/notes", text="Looks good.", seen="0")
    page = get(helper, "/m/816/notes")
    said = [text(note) for note in page.select("#notes li")]
    assert ["Looks good." in said[0], "We move in March." in said[1]] == [True, True]
    one(page, f"a[href='/m/816/orders/{orders.ready}#notes']")
    assert "We move in March." not in text_in(get(owner, f"{LIST}/{orders.ready}"), "#notes")
    assert _mails(app)[0].subject.startswith("Note from ")
    one(get(owner, "/m/816/settings"), "a[href='/m/816/notes']")
    one(get(helper, "/support/merchants"), "a[href='/m/816/notes']")


def test_notes_of_others_are_not_found(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    for address in (f"/m/900/orders/{orders.other}/notes", "/m/900/notes", f"{LIST}/{orders.other}/notes"):
        assert post(owner, address, text="Hello", seen="0").status_code == 404
    assert list(_texts(app)) == []
