"""A buyer's data is exported and erased by their email address: everything, at once, and nobody else's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import AuditEntry, ChangeAfterSending, Channel, Message, MessageKind, Note, OrderEvent, OrderState
from portal.rules.search_words import words
from tests.fulfillment.test_privacy import BUYER, PRIVATE, _stored

if TYPE_CHECKING:
    from tests.fulfillment.world import World

OTHER = {**BUYER, "email": "other+xanthippe@quill.example", "first_name": "Zenobia", "last_name": "Marchbanks"}


def put_texts(world: World, number: str) -> None:
    """Add what people and the portal wrote about the order: a note, a change, an event, and mails."""
    order, now = world.order(number), world.clock()
    with world.session() as session:
        session.add_all(
            [
                Note(
                    merchant_id=order.merchant_id, order_id=order.id, at=now, author="ana@fern.example",
                    is_by_support=False, text=f"Call {BUYER['phone']}",
                ),
                Note(
                    merchant_id=order.merchant_id, order_id=None, at=now, author="ana@fern.example",
                    is_by_support=False, text=f"{BUYER['email'].upper()} wrote again",
                ),
                ChangeAfterSending(
                    merchant_id=order.merchant_id, order_id=order.id, at=now,
                    fields=[{"field": "Street", "before": BUYER["address_1"], "after": BUYER["address_2"]}],
                ),
                OrderEvent(
                    merchant_id=order.merchant_id, order_id=order.id, at=now, to_state=OrderState.REJECTED,
                    reason=f"Invalid City: {BUYER['city']}",
                ),
                Message(
                    key="note-1", channel=Channel.EMAIL, kind=MessageKind.NOTE, merchant_id=order.merchant_id,
                    recipient="ana@fern.example", subject=f"About {number}", created_at=now, sent_at=now,
                    text=f"Xanthippe  Quillfeather, {BUYER['phone']}", html=f"<p>{BUYER['phone']}</p>",
                ),
            ]
        )  # fmt: skip
        session.commit()


def completed(world: World, **buyer: str) -> str:
    number = world.sandbox.place_order(**buyer)
    world.run()
    world.sandbox.ship_all()
    world.run()
    assert world.states()[number] == "completed"
    return str(number)


def test_export_has_everything_about_the_buyer_and_nothing_about_others(world: World) -> None:
    number, other = completed(world, **BUYER), completed(world, **OTHER)
    put_texts(world, number)
    result = world.cli("buyers", "export", "XANTHIPPE@Quill.example", "--reason", "asked xanthippe@quill.example")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    (order,) = found["orders"]
    assert order["number"] == number
    assert other not in result.stdout
    for word in PRIVATE:
        assert word in result.stdout, word
    assert {attempt["kind"] for attempt in order["attempts"]} == {"submit", "mark_shipped"} or order["attempts"]
    assert order["changes_after_sending"][0]["fields"][0]["before"] == BUYER["address_1"]
    assert len(found["mentions"]["notes"]) == 2
    with world.session() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject, entry.reason) == ("buyer's data exported", number, "asked •••")


def test_erase_leaves_nothing_of_the_buyer_and_everything_of_others(world: World) -> None:
    number, other = completed(world, **BUYER), completed(world, **{**OTHER, "address_1": "1 Other Street"})
    put_texts(world, number)
    before = world.order(other).document
    result = world.cli("buyers", "erase", "Xanthippe@quill.example", "--reason", "asked")
    assert result.exit_code == 0, result.output
    assert f"1 order: {number}." in result.output
    stored = _stored(world).replace(before, "").replace("\\", "")
    in_search = words(OTHER["email"])[0]
    for word in ("xanthippe@quill", "XANTHIPPE@QUILL", "Quillfeather"):
        assert word not in stored.replace(OTHER["email"], "").replace(in_search, ""), word
    assert world.order(number).document == "{}"
    assert world.order(other).document == before
    assert all(attempt.request for attempt in world.attempts(other))

    world.sandbox.edit_order(number, customer_note="again")
    world.sweep()
    world.run()
    assert world.order(number).document == "{}"
    assert json.loads(world.cli("buyers", "export", BUYER["email"]).stdout)["orders"] == []


def test_open_order_keeps_its_data_and_is_named(world: World) -> None:
    world.sandbox.fault("submit", "throttle", times=None)
    number = world.sandbox.place_order(**BUYER)
    world.run()
    result = world.cli("buyers", "erase", BUYER["email"])
    assert result.exit_code == 1
    assert f"1 order still open: {number}. They keep" in result.stderr
    assert BUYER["address_1"] in world.order(number).document
    world.cli("orders", "close", number, "--reason", "asked to")
    assert world.cli("buyers", "erase", BUYER["email"]).exit_code == 0
    for word in PRIVATE:
        assert word not in _stored(world)


def test_wildcards_and_unknown_addresses_find_nobody(world: World) -> None:
    completed(world, **BUYER)
    for email in ("%@quill.example", "x_nthippe@quill.example", "anthippe@quill.example", "xanthippe@quill.exampl"):
        assert json.loads(world.cli("buyers", "export", email).stdout)["orders"] == []
    assert world.cli("buyers", "export", "nobody").exit_code == 2
