"""An order that changed in Big Cartel after it was sent: the notice on its page, and taking care of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, ChangeAfterSending, Order, StoredDifference
from tests.views.conftest import World, get, post, read
from tests.views.order_pages import LIST
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.orders_world import Orders


def _change(app: Flask, number: str, *changes: tuple[str, str, str], status: str = "Pending") -> None:
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == number)).one()
        order.fcp_status = status
        for field, before, after in changes:
            fields = [StoredDifference(field=field, before=before, after=after)]
            row = ChangeAfterSending(order_id=order.id, merchant_id=order.merchant_id, at=utc_now(), fields=fields)
            db.session.add(row)
        db.session.commit()


def test_changes_are_shown_and_taken_care_of(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    number = orders.submitted
    _change(app, number, ("Street", "1 High St", "2 Low Rd"), ("Street", "2 Low Rd", "<3 New Rd>"))
    page = get(owner, f"{LIST}/{number}")
    said = text_in(page, "[aria-labelledby=changes-head]")
    button = str(one(page, "[aria-labelledby=changes-head] a")["href"])

    assert "Street 1 High St <3 New Rd>" in said
    assert "It is now “Pending”, so make the same change there." in said
    assert "Changed in Big Cartel after it was sent: Street" in text_in(page, "#timeline")
    assert "Low Rd" not in text_in(page, "#timeline")

    # One that comes in meanwhile was not seen by the person, and stays open.
    _change(app, number, ("City", "Provo", "Ogden"))
    after = read(post(owner, button))

    assert "City Provo Ogden" in text_in(after, "[aria-labelledby=changes-head]")
    assert "New Rd" not in text_in(after, "[aria-labelledby=changes-head]")
    assert "Taken care of by" in text_in(after, "#timeline")
    with app.app_context():
        assert db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == number)).all()


def test_what_can_be_done_depends_on_the_change_and_the_status(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    for change, status, advice in (
        (("City", "A", "B"), "In Process", "Contact the warehouse right away."),
        (("City", "B", "A"), "In Process", ""),
        (("Street", "A", "B"), "", "We don't know its status there yet."),
        (("Order status", "unshipped", "no longer listed as unshipped"), "Pending", "Check the order in Big Cartel."),
        (
            ("Order status", "unshipped", "shipped"),
            "Pending",
            "If you shipped it yourself, cancel it at the warehouse.",
        ),
        (("Order status", "unshipped", "deleted"), "Pending", "If it must not be shipped, cancel it at the warehouse"),
        (("Payment", "completed", "refunded"), "Pending", "cancel it at the warehouse"),
    ):
        _change(app, orders.submitted, change, status=status)
        assert advice in text_in(get(owner, f"{LIST}/{orders.submitted}"))


def test_support_gives_a_reason(
    app: Flask, world: World, orders: Orders, client_of: Callable[[str | None], FlaskClient]
) -> None:
    _change(app, orders.submitted, ("City", "A", "B"))
    support = client_of(world.support)
    address = f"{LIST}/{orders.submitted}/changes?up_to=999"

    assert "Say why" in text_in(read(post(support, address, reason="")))
    assert "changes-head" not in str(read(post(support, address, reason="edited in the FCP")))


def test_nothing_to_take_care_of(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    assert "changes-head" not in str(get(owner, f"{LIST}/{orders.submitted}"))
    assert post(owner, f"{LIST}/{orders.submitted}/changes?up_to=99999999999999999999").status_code == 200
