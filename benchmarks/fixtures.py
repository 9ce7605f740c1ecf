"""Fixtures for the benchmarks: a sandbox store full of orders, and a database with its merchant."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from cryptography.fernet import Fernet
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.orm import Session

from config import load_settings
from portal.actions.merchants import save_merchant
from portal.actions.stores import connect_store, go_live
from portal.database import engine_options
from portal.models import Base, Merchant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config import Settings
    from sandbox.client import Sandbox

ACCOUNT, STORE_TOKEN = "1000001", "store-token"
MERCHANT, MERCHANT_NAME, MERCHANT_TOKEN = 816, "Example Shop", "merchant-token"
DOMESTIC, INTERNATIONAL = "USPS_MEDIA", "EPGEPACKT"
SKUS = {str(number): f"GOODS-{number}{'-' if number % 2 else ''}" for number in range(1, 13)}
"""SKUs by product id. One that ends in a hyphen is followed by the option name."""
OPTIONS = ("SMALL", "MEDIUM", "LARGE")
_KEY = Fernet.generate_key().decode()


def fill(sandbox: Sandbox, orders: int) -> None:
    """Empty the sandbox, then add a store with a dozen products, its merchant, and this many paid orders."""
    sandbox.clear_faults()
    sandbox.reset()
    sandbox.put_account(ACCOUNT, tokens=[STORE_TOKEN])
    sandbox.put_merchant(str(MERCHANT), name=MERCHANT_NAME, token=MERCHANT_TOKEN)
    for product, sku in SKUS.items():
        description = f"<p>One of a dozen, handmade.</p><p>SKU:{sku}</p>"
        options = OPTIONS if sku.endswith("-") else ()
        sandbox.put_product(product, name=f"Product {product}", description=description, options=options)
    if orders:
        sandbox.place_orders(count=orders, abroad=True)
    sandbox.clear_calls()


def settings_for(sandbox: Sandbox, database_url: str, concurrency: int) -> Settings:
    return load_settings(
        {
            "SECRET_KEY": "benchmark-only",
            "TOKEN_KEYS": _KEY,
            "DATABASE_URL": database_url,
            "BIGCARTEL_API_URL": sandbox.bigcartel_api_url,
            "FCP_API_URL": sandbox.fcp_api_url,
            "FCP_CONCURRENCY": str(concurrency),
        }
    )


def connect(session: Session, settings: Settings) -> int:
    """Add the merchant and its store, with services mapped and all orders live. Return the store's id."""
    now = datetime.now(UTC)
    save_merchant(
        session,
        MERCHANT,
        name=MERCHANT_NAME,
        token=MERCHANT_TOKEN,
        settings=settings,
        now=now,
        actor="benchmark",
    )
    merchant = session.get_one(Merchant, MERCHANT)
    merchant.domestic_service, merchant.international_service = DOMESTIC, INTERNATIONAL
    store, _ = connect_store(
        session,
        MERCHANT,
        account_id=ACCOUNT,
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
    engine = create_engine(url, poolclass=NullPool)
    Base.metadata.create_all(engine)


def _execute(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))
