"""What is wrong with a store: its access, its sync, its reconciliation, and its products' SKUs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.fulfillment.poll.recount import confirmed_remainder
from portal.incidents.finding import Finding
from portal.models import AuditEntry, HostName, Incident, IncidentKind
from portal.models.audit import CONNECTED, RECONNECTED
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene
    from portal.models import Store

_STOPS_EVERY_SYNC = (
    IncidentKind.HOST_FAILING, IncidentKind.NO_REDIS, IncidentKind.NO_WORKER, IncidentKind.NO_SCHEDULE,
    IncidentKind.NO_POLL, IncidentKind.QUEUE_STUCK,
)  # fmt: skip
_SYNCS_HAPPEN = timedelta(minutes=3)
"""If a store was synced within this time, those that weren't have a problem of their own."""


def find(session: Session, scene: Scene) -> Iterator[Finding]:
    for store in scene.stores:
        if store.reconnect_needed_at is not None:
            yield _reconnect(store, store.reconnect_needed_at)
        if store.live:
            yield from _unaccounted_for(store)
            yield from _products(store, scene)
    yield from _not_synced(session, scene)


def _reconnect(store: Store, since: datetime) -> Finding:
    title, explanation = wording.reconnect_needed(store.title)
    return _finding(IncidentKind.RECONNECT_NEEDED, store, title, explanation, since)


def _unaccounted_for(store: Store) -> Iterator[Finding]:
    """Yield the orders that two counts in a row leave unaccounted for."""
    found = store.reconciliation
    numbers = confirmed_remainder(found) if found else []
    if not found or not numbers:
        return
    missing = [number for number in numbers if number in found["missing"]]
    not_told = [number for number in numbers if number not in found["missing"]]
    title, explanation = wording.unaccounted_for(store.title, missing, not_told)
    yield _finding(
        IncidentKind.UNACCOUNTED_FOR, store, title, explanation, datetime.fromisoformat(found["at"]), numbers
    )


def _products(store: Store, scene: Scene) -> Iterator[Finding]:
    if store.unusable_skus and store.products_refreshed_at is not None:
        title, explanation = wording.products_without_sku(store.title, store.unusable_skus)
        since = store.products_changed_at or scene.now
        yield _finding(IncidentKind.PRODUCTS_WITHOUT_SKU, store, title, explanation, since)


def _not_synced(session: Session, scene: Scene) -> Iterator[Finding]:
    """Yield the live stores that weren't synced for too long, unless no store could be.

    When what stopped all of them has just ended, or a store has just been reconnected, it is late, but is synced within
    a minute or two: the time counts from then.
    """
    if HostName.BIG_CARTEL in scene.failing:
        return
    late = [store for store in scene.stores if store.live and store.is_connected and _is_late(store, scene)]
    if not late:
        return
    last_synced = max((store.last_polled_at for store in scene.stores if store.last_polled_at), default=None)
    syncs_happen = last_synced is not None and last_synced > scene.now - _SYNCS_HAPPEN
    possible_since = _possible_since(session, scene, syncs_happen=syncs_happen)
    connected_at = _connected_at(session, late)
    for store in late:
        expected_since = max(
            store.last_polled_at or store.connected_at,
            possible_since,
            connected_at.get(store.account_id, possible_since),
        )
        if expected_since <= scene.now - _patience(store, scene) and (syncs_happen or store.poll_error):
            title, explanation = wording.not_synced(store.title, store.merchant.alert_sync_minutes, store.poll_error)
            since = store.last_polled_at or store.connected_at
            yield _finding(IncidentKind.STORE_NOT_SYNCED, store, title, explanation, since)


def _patience(store: Store, scene: Scene) -> timedelta:
    return max(timedelta(minutes=store.merchant.alert_sync_minutes), 2 * scene.poll_every)


def _is_late(store: Store, scene: Scene) -> bool:
    return (store.last_polled_at or store.connected_at) <= scene.now - _patience(store, scene)


def _possible_since(session: Session, scene: Scene, *, syncs_happen: bool) -> datetime:
    """Return since when nothing has stopped the sync of all stores, as far as the incidents say."""
    since = datetime.min.replace(tzinfo=scene.now.tzinfo)
    stopped = select(Incident.kind, Incident.subject, Incident.closed_at).where(
        Incident.merchant_id.is_(None), Incident.kind.in_(_STOPS_EVERY_SYNC)
    )
    for kind, subject, closed_at in session.execute(stopped.order_by(Incident.id.desc()).limit(100)):
        is_of_a_host = kind is IncidentKind.HOST_FAILING
        if is_of_a_host and subject != HostName.BIG_CARTEL:
            continue
        if closed_at is not None:
            since = max(since, closed_at)
        elif is_of_a_host or not syncs_happen:
            return scene.now
    return since


def _connected_at(session: Session, stores: Sequence[Store]) -> dict[str, datetime]:
    """Return when a person last connected each of these stores, by account id."""
    query = (
        select(AuditEntry.subject, func.max(AuditEntry.at))
        .where(
            AuditEntry.merchant_id.in_({store.merchant_id for store in stores}),
            AuditEntry.action.in_([CONNECTED, RECONNECTED]),
        )
        .group_by(AuditEntry.subject)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _finding(
    kind: IncidentKind, store: Store, title: str, explanation: str, since: datetime, numbers: Sequence[str] = ()
) -> Finding:
    return Finding(
        kind=kind,
        merchant_id=store.merchant_id,
        cause=str(store.id),
        title=title,
        explanation=explanation,
        since=since,
        subject=str(store.id),
        orders=len(numbers),
        order_numbers=numbers,
    )
