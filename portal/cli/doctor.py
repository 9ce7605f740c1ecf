"""`doctor`: check the setup, part by part."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from portal.clients.errors import NotFound, ServiceError, Unauthorized
from portal.current import queue_health, session, settings
from portal.fulfillment.clients import BlockedError, bigcartel_for, fcp_client
from portal.models import Merchant, Store
from portal.queue import is_unprotected
from portal.rules.services import CatalogError, catalog, find
from portal.schema import schema_problem
from portal.wording.stops import CHECK_CREDENTIALS, RECONNECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.rules.services import Service


@click.command()
@with_appcontext
def doctor() -> None:
    """Check the setup and show how to fix problems.

    Checks settings, database, Redis, workers, Big Cartel and the warehouse, and prints one line for each. Nothing is
    sent or changed. The exit status is 1 if anything is wrong.
    """
    all_ok = True
    for part, problem in _findings():
        all_ok = all_ok and not problem
        click.echo(f"{'ok   ' if not problem else 'WRONG'}  {part}{': ' + problem if problem else ''}")
    raise SystemExit(0 if all_ok else 1)


def _findings() -> Iterator[tuple[str, str]]:
    """Yield each part and its problem as a sentence; "" when the part is fine."""
    yield "Settings", ""
    yield "Big Cartel app credentials", _app_credentials()
    database_problem = _database()
    yield "Database", database_problem
    yield from _redis()
    services, catalog_problem = _catalog()
    yield "Service catalog", catalog_problem
    if not database_problem:
        yield from _merchants(services)


def _app_credentials() -> str:
    if settings().bigcartel_client_id and settings().bigcartel_client_secret:
        return ""
    return "Merchants can't connect a store. Set BIGCARTEL_CLIENT_ID and BIGCARTEL_CLIENT_SECRET."


def _database() -> str:
    try:
        return schema_problem(session().connection())
    except SQLAlchemyError:
        session().rollback()
        return "Couldn't access it. Check DATABASE_URL and that the database server is running."


def _redis() -> Iterator[tuple[str, str]]:
    if is_unprotected(settings().redis_url):
        yield "Redis password", "REDIS_URL has none. Give Redis a password: whoever reaches it can disturb the portal."
    health = queue_health()
    if health is None:
        yield (
            "Redis",
            "Couldn't reach it. Check REDIS_URL and that Redis is running. `flask --app wsgi sync` works without it.",
        )
        return
    yield "Redis", ""
    workers, schedules = health["workers"], health["schedules"]
    if not workers:
        yield "Workers", "None running. Start one with: python -m jobs.worker"
    else:
        yield "Workers", _missing(workers, settings().workers, "WORKERS", "python -m jobs.worker")
    if not schedules:
        yield "Schedule", "Not running. Start it with: python -m jobs.schedule"
    else:
        yield "Schedule", _missing(schedules, settings().schedules, "SCHEDULES", "python -m jobs.schedule")


def _missing(running: int, expected: int, setting: str, command: str) -> str:
    """Return how many are running if that is fewer than the setting says, and the remedy; else ""."""
    if running >= expected:
        return ""
    return f"{running} of {expected} running. Start another one with: {command}. Or change {setting}."


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
        yield "Merchants", "None yet. Add one with: flask --app wsgi merchants add"
    for merchant in merchants:
        yield (
            f"Merchant {merchant.id}, warehouse",
            _failure(partial(_verify, merchant), CHECK_CREDENTIALS),
        )
        yield f"Merchant {merchant.id}, shipping codes", _mapping(merchant, services)
        own = [store for store in stores if store.merchant_id == merchant.id]
        if not own:
            yield (
                f"Merchant {merchant.id}, store",
                "None connected. Connect one with: flask --app wsgi stores connect",
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
    return f"No service for {' and '.join(missing)}. Run: flask --app wsgi merchants map" if missing else ""


def _store(store: Store) -> str:
    return _failure(lambda: bigcartel_for(store, settings()).account(), RECONNECT)


def _failure(call: Callable[[], object], if_unauthorized: str) -> str:
    """Return why the call failed, as a sentence; "" when it succeeded."""
    try:
        call()
    except Unauthorized:
        return if_unauthorized
    except NotFound as error:
        return f"It answered, but couldn't find what we asked for. {error}"
    except (ServiceError, BlockedError) as error:
        return str(error)
    return ""
