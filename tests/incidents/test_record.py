"""One open row for each cause: opened once, updated, closed with how it ended, and reopened if it had not ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.incidents import outcome
from portal.incidents.finding import Finding
from portal.incidents.record import record
from portal.models import HostName, IncidentKind, OrderState, Store

if TYPE_CHECKING:
    from tests.incidents.portal import Portal

KIND = IncidentKind.ORDERS_REJECTED


def test_incident_is_updated_closed_and_keeps_its_history(portal: Portal) -> None:
    first, second = portal.reject("Unknown SKU GUIDE-1", count=2)
    portal.look()
    portal.look(seconds=15)
    portal.change_orders(first, state=OrderState.HELD)
    portal.look(seconds=15)
    portal.change_orders(second, state=OrderState.HELD)
    portal.look(seconds=15)

    (incident,) = portal.incidents(is_open=False)
    assert (incident.orders, incident.most_orders, incident.outcome) == (0, 2, "All 2 orders were fixed or closed.")
    assert portal.history(incident) == [
        "Opened: 2 orders rejected: the warehouse doesn't know SKU GUIDE-1.",
        "1 order rejected: the warehouse doesn't know SKU GUIDE-1.",
        "Closed: All 2 orders were fixed or closed.",
    ]


def test_what_comes_back_soon_is_the_same_incident(portal: Portal) -> None:
    for minutes, rows in ((9, 1), (11, 2)):
        portal.set_host(HostName.WAREHOUSE, "It failed.")
        portal.look()
        portal.set_host(HostName.WAREHOUSE, "")
        portal.look(minutes=1)
        portal.set_host(HostName.WAREHOUSE, "It failed.")
        portal.look(minutes=minutes)
        assert len(portal.incidents(is_open=None)) == rows
        assert len(portal.incidents()) == 1


def test_blip_does_not_count_towards_the_outage_after_it(portal: Portal) -> None:
    for _ in range(3):
        portal.set_host(HostName.WAREHOUSE, "It failed.")
        portal.look()
        portal.set_host(HostName.WAREHOUSE, "")
        portal.look(seconds=30)
        portal.forward(minutes=1)
    portal.set_host(HostName.WAREHOUSE, "It failed.")
    portal.look()
    (incident,) = portal.incidents()
    assert incident.opened_at == portal.now


def test_outage_ends_with_what_was_sent_and_is_counted_until_it_is_told(portal: Portal) -> None:
    numbers = [portal.add_order(OrderState.READY) for _ in range(3)]
    portal.forward(minutes=2)
    portal.set_host(HostName.WAREHOUSE, "It failed.")
    portal.look()
    portal.forward(minutes=34)
    portal.set_host(HostName.WAREHOUSE, "")
    portal.change_orders(numbers[0], state=OrderState.SUBMITTED, submitted_at=portal.now)
    portal.look()
    (incident,) = portal.incidents(is_open=False)
    assert incident.outcome == "Back after 34 minutes: 1 order sent, the oldest waited 36 minutes."
    portal.forward(seconds=30)
    portal.change_orders(*numbers[1:], state=OrderState.SUBMITTED, submitted_at=portal.now)
    portal.look()
    (incident,) = portal.incidents(is_open=False)
    assert incident.outcome == "Back after 34 minutes: 3 orders sent, the oldest waited 36 minutes."
    with portal.session() as session:
        store = session.query(Store).one()
    assert (store.last_swept_at, store.next_poll_at) == (None, portal.now - timedelta(seconds=30))


def test_outcome_stays_what_it_was_when_it_was_told(sqlite_portal: Portal) -> None:
    portal = sqlite_portal
    first, second = (portal.add_order(OrderState.READY) for _ in range(2))
    portal.set_host(HostName.WAREHOUSE, "It failed.")
    portal.look()
    portal.forward(minutes=34)
    portal.set_host(HostName.WAREHOUSE, "")
    portal.change_orders(first, state=OrderState.SUBMITTED, submitted_at=portal.now)
    portal.look()
    portal.forward(days=2)
    portal.change_orders(second, state=OrderState.SUBMITTED, submitted_at=portal.now)
    (incident,) = portal.incidents(is_open=False)
    with portal.session() as session:
        told = outcome.told_to(session, incident, portal.now, merchant_id=816)
    assert told == incident.outcome == "Back after 34 minutes: 1 order sent, the oldest waited 34 minutes."


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.integers(1, 900)), max_size=12))
def test_no_cause_ever_has_two_open_incidents(sqlite_portal: Portal, looks: list[tuple[set[str], int]]) -> None:
    for causes, seconds in looks:
        sqlite_portal.forward(seconds=seconds)
        now = sqlite_portal.now
        findings = [Finding(KIND, 816, cause, f"{cause} {seconds}", "", now, orders=seconds) for cause in causes]
        with sqlite_portal.session() as session:
            record(session, findings, kinds={KIND}, now=now)
        assert sorted(one.key[-1] for one in sqlite_portal.incidents(KIND)) == sorted(causes)


def test_other_kinds_are_left_alone(sqlite_portal: Portal) -> None:
    with sqlite_portal.session() as session:
        finding = Finding(IncidentKind.NO_REDIS, None, "", "Redis can't be reached", "", sqlite_portal.now)
        record(session, [finding], kinds={IncidentKind.NO_REDIS}, now=sqlite_portal.now)
    sqlite_portal.look()
    assert [one.kind for one in sqlite_portal.incidents()] == [IncidentKind.NO_REDIS]
