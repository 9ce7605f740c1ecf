"""`doctor`: what is wrong with the set-up, part by part."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import with_appcontext
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from portal import queue
from portal.clients.errors import NotFound, ServiceError, Unauthorized
from portal.current import session, settings
from portal.fulfillment.clients import CHECK_CREDENTIALS, RECONNECT, BlockedError, bigcartel_for, fcp_client
from portal.models import Merchant, Store
from portal.rules.services import CatalogError, catalog, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.rules.services import Service


@click.command()
@with_appcontext
def doctor() -> None:
    """Check settings, database, Redis, workers and both services, and say what is wrong.

    Reads only; nothing is submitted or changed. The exit status is 1 when something is wrong.
    """
    all_well = True
    for part, problem in _findings():
        all_well = all_well and not problem
        click.echo(f"{'ok   ' if not problem else 'WRONG'}  {part}{': ' + problem if problem else ''}")
    raise SystemExit(0 if all_well else 1)


def _findings() -> Iterator[tuple[str, str]]:
    """Each part with its problem as a sentence; empty where all is well."""
    yield "Settings", ""
    yield "Big Cartel app credentials", _app_credentials()
    problem = _database()
    yield "Database", problem
    yield from _redis()
    services, trouble = _catalog()
    yield "Catalogue of services", trouble
    if not problem:
        yield from _merchants(services)


def _app_credentials() -> str:
    if settings().bigcartel_client_id and settings().bigcartel_client_secret:
        return ""
    return "BIGCARTEL_CLIENT_ID and BIGCARTEL_CLIENT_SECRET are needed before a merchant can connect a store here."


def _database() -> str:
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    try:
        revision = MigrationContext.configure(session().connection()).get_current_revision()
    except SQLAlchemyError:
        return "it does not answer. Check DATABASE_URL, and that the server runs."
    if revision is None:
        return "it has no tables yet. Run: flask --app wsgi db upgrade"
    if revision != scripts.get_current_head():
        return "its tables are old. Run: flask --app wsgi db upgrade"
    return ""


def _redis() -> Iterator[tuple[str, str]]:
    try:
        health = queue.health(queue.connect(settings().redis_url))
    except RedisError:
        yield (
            "Redis",
            "it does not answer. Check REDIS_URL, and that the server runs. `flask sync` works without it.",
        )
        return
    yield "Redis", ""
    yield "Workers", "" if health["workers"] else "none is running. Start one with: python -m jobs.worker"
    yield (
        "Schedule",
        "" if health["schedules"] else "it is not running. Start it with: python -m jobs.schedule",
    )


def _catalog() -> tuple[tuple[Service, ...], str]:
    try:
        return catalog(), ""
    except CatalogError as error:
        return (), str(error)


def _merchants(services: tuple[Service, ...]) -> Iterator[tuple[str, str]]:
    merchants = session().scalars(select(Merchant).order_by(Merchant.id)).all()
    stores = session().scalars(select(Store).order_by(Store.id)).all()
    session().commit()
    if not merchants:
        yield "Merchants", "there is none yet. Add one with: flask --app wsgi merchants add"
    for merchant in merchants:
        yield (
            f"Merchant {merchant.id}, warehouse",
            _answers(partial(_verify, merchant), CHECK_CREDENTIALS),
        )
        yield f"Merchant {merchant.id}, shipping codes", _mapping(merchant, services)
        own = [store for store in stores if store.merchant_id == merchant.id]
        if not own:
            yield (
                f"Merchant {merchant.id}, store",
                "none is connected. Connect one with: flask --app wsgi stores connect",
            )
        for store in own:
            yield f"Merchant {merchant.id}, {store.title}", _store(store)


def _verify(merchant: Merchant) -> None:
    fcp_client(merchant, settings()).verify()


def _mapping(merchant: Merchant, services: tuple[Service, ...]) -> str:
    missing = [
        code
        for code, service in (
            ("DOMESTIC_DEFAULT", merchant.domestic_service),
            ("INTERNATIONAL_DEFAULT", merchant.international_service),
        )
        if find(service, services) is None
    ]
    return f"{' and '.join(missing)} not mapped to a service. Use: flask --app wsgi merchants map" if missing else ""


def _store(store: Store) -> str:
    return _answers(lambda: bigcartel_for(store, settings()).account(), RECONNECT)


def _answers(call: Callable[[], object], remedy: str) -> str:
    try:
        call()
    except Unauthorized:
        return remedy
    except NotFound as error:
        return f"it answers, but does not offer what we asked for. {error}"
    except (ServiceError, BlockedError) as error:
        return str(error)
    return ""
