"""The command line: `flask --app wsgi …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_migrate import Migrate
from flask_migrate.cli import db as migrations  # type: ignore[import-not-found]  # the stubs leave this module out

from portal.cli.accounts import merchants, services, users
from portal.cli.after_restore import after_restore
from portal.cli.alerts import alerts
from portal.cli.buyers import buyers
from portal.cli.common import Commands
from portal.cli.doctor import doctor
from portal.cli.keys import keys
from portal.cli.orders import orders
from portal.cli.reconcile import reconcile
from portal.cli.stores import stores
from portal.cli.sync import sync
from portal.extensions import db
from portal.schema import MIGRATIONS

if TYPE_CHECKING:
    from flask import Flask


_db = Commands(
    "db",
    commands=migrations.commands,
    params=migrations.params,
    callback=migrations.callback,
    help="Create and upgrade the database tables.",
)


def register(app: Flask) -> None:
    Migrate(app, db, directory=str(MIGRATIONS))
    for command in (
        users,
        merchants,
        services,
        stores,
        sync,
        orders,
        buyers,
        keys,
        alerts,
        doctor,
        reconcile,
        after_restore,
        _db,
    ):
        app.cli.add_command(command)
