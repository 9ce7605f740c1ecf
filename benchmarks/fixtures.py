"""Fixtures for the benchmarks: a sandbox store full of orders, and a database with its merchant."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

import flask_migrate
from cryptography.fernet import Fernet
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.orm import Session

from config import load_settings
from portal import create_app
from portal.actions.merchants import save_merchant
from portal.actions.stores import connect_store, go_live
from portal.database import engine_options
from portal.extensions import db
from portal.models import Merchant
from portal.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config import Settings
    from sandbox.client import Sandbox

ACCOUNT, STORE_TOKEN = "1000001", "store-token"
"""The first store's account; the other stores, one for each merchant, have the accounts that follow."""
MERCHANT, MERCHANT_NAME, MERCHANT_TOKEN = 816, "Example Shop", "merchant-token"
DOMESTIC, INTERNATIONAL = "USPS_MEDIA", "EPGEPACKT"
SKUS = {str(number): f"GOODS-{number}{'-' if number % 2 else ''}" for number in range(1, 13)}
"""SKUs by product id. One that ends in a hyphen is followed by the option name."""
OPTIONS = ("SMALL", "MEDIUM", "LARGE")
_KEY = Fernet.generate_key().decode()


def fill(sandbox: Sandbox, orders: int, *, merchants: int = 1) -> None:
    """Empty the sandbox, then add merchants with a store of a dozen products each, and this many paid orders in all."""
    sandbox.clear_faults()
    sandbox.reset()
    for nth in range(merchants):
        _add_store(sandbox, nth)
    place(sandbox, orders, merchants=merchants)
    sandbox.clear_calls()


def _add_store(sandbox: Sandbox, nth: int) -> None:
    account = account_of(nth)
    sandbox.put_account(account, tokens=[STORE_TOKEN])
    sandbox.put_merchant(str(MERCHANT + nth), name=MERCHANT_NAME, token=MERCHANT_TOKEN)
    for product, sku in SKUS.items():
        description = f"<p>One of a dozen, handmade.</p><p>SKU:{sku}</p>"
        sandbox.put_product(
            product,
            name=f"Product {product}",
            description=description,
            options=OPTIONS if sku.endswith("-") else (),
            account=account,
        )


def place(sandbox: Sandbox, orders: int, *, merchants: int = 1) -> list[str]:
    """Place this many paid orders, spread over the stores of the merchants. Return their numbers."""
    numbers = []
    for nth in range(merchants):
        if count := orders // merchants + (nth < orders % merchants):
            numbers += sandbox.place_orders(count=count, abroad=True, account=account_of(nth))
    return numbers


def account_of(nth: int) -> str:
    """Return the account of the nth store, counted from 0."""
    return str(int(ACCOUNT) + nth)


def settings_for(sandbox: Sandbox, database_url: str, concurrency: int) -> Settings:
    return load_settings(environ_for(sandbox, database_url, concurrency))


def environ_for(sandbox: Sandbox, database_url: str, concurrency: int) -> dict[str, str]:
    """Return the settings as environment variables, for processes of their own."""
    return {
        "SECRET_KEY": "only-for-benchmarks-0123456789-abcdef",
        "TOKEN_KEYS": _KEY,
        "DATABASE_URL": database_url,
        "BIGCARTEL_API_URL": sandbox.bigcartel_api_url,
        "FCP_API_URL": sandbox.fcp_api_url,
        "FCP_CONCURRENCY": str(concurrency),
    }


def connect(session: Session, settings: Settings, *, nth: int = 0) -> int:
    """Add the nth merchant and its store, with services mapped and all orders live. Return the store's id."""
    now, merchant_id = datetime.now(UTC), MERCHANT + nth
    save_merchant(
        session,
        merchant_id,
        name=MERCHANT_NAME,
        token=MERCHANT_TOKEN,
        settings=settings,
        now=now,
        actor="benchmark",
    )
    merchant = session.get_one(Merchant, merchant_id)
    merchant.domestic_service, merchant.international_service = DOMESTIC, INTERNATIONAL
    store, _ = connect_store(
        session,
        merchant_id,
        account_id=account_of(nth),
        token=STORE_TOKEN,
        settings=settings,
        now=now,
        actor="benchmark",
    )
    go_live(session, store, starts_at=None, now=now, actor="benchmark")
    return store.id


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Yield the URL of an empty database with all tables, on this PostgreSQL server or (None) in a SQLite file."""
    if server is None:
        with TemporaryDirectory(prefix="portal-benchmark-") as folder:
            url = f"sqlite:///{Path(folder) / 'portal.sqlite3'}"
            _create_tables(url)
            yield url
        return
    name = f"benchmark_{uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name}")
    try:
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        _create_tables(url)
        yield url
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def session_on(url: str) -> Iterator[Session]:
    """Yield a session like those of the app and the jobs, on its own engine."""
    engine = create_engine(url, **engine_options(url))
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    finally:
        engine.dispose()


def _create_tables(url: str) -> None:
    """Migrate the database, because some indexes are made only where its extensions allow it."""
    environ = {"SECRET_KEY": "only-for-benchmarks-0123456789-abcdef", "TOKEN_KEYS": _KEY, "DATABASE_URL": url}
    with create_app(load_settings(environ)).app_context():
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        db.engine.dispose()


def _execute(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))
