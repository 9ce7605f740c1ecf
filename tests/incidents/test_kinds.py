"""Who hears of each kind of incident."""

from __future__ import annotations

from portal.incidents.kinds import KINDS
from portal.models import IncidentKind

_K = IncidentKind
ENGINE = {_K.NO_REDIS, _K.NO_WORKER, _K.NO_SCHEDULE, _K.NO_WATCH, _K.NO_POLL, _K.QUEUE_STUCK}
MERCHANTS_ALONE = {
    _K.CHANGED_AFTER_SENDING, _K.ORDERS_REJECTED, _K.ORDERS_ON_HOLD, _K.PRODUCTS_WITHOUT_SKU, _K.ORDERS_AGEING,
    _K.WEBHOOK_OFF,
}  # fmt: skip
ORDERS_GO_ON = {
    _K.NO_WATCH, _K.CHANGED_AFTER_SENDING, _K.BIG_CARTEL_NOT_TOLD, _K.PRODUCTS_WITHOUT_SKU, _K.ORDERS_AGEING,
    _K.SHIPMENTS_UNKNOWN, _K.WEBHOOK_OFF,
}  # fmt: skip


def test_only_the_operator_hears_of_the_engine_and_not_of_what_only_a_merchant_can_fix() -> None:
    assert {kind for kind, row in KINDS.items() if not row.tells_merchant} == ENGINE
    assert {kind for kind, row in KINDS.items() if not row.tells_operator} == MERCHANTS_ALONE


def test_who_wants_only_what_stops_orders_hears_of_nothing_else() -> None:
    assert {kind for kind, row in KINDS.items() if not row.stops_orders} == ORDERS_GO_ON
