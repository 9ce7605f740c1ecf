"""The pages of incidents and messages, and the incidents on the dashboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.extensions import db
from portal.incidents.kinds import KINDS, fix_path
from portal.models import Channel, Incident, IncidentKind, Merchant, Message, MessageKind, OrderState, Store, User
from tests.views.conftest import get, post, read
from tests.views.dashboard_world import HERE, change, place
from tests.views.page import one, section, text, text_in
from tests.views.settings_world import merchant, trail

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients
    from tests.views.orders_world import Orders

LIST = "/m/816/incidents"
BEGAN = datetime.now(UTC) - timedelta(hours=2, minutes=5)


def put(app: Flask, title: str, kind: IncidentKind = IncidentKind.ORDERS_REJECTED, **columns: Any) -> int:
    """Add an incident that began 2 hours and 5 minutes ago, and return its id."""
    given: dict[str, Any] = {"merchant_id": 816, "orders": 1, "opened_at": BEGAN, **columns}
    with app.app_context():
        made = Incident(
            kind=kind, key=title, title=title, most_orders=given["orders"], found_at=BEGAN, checked_at=BEGAN,
            **given,
        )  # fmt: skip
        db.session.add(made)
        db.session.commit()
        return made.id


def put_message(app: Flask, incident_id: int | None, recipient: str, **columns: Any) -> None:
    given = {"channel": Channel.EMAIL, "merchant_id": 816, "sent_at": BEGAN, **columns}
    with app.app_context():
        user = db.session.query(User).filter_by(email=recipient).one_or_none()
        db.session.add(
            Message(
                key=f"{recipient}{incident_id}", kind=MessageKind.INCIDENT_OPENED, incident_id=incident_id,
                user_id=user.id if user else None, recipient=recipient, subject="A subject", text="", created_at=BEGAN,
                **given,
            )
        )  # fmt: skip
        db.session.commit()


@pytest.mark.parametrize("kind", IncidentKind)
def test_the_fix_of_every_kind_is_a_page(orders: Orders, world: World, client_of: Clients, kind: IncidentKind) -> None:
    subject = orders.submitted if kind is IncidentKind.CHANGED_AFTER_SENDING else str(world.store_id)
    client = client_of(world.owner if KINDS[kind].tells_merchant else world.support)
    for given in (subject, ""):
        get(client, fix_path(kind, merchant=816, subject=given))


def test_open_incidents_come_first_and_closed_ones_say_how_they_ended(
    app: Flask, world: World, client_of: Clients
) -> None:
    began = datetime.now(UTC) - timedelta(hours=2, minutes=5)
    put(app, "2 orders rejected: unknown SKU A", orders=2, opened_at=began)
    put(app, "Old", orders=0, closed_at=BEGAN + timedelta(minutes=34), outcome="Fixed: 3 orders sent.")
    page = get(client_of(world.owner), LIST)
    found = section(page, "open")
    assert "2 orders rejected: unknown SKU A" in text(found)
    assert "for 2 hours 5 minutes · 2 orders" in text(found)
    assert one(found, "a.btn")["href"] == "/m/816/orders?state=rejected"
    closed = text(section(page, "closed"))
    assert "34 minutes" in closed
    assert "Fixed: 3 orders sent." in closed
    assert "unknown SKU" not in closed


def test_closed_incidents_are_paged(app: Flask, world: World, client_of: Clients) -> None:
    for n in range(51):
        put(app, f"Incident {n}.", closed_at=BEGAN)
    put(app, "Still open")
    client = client_of(world.owner)
    first = get(client, LIST)
    older = get(client, str(one(first, "a[rel=next]")["href"]))
    assert "Incident 0." in text(section(older, "closed"))
    assert "Incident 0." not in text(section(first, "closed"))
    assert "Still open" not in text_in(older)


def test_outage_for_everyone_shows_nothing_of_other_merchants(app: Flask, world: World, client_of: Clients) -> None:
    place(app, world, BEGAN, OrderState.READY)
    outage = put(
        app, "Big Cartel is failing", IncidentKind.HOST_FAILING, merchant_id=None, orders=41,
        order_numbers=["N-0", "ZEBRA-1"],
    )  # fmt: skip
    ours = put(app, "No worker is running", IncidentKind.NO_WORKER, merchant_id=None)
    client = client_of(world.owner)
    listed = text_in(get(client, LIST))
    assert "Big Cartel is failing" in listed
    assert "No worker" not in listed
    get(client, f"{LIST}/{ours}", 404)
    page = get(client, f"{LIST}/{outage}")
    assert "ZEBRA-1" not in text_in(page)
    assert "41" not in text_in(page)
    assert text(section(page, "orders")) == "Orders N-0"
    assert not page.find("a", string="Acknowledge incident")
    assert "closed, or somebody" in text_in(read(post(client, f"{LIST}/{outage}/acknowledge")))


def test_past_outage_is_listed_for_who_was_live(app: Flask, world: World, client_of: Clients) -> None:
    put(app, "Big Cartel was failing", IncidentKind.HOST_FAILING, merchant_id=None, closed_at=BEGAN)
    client = client_of(world.owner)
    assert "was failing" not in text_in(get(client, LIST))
    change(app, Store, world.store_id, live=True)
    change(app, Merchant, 816, created_at=BEGAN - timedelta(days=1))
    assert "was failing" in text_in(get(client, LIST))
    change(app, Merchant, 816, created_at=BEGAN + timedelta(hours=1))
    assert "was failing" not in text_in(get(client, LIST))


def test_merchant_sees_only_messages_to_its_people_and_webhook(app: Flask, world: World, client_of: Clients) -> None:
    key = put(app, "2 orders rejected")
    put_message(app, key, world.owner)
    put_message(app, key, "hq@warehouse.example")
    put_message(app, key, "ops@operator.example", merchant_id=None)
    put_message(
        app, key, "https://hooks.slack.example/services/T0/SECRET", channel=Channel.WEBHOOK, sent_at=None,
        next_attempt_at=BEGAN, error="It returned an error.", tries=2,
    )  # fmt: skip
    shown = text(section(get(client_of(world.owner), f"{LIST}/{key}"), "messages"))
    assert world.owner in shown
    assert "hooks.slack.example" in shown
    assert "It returned an error." in shown
    assert "SECRET" not in shown
    assert "hq@warehouse" not in shown
    assert "operator" not in shown
    assert "ops@operator.example" in text(section(get(client_of(world.support), f"{LIST}/{key}"), "messages"))


def test_acknowledging_ends_the_reminders_and_leaves_a_trail(app: Flask, world: World, client_of: Clients) -> None:
    key = put(app, "2 orders rejected")
    client = client_of(world.owner)
    link = one(get(client, f"{LIST}/{key}"), "a.btn", "Acknowledge incident")
    page = read(post(client, str(link["href"])))
    assert f"by {world.owner}" in text(section(page, "facts"))
    assert f"Acknowledged by {world.owner}." in text(section(page, "history"))
    assert trail(app) == [(world.owner, "incident acknowledged", "2 orders rejected", "")]
    read(post(client, str(link["href"])))
    assert len(trail(app)) == 1


def test_dashboard_names_the_causes_instead_of_the_count(app: Flask, world: World, client_of: Clients) -> None:
    place(app, world, BEGAN, OrderState.REJECTED, 3, submitted_at=None)
    client = client_of(world.owner)
    put(app, "2 orders rejected: unknown SKU A", orders=2)
    needs = section(get(client, HERE), "needs-attention")
    assert needs.select_one("#need-rejected"), "one rejected order has no incident yet"
    put(app, "1 order rejected: bad address")
    put(app, "Big Cartel no longer accepts our access", IncidentKind.RECONNECT_NEEDED)
    needs = section(get(client, HERE), "needs-attention")
    assert not needs.select_one("#need-rejected")
    assert [text(link) for link in needs.select("a[id^=incident-]")] == [
        "1 order rejected: bad address",
        "2 orders rejected: unknown SKU A",
    ]
    assert text_in(needs, "#all-incidents") == "View 3 open incidents"
    assert "Nothing needs attention" not in text(needs)


def test_support_lists_and_filters_all_incidents_and_acknowledges_outages(
    app: Flask, world: World, client_of: Clients
) -> None:
    put(app, "Ours")
    put(app, "Theirs", merchant_id=900)
    put(app, "Big Cartel is failing", IncidentKind.HOST_FAILING, merchant_id=None)
    client = client_of(world.support)
    titles = [
        text(cell).split(" Acknowledge incident")[0]
        for cell in section(get(client, "/support/incidents"), "open").select("th[scope=row]")
    ]
    assert titles == ["Big Cartel is failing", "Theirs", "Ours"]
    assert "Ours" not in text_in(get(client, "/support/incidents?merchant=900"))
    assert "Theirs" not in text(section(get(client, "/support/incidents?kind=host_failing"), "open"))
    form = one(get(client, "/support/incidents"), "form[method=post]:not([action])")
    key = str(one(form, "input[name=incident]")["value"])
    assert "Say why" in text_in(read(post(client, "/support/incidents", incident=key)))
    page = read(post(client, "/support/incidents", incident=key, reason="we are on it"))
    assert "Acknowledged by support." in text(section(page, "open"))
    get(client_of(world.owner), "/support/incidents", 404)


def test_support_filters_messages_by_result(app: Flask, world: World, client_of: Clients) -> None:
    put_message(app, None, world.owner)
    put_message(app, None, world.teammate, sent_at=None, error="The mail server rejected it.", tries=9)
    client = client_of(world.support)
    every, failed = (text_in(get(client, f"/support/messages{query}")) for query in ("", "?result=failed"))
    assert world.owner in every
    assert world.teammate in failed
    assert "The mail server rejected it." in failed
    assert world.owner not in failed


def test_alerts_are_saved_with_a_trail_within_limits(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    url = "/m/816/settings/alerts"
    given = {"alert_hold_hours": "48", "alert_ageing_days": "3", "alert_sync_minutes": "10"}
    read(post(client, url, **given))
    assert (merchant(app).alert_hold_hours, merchant(app).morning_note) == (48, False)
    assert trail(app)[0][1:3] == ("alerts changed", "on hold for longer than 48 hours, morning note: off")
    for name, wrong in (
        ("alert_hold_hours", "0"), ("alert_hold_hours", "721"), ("alert_ageing_days", "61"),
        ("alert_sync_minutes", "4"), ("alert_sync_minutes", "1441"), ("alert_sync_minutes", "soon"),
        ("alert_hold_hours", ""), ("alert_hold_hours", "2.5"), ("alert_hold_hours", "-1"), ("alert_hold_hours", "1e9"),
    ):  # fmt: skip
        page = read(post(client, url, **given | {name: wrong}))
        said = [text(feedback) for feedback in page.select(".invalid-feedback")]
        assert len(said) == 1, (name, wrong, said)
        assert re.fullmatch(r"Enter a whole number of [a-z ]+ from \d+ to \d+\.", said[0]), (name, wrong)
        assert said[0] in text_in(page, "[role=alert]"), (name, wrong)
    assert len(trail(app)) == 1
