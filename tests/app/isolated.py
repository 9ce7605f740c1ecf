"""An app on its own database whose outside services can't be reached."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal import create_app
from portal.extensions import db
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

NOWHERE = "127.0.0.1:1"


@contextmanager
def isolated_app(database_url: str, mail_folder: Path, **settings: str) -> Iterator[Flask]:
    """Yield the app. Other settings are passed by their environment variable names."""
    unreachable = {
        "REDIS_URL": f"redis://{NOWHERE}/0",
        "BIGCARTEL_API_URL": f"http://{NOWHERE}",
        "BIGCARTEL_TOKEN_URL": f"http://{NOWHERE}",
        "FCP_API_URL": f"http://{NOWHERE}",
        "MAIL_URL": f"file://{mail_folder / 'mail'}",
    }
    app = create_app(settings_for(database_url, **{**unreachable, **settings}))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
