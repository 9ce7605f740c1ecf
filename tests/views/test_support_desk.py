"""Support's desk: what is wrong now is said once, and merchants follow by their own worst and oldest problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.extensions import db
from portal.models import Host, HostName, Incident, IncidentKind, Merchant, Store
from tests.views.conftest import get
from tests.views.dashboard_world import change
from tests.views.page import text, text_in
from tests.views.support_world import HERE, NOW, ago, put_crowd, rows

if TYPE_CHECKING:
    from bs4 import Tag
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients
    from tests.views.orders_world import Orders


def test_of_the_same_trouble_the_oldest_is_listed_first(app: Flask, world: World, client_of: Clients) -> None:
    put_crowd(app, 3, 0)
    for merchant, hours in ((10_001, 1), (10_002, 30), (10_003, 2)):
        change(app, Merchant, merchant, credentials_refused_at=ago(hours=hours))
    found = rows(get(client_of(world.support), HERE))[:3]
    assert [(row[0].split()[-1], row[1].removeprefix("Stops orders: Credentials rejected ")) for row in found] == [
        ("10002", "for 1 day 6 hours Live"),
        ("10003", "for 2 hours Live"),
        ("10001", "for 1 hour Live"),
    ]


def open_incident(app: Flask, kind: IncidentKind, merchant: int | None, title: str, **columns: Any) -> int:
    with app.app_context():
        values = {
            "subject": "", "order_numbers": [], "opened_at": ago(hours=3), "found_at": NOW,
            "checked_at": NOW, "orders": 0,
        } | columns  # fmt: skip
        incident = Incident(
            kind=kind, key=f"{kind}-{merchant}-{title}", merchant_id=merchant, title=title,
            most_orders=values["orders"], **values,
        )  # fmt: skip
        db.session.add(incident)
        db.session.commit()
        return incident.id


def causes(page: Tag) -> list[str]:
    return [text(line) for line in page.select(".causes > li")]


def test_outage_of_a_service_is_one_line_and_not_one_per_merchant(app: Flask, world: World, client_of: Clients) -> None:
    put_crowd(app, 5, 0)
    client = client_of(world.support)
    with app.app_context():
        db.session.add(
            Host(
                name=HostName.WAREHOUSE,
                error="It didn't answer.",
                failing_since=ago(minutes=3),
                probe_at=NOW,
            )
        )
        db.session.commit()
    page = get(client, HERE)
    line = "Stops orders: The warehouse has been unreachable for 3 minutes 5 merchants"
    assert causes(page) == [line]
    assert {row[1] for row in rows(page)} == {"No problems of its own Live", "No problems of its own Not live yet"}

    open_incident(
        app,
        IncidentKind.HOST_FAILING,
        None,
        "The warehouse can't be reached",
        subject=HostName.WAREHOUSE.value,
        orders=40,
    )
    page = get(client, HERE)
    assert causes(page) == ["Stops orders: The warehouse can't be reached for 3 hours 5 merchants 40 orders"]
    assert "Healthy" not in text_in(page)


def test_late_syncs_are_one_line_while_no_worker_runs(app: Flask, world: World, client_of: Clients) -> None:
    put_crowd(app, 3, 0)
    client = client_of(world.support)
    for store in (10_001, 10_002, 10_003):
        change(app, Store, store, next_poll_at=ago(hours=1))
    assert [row[1] for row in rows(get(client, HERE))][:3] == ["Stops orders: Sync running late Live"] * 3

    open_incident(app, IncidentKind.NO_WORKER, None, "No worker is running")
    page = get(client, HERE)
    assert causes(page) == ["Stops orders: No worker is running for 3 hours"]
    assert {row[1] for row in rows(page)} == {"No problems of its own Live", "No problems of its own Not live yet"}


def test_incidents_of_one_kind_are_one_line_with_their_merchants(app: Flask, world: World, client_of: Clients) -> None:
    rejected = IncidentKind.ORDERS_REJECTED
    first = open_incident(app, rejected, 816, "12 orders rejected: unknown SKU GUIDE-1", orders=12)
    open_incident(app, rejected, 816, "1 order rejected", orders=1, opened_at=ago(hours=9))
    open_incident(app, rejected, 900, "2 orders rejected", orders=2)
    webhook = open_incident(app, IncidentKind.WEBHOOK_OFF, 900, "We turned off the webhook", acknowledged_at=NOW)
    client = client_of(world.support)
    page = get(client, HERE)
    found = causes(page)
    assert len(found) == 2
    assert found[0].startswith(
        "Stops orders: Orders rejected by the warehouse for 9 hours Show 3 incidents: Orders rejected by the warehouse"
    )
    assert found[0].endswith("2 merchants 15 orders")
    assert found[1] == ("Needs attention: We turned off the webhook for 3 hours Acknowledged Other Goods")
    links = [str(link["href"]) for link in page.select(".causes a")]
    assert f"/m/816/incidents/{first}" in links
    assert f"/m/900/incidents/{webhook}" in links
    for link in links:
        get(client, link)
    assert [row[0] for row in rows(page)] == ["Fern & Fable 816", "Other Goods 900"]
    assert not causes(get(client, f"{HERE}?q=fern"))


def test_troubles_of_a_merchant_are_named_by_its_incidents(
    app: Flask, orders: Orders, world: World, client_of: Clients
) -> None:
    for number in range(3):
        open_incident(app, IncidentKind.ORDERS_REJECTED, 816, f"{number + 2} orders rejected", orders=number + 2)
    health = rows(get(client_of(world.support), HERE))[0][1]
    assert health.startswith("Stops orders: 4 orders rejected for 3 hours Stops orders: 3 orders rejected for 3 hours")
    assert "1 more at Fern & Fable" in health
    assert "need attention" not in health
