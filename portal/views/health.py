"""Liveness, readiness and Prometheus metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from portal import current
from portal import metrics as figures
from portal.clock import utc_now
from portal.extensions import db
from portal.models import Merchant

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Return 200 when the database, Redis, a worker and the scheduler are available; else 503 and what is missing."""
    queue_parts = _queue()  # before the database, because Redis is never asked inside a transaction
    parts = {"database": _database(), **queue_parts}
    is_ready = all(state == "ok" for state in parts.values())
    return jsonify(status="ok" if is_ready else "not ready", **parts), 200 if is_ready else 503


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Return the metrics for Prometheus, or 503 when the database is unavailable."""
    engine = current.queue_health()
    try:
        text = figures.exposition(db.session(), engine, utc_now())
    except SQLAlchemyError:
        return Response("The database is unreachable or has no tables yet.\n", 503, mimetype="text/plain")
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _database() -> str:
    try:
        db.session.execute(select(Merchant.id).limit(1))
    except SQLAlchemyError:
        return "unreachable or has no tables yet"
    return "ok"


def _queue() -> dict[str, str]:
    health = current.queue_health()
    if health is None:
        return {"redis": "unreachable"}
    return {
        "redis": "ok",
        "workers": "ok" if health["workers"] else "none running",
        "schedule": "ok" if health["schedules"] else "not running",
    }
