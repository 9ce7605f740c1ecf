"""The command line: `flask --app wsgi …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.cli.accounts import merchants, services, users
from portal.cli.doctor import doctor
from portal.cli.orders import orders
from portal.cli.stores import stores
from portal.cli.sync import sync

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    for command in (users, merchants, services, stores, sync, orders, doctor):
        app.cli.add_command(command)
