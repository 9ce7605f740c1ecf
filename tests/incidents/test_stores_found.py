"""What is found about a store, a merchant's account and a service: whose it is, since when, and when it isn't."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.models import AuditEntry, HostName, Incident, IncidentKind, Merchant, OrderState, Store
from portal.models.audit import CONNECTED, RECONNECTED
from tests.incidents.portal import FRIDAY, MERCHANT

if TYPE_CHECKING:
    from datetime import datetime

    from tests.incidents.portal import Portal

_K = IncidentKind
OTHER = 817
EARLIER = FRIDAY - timedelta(days=2)


@pytest.fixture
def late(sqlite_portal: Portal) -> Portal:
    """A portal with a store that isn't synced anymore, and one that is."""
    sqlite_portal.add_store(name="Late", account_id="7", poll_error="It failed.", last_polled_at=FRIDAY)
    return sqlite_portal


def look_at_late(portal: Portal, *, others_synced: bool = True, **after: float) -> list[str]:
    """Look later, when the other stores have just been synced. Return whose sync is an incident."""
    portal.forward(**after)
    if others_synced:
        portal.change(Store, Store.name != "Late", last_polled_at=portal.now)
    portal.look()
    return [one.title.split(" hasn't")[0] for one in portal.incidents(_K.STORE_NOT_SYNCED)]


def put_incident(portal: Portal, kind: IncidentKind, subject: str = "", **columns: Any) -> None:
    given = {"opened_at": FRIDAY, "found_at": FRIDAY, "checked_at": FRIDAY} | columns
    with portal.session() as session:
        session.add(Incident(kind=kind, key=f"{kind}::", subject=subject, title="It stopped", **given))
        session.commit()


def audit(portal: Portal, action: str, at: datetime, *, merchant: int = MERCHANT) -> None:
    with portal.session() as session:
        session.add(AuditEntry(at=at, actor="owner", merchant_id=merchant, action=action, subject="7"))
        session.commit()


@pytest.mark.parametrize(
    ("state", "waiting"),
    [(OrderState.READY, {}), (OrderState.SUBMITTING, {"claim": "c"}), (OrderState.UNCONFIRMED, {})],
)
def test_a_failing_service_says_since_when_and_how_many_orders_wait(
    sqlite_portal: Portal, state: OrderState, waiting: dict[str, Any]
) -> None:
    sqlite_portal.set_host(HostName.BIG_CARTEL, "It failed.")
    sqlite_portal.add_merchant(OTHER, store={"live": False})
    sqlite_portal.add_order(state, **waiting)
    sqlite_portal.add_order(state, merchant=OTHER, **waiting)
    sqlite_portal.add_order(OrderState.READY, next_attempt_at=None)
    sqlite_portal.add_order(OrderState.SUBMITTED)
    sqlite_portal.look(minutes=5)
    (found,) = sqlite_portal.incidents(_K.HOST_FAILING)
    assert (found.orders, found.opened_at) == (1, FRIDAY)


def test_an_account_is_told_its_own_orders_and_only_the_first_cause(sqlite_portal: Portal) -> None:
    sqlite_portal.add_merchant(OTHER)
    for merchant in (MERCHANT, MERCHANT, OTHER):
        sqlite_portal.add_order(OrderState.READY, merchant=merchant)
    sqlite_portal.change(
        Merchant, Merchant.id == MERCHANT, credentials_refused_at=EARLIER, fcp_failing_since=FRIDAY,
        tracking_error="It failed.",
    )  # fmt: skip
    sqlite_portal.change(Merchant, Merchant.id == OTHER, fcp_failing_since=EARLIER)
    sqlite_portal.look()
    assert [(one.kind, one.merchant_id, one.orders, one.opened_at) for one in sqlite_portal.incidents()] == [
        (_K.CREDENTIALS_REJECTED, MERCHANT, 2, EARLIER), (_K.HOST_FAILING, OTHER, 1, EARLIER),
    ]  # fmt: skip


def test_big_cartel_failing_says_nothing_about_a_merchants_calls_to_the_warehouse(sqlite_portal: Portal) -> None:
    sqlite_portal.add_order(OrderState.READY)
    sqlite_portal.change(Merchant, fcp_failing_since=FRIDAY, fcp_error="It failed.")
    sqlite_portal.set_host(HostName.BIG_CARTEL, "It failed.")
    sqlite_portal.look()
    assert [one.merchant_id for one in sqlite_portal.incidents()] == [MERCHANT, None]


def test_unknown_shipments_count_from_the_last_check_and_only_for_live_stores(sqlite_portal: Portal) -> None:
    sqlite_portal.add_merchant(OTHER, store={"live": False})
    sqlite_portal.change(Merchant, tracking_error="It failed.", last_tracked_at=EARLIER)
    sqlite_portal.look()
    assert [(one.merchant_id, one.opened_at) for one in sqlite_portal.incidents()] == [(MERCHANT, EARLIER)]


def test_a_disconnected_store_is_expected_to_do_nothing(sqlite_portal: Portal) -> None:
    sqlite_portal.change(Store, sealed_token="", reconnect_needed_at=FRIDAY, unusable_skus=3,
                         products_refreshed_at=FRIDAY)  # fmt: skip
    sqlite_portal.look(hours=1)
    assert sqlite_portal.incidents() == []


def test_a_store_to_reconnect_has_no_other_incident_about_its_sync(late: Portal) -> None:
    late.change(Store, Store.name == "Late", reconnect_needed_at=EARLIER)
    assert look_at_late(late, hours=1) == []
    assert [(one.kind, one.opened_at) for one in late.incidents()] == [(_K.RECONNECT_NEEDED, EARLIER)]


def test_products_without_a_sku_are_told_once_they_were_read_and_count_from_their_change(
    sqlite_portal: Portal,
) -> None:
    sqlite_portal.change(Store, unusable_skus=3, products_changed_at=EARLIER)
    sqlite_portal.look()
    assert sqlite_portal.incidents() == []
    sqlite_portal.change(Store, products_refreshed_at=FRIDAY)
    sqlite_portal.look()
    assert [one.opened_at for one in sqlite_portal.incidents()] == [EARLIER]


def test_unaccounted_orders_say_which_side_lacks_them_and_since_when(sqlite_portal: Portal) -> None:
    sqlite_portal.change(Store, reconciliation={
        "at": EARLIER.isoformat(), "missing": ["A-1"], "not_told": ["A-3"], "confirmed": ["A-1", "A-3"],
    })  # fmt: skip
    sqlite_portal.look()
    (found,) = sqlite_portal.incidents()
    assert "Big Cartel lists A-1 as unshipped" in found.explanation
    assert "The warehouse shipped A-3," in found.explanation
    assert (found.orders, found.opened_at, found.subject) == (2, EARLIER, "1")


def test_two_stores_with_the_same_problem_are_two_incidents(sqlite_portal: Portal) -> None:
    sqlite_portal.add_store()
    sqlite_portal.change(Store, reconnect_needed_at=FRIDAY)
    sqlite_portal.look()
    assert [one.subject for one in sqlite_portal.incidents()] == ["1", "2"]


def test_a_late_store_counts_from_its_last_sync_and_only_while_it_is_live(late: Portal) -> None:
    assert look_at_late(late, minutes=11) == ["Late"]
    assert late.incidents()[0].opened_at == FRIDAY
    late.change(Store, Store.name == "Late", live=False)
    assert look_at_late(late) == []


def test_the_merchant_chooses_how_late_is_too_late(late: Portal) -> None:
    late.change(Merchant, alert_sync_minutes=60)
    assert look_at_late(late, minutes=59) == []
    assert look_at_late(late, minutes=2) == ["Late"]


def test_a_store_is_never_late_before_its_second_poll_would_be(late: Portal) -> None:
    """Polling rarely is a setting, and not a problem of a store."""
    late.settings = replace(late.settings, poll_seconds=900)
    assert look_at_late(late, minutes=29) == []
    assert look_at_late(late, minutes=2) == ["Late"]


def test_a_store_that_is_late_without_an_error_is_told_while_others_are_synced(late: Portal) -> None:
    late.change(Store, poll_error="")
    assert look_at_late(late, minutes=30, others_synced=False) == [], "no store is: the watch says why"
    assert look_at_late(late) == ["Late"]


def test_a_store_that_fails_is_told_although_no_other_is_synced(late: Portal) -> None:
    assert look_at_late(late, minutes=30, others_synced=False) == ["Late"]


@pytest.mark.parametrize(
    "kind",
    [_K.HOST_FAILING, _K.NO_REDIS, _K.NO_WORKER, _K.NO_SCHEDULE, _K.NO_POLL, _K.QUEUE_STUCK],
)
def test_what_stopped_every_sync_gives_stores_time_after_its_end(late: Portal, kind: IncidentKind) -> None:
    ended = FRIDAY + timedelta(minutes=30)
    put_incident(late, kind, HostName.BIG_CARTEL if kind is _K.HOST_FAILING else "", closed_at=ended)
    put_incident(late, _K.NO_REDIS, closed_at=FRIDAY + timedelta(minutes=1))
    assert look_at_late(late, minutes=39) == []
    assert look_at_late(late, minutes=2) == ["Late"]


def test_what_stops_only_sending_gives_stores_no_time(late: Portal) -> None:
    put_incident(late, _K.HOST_FAILING, HostName.WAREHOUSE, closed_at=FRIDAY + timedelta(minutes=30))
    put_incident(
        late, _K.HOST_FAILING, HostName.BIG_CARTEL, merchant_id=MERCHANT, closed_at=FRIDAY + timedelta(minutes=30)
    )
    assert look_at_late(late, minutes=31) == ["Late"]


def test_while_what_stops_every_sync_goes_on_no_store_is_late_unless_others_are_synced(late: Portal) -> None:
    """A few of several workers are enough to sync, so an open incident about the engine alone proves nothing."""
    put_incident(late, _K.NO_WORKER)
    assert look_at_late(late, minutes=30, others_synced=False) == []
    assert look_at_late(late) == ["Late"]


@pytest.mark.parametrize("action", [CONNECTED, RECONNECTED])
def test_a_store_that_was_just_reconnected_has_time(late: Portal, action: str) -> None:
    audit(late, action, FRIDAY - timedelta(days=9))
    audit(late, action, FRIDAY + timedelta(minutes=30))
    assert look_at_late(late, minutes=39) == []
    assert look_at_late(late, minutes=2) == ["Late"]
