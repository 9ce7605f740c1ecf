"""What the mails about an incident say, whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.incidents.incident_letters import LISTED, Reader, letter
from portal.messages.letters import Footer, Item, Letter, link_in, write
from portal.models import Incident, IncidentKind, MessageKind
from portal.rules.time_zones import UTC_ZONE
from portal.wording.incidents import NOTHING_TO_DO

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_K, _M = IncidentKind, MessageKind
OWNER = Reader(UTC_ZONE, 816, orders=0, outcome="")
OPERATOR = Reader(UTC_ZONE, None, orders=0, outcome="")


def incident(kind: IncidentKind = _K.ORDERS_REJECTED, **columns: Any) -> Incident:
    given = {
        "title": "It stopped", "explanation": "", "subject": "", "merchant_id": 816, "order_numbers": [],
        "opened_at": NOW - timedelta(hours=3),
    }  # fmt: skip
    return Incident(kind=kind, **given | columns)


def written(kind: MessageKind, about: Incident, reader: Reader, *others: Incident) -> Letter:
    return letter(kind, about, reader, others, NOW)


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("12 orders rejected: unknown SKU A", "12 orders rejected: unknown SKU A (Fern & Fable)"),
        ("Fern & Fable: access token rejected", "Fern & Fable: access token rejected"),
    ],
)  # fmt: skip
def test_operator_reads_once_which_merchant_it_is_about(title: str, subject: str) -> None:
    reader = Reader(UTC_ZONE, 816, orders=0, outcome="", merchant_name="Fern & Fable")
    assert written(_M.INCIDENT_OPENED, incident(title=title), reader).subject == subject


def test_each_order_is_linked_up_to_ten_and_none_that_may_be_anothers() -> None:
    numbers = ["A/1?", *(f"B-{number}" for number in range(LISTED + 5))]
    items = written(_M.INCIDENT_OPENED, incident(order_numbers=numbers), OWNER).items
    assert len(items) == LISTED == 10
    assert items[0] == Item("Order A/1?", "/m/816/orders/A%2F1%3F")
    shared = incident(_K.HOST_FAILING, merchant_id=None, order_numbers=numbers)
    assert written(_M.INCIDENT_OPENED, shared, OWNER).items == []


@pytest.mark.parametrize(
    ("kind", "subject", "reader", "button", "path"),
    [
        (_K.ORDERS_REJECTED, "", OWNER, "View rejected orders", "/m/816/orders?state=rejected"),
        (_K.RECONNECT_NEEDED, "12", OWNER, "Reconnect store", "/m/816/connection/12"),
        (_K.HOST_FAILING, "fcp", OWNER, "View dashboard", "/m/816/"),
        (_K.HOST_FAILING, "fcp", OPERATOR, "View support page", "/support/incidents"),
        (_K.NO_WORKER, "", OPERATOR, "View support page", "/support/incidents"),
    ],
)
def test_the_button_leads_to_the_fix_for_its_reader(
    kind: IncidentKind, subject: str, reader: Reader, button: str, path: str
) -> None:
    for message in (_M.INCIDENT_OPENED, _M.INCIDENT_REMINDER):
        found = written(message, incident(kind, subject=subject), reader)
        assert (found.button, found.path) == (button, path)


@pytest.mark.parametrize(
    ("reader", "button", "path"),
    [(OWNER, "View dashboard", "/m/816/"), (OPERATOR, "View support page", "/support/incidents")],
)
def test_an_end_names_what_is_still_open_with_its_own_fix(reader: Reader, button: str, path: str) -> None:
    about = incident(_K.HOST_FAILING, closed_at=NOW - timedelta(hours=1))
    others = [incident(_K.NO_WORKER, title=f"Other {number}") for number in range(LISTED + 1)]
    found = written(_M.INCIDENT_CLOSED, about, reader, *others)
    assert (found.button, found.path) == (button, path)
    assert found.paragraphs[-1] == "What is still open is listed below."
    assert [item.text for item in found.items] == [f"Other {number}" for number in range(LISTED)]
    assert {item.path for item in found.items} == {"/support/incidents"}
    alone = written(_M.INCIDENT_CLOSED, about, reader)
    assert (list(alone.items), alone.paragraphs[-1]) == ([], "Nothing else needs your attention.")
    assert alone.paragraphs[0] == "It lasted 2 hours."
    zone = reader.zone
    assert zone.in_sentence(about.opened_at, NOW) in alone.paragraphs[1]
    assert alone.paragraphs[1].endswith(f"ended on {zone.in_sentence(NOW - timedelta(hours=1), NOW)}.")


def test_the_operator_is_not_told_that_there_is_nothing_to_do() -> None:
    about = incident(_K.HOST_FAILING, merchant_id=None, explanation=f"It stopped. {NOTHING_TO_DO}")
    assert written(_M.INCIDENT_OPENED, about, OWNER).paragraphs[0].endswith(NOTHING_TO_DO)
    assert written(_M.INCIDENT_OPENED, about, OPERATOR).paragraphs[0] == "It stopped."


def test_an_end_says_how_it_ended_for_its_reader() -> None:
    reader = Reader(UTC_ZONE, 816, orders=0, outcome="Fixed: 3 orders sent.")
    assert written(_M.INCIDENT_CLOSED, incident(closed_at=NOW), reader).paragraphs[0] == "Fixed: 3 orders sent."


def test_a_reminder_says_for_how_long_and_how_to_end_it() -> None:
    found = written(_M.INCIDENT_REMINDER, incident(explanation="It means this."), OWNER)
    assert found.subject == "Still open after 3 hours: It stopped"
    assert found.paragraphs[0] == "It means this."
    assert "To stop the daily reminder, acknowledge the incident." in found.paragraphs[1]
    opening = written(_M.INCIDENT_OPENED, incident(), OWNER)
    assert len(opening.paragraphs) == 1
    assert "affected" not in opening.paragraphs[0]
    reader = Reader(UTC_ZONE, 816, orders=2, outcome="")
    assert "2 orders affected. We'll email you" in written(_M.INCIDENT_OPENED, incident(), reader).paragraphs[0]


def test_no_text_becomes_markup_in_a_mail() -> None:
    """Titles, reasons and numbers come from the warehouse's words, products and stores' names."""
    bad = "<b>&\"'"
    letter_with_it = Letter(
        bad, f"1{bad}", [f"2{bad}"], [Item(f"3{bad}", "/x"), Item(f"4{bad}")], f"5{bad}", "/y?a=1&b=2"
    )
    found = write(letter_with_it, Footer(f"6{bad}", "https://p.example/?a&b"), public_url="https://p.example")
    assert "<b>" not in found.html
    for number in range(1, 7):
        assert f"{number}&lt;b&gt;&amp;&#34;&#39;" in found.html
        assert f"{number}{bad}" in found.text
    assert 'href="https://p.example/y?a=1&amp;b=2"' in found.html


def test_what_has_no_page_is_not_linked_and_what_cannot_be_ended_has_no_link_for_it() -> None:
    made = Letter("S", "H", [], [Item("Linked", "/x"), Item("Plain")])
    found = write(made, Footer("Why."), public_url="https://p.example")
    assert found.html.count("<a ") == 1
    assert "- Linked: https://p.example/x\n" in found.text
    assert "- Plain\n" in found.text
    for words in ("Choose which", "Stop emails"):
        assert words not in found.text + found.html
    assert "Stop emails" not in write(made, Footer("Why.", "https://p.example/choose"), public_url="").html
    footer = Footer("Why.", "https://p.example/choose", "https://p.example/stop")
    both = write(made, footer, public_url="https://p.example")
    for body in (both.text, both.html):
        assert body.index("https://p.example/choose") < body.index("https://p.example/stop")
    assert link_in(found.text, public_url="https://p.example") == ""


def test_the_button_of_a_written_mail_is_found_again() -> None:
    made = Letter("S", "H", ["https://p.example.evil/a"], [Item("Linked", "/x")], "Fix it", "/fix")
    text = write(made, Footer("Why."), public_url="https://p.example").text
    assert link_in(text, public_url="https://p.example") == "/fix"
