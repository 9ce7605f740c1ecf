"""Liveness, readiness and Prometheus metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from portal import current
from portal.clock import utc_now
from portal.extensions import db
from portal.incidents.detect.engine import watch_findings
from portal.metrics import exposition, shown_calls
from portal.metrics.access import may_monitor
from portal.models import Merchant

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint = Blueprint("health", __name__)


@blueprint.before_request
def check_access() -> ResponseReturnValue | None:
    """Answer 401 to those who may not see how the portal is; everybody may see that it is alive."""
    if request.endpoint == "health.alive" or may_monitor(request.environ, current.settings()):
        return None
    words = "Send METRICS_TOKEN as a Bearer token, or ask from an address in METRICS_NETWORKS.\n"
    return Response(words, 401, {"WWW-Authenticate": 'Bearer realm="monitoring"'}, mimetype="text/plain")


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Return 200 when the database, Redis, every worker and every schedule is available; else 503 and what is not.

    A watch counts once one has run.
    """
    health = current.queue_health()  # before the database, because Redis is never asked inside a transaction
    parts = {"database": _database(), **_queue(health), **_watch()}
    is_ready = all(state == "ok" for state in parts.values())
    counts = {} if health is None else {"running": _counts(health), "expected": _expected()}
    return jsonify(status="ok" if is_ready else "not ready", **parts, **counts), 200 if is_ready else 503


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Return the metrics for Prometheus, or 503 when the database is unavailable."""
    engine = current.queue_health()
    called = shown_calls.read(current.settings().redis_url)
    try:
        shown = exposition.text(db.session(), engine, _expected(), called, utc_now())
    except SQLAlchemyError:
        return Response("The database is unreachable or has no tables yet.\n", 503, mimetype="text/plain")
    return Response(shown, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _database() -> str:
    try:
        db.session.execute(select(Merchant.id).limit(1))
    except SQLAlchemyError:
        return "unreachable or has no tables yet"
    return "ok"


def _watch() -> dict[str, str]:
    try:
        is_gone = bool(watch_findings(db.session(), utc_now()))
    except SQLAlchemyError:
        return {}
    return {"watch": "not running"} if is_gone else {}


def _queue(health: Mapping[str, Any] | None) -> dict[str, str]:
    if health is None:
        return {"redis": "unreachable"}
    return {
        "redis": "ok",
        "workers": _state(health["workers"], current.settings().workers, "none running"),
        "schedule": _state(health["schedules"], current.settings().schedules, "not running"),
    }


def _state(running: int, expected: int, none: str) -> str:
    if not running:
        return none
    return "ok" if running >= expected else f"{running} of {expected} running"


def _counts(health: Mapping[str, Any]) -> dict[str, int]:
    return {"workers": health["workers"], "schedules": health["schedules"]}


def _expected() -> dict[str, int]:
    return {"workers": current.settings().workers, "schedules": current.settings().schedules}
