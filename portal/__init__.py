"""The portal's app factory. Importing the package imports nothing else, so that each process has only what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def create_app(settings: Settings) -> Flask:
    """Create the app with pages and commands. Jobs run in that of portal/core.py, which has neither."""
    from portal import cli, pages  # noqa: PLC0415 - every module of the portal imports this one first
    from portal.core import create_core  # noqa: PLC0415

    app = create_core(settings)
    pages.register(app, settings)
    cli.register(app)
    return app
