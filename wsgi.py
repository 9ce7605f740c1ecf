"""The app that gunicorn and `flask --app wsgi` load."""

from __future__ import annotations

import gc
import sys

from config import SettingsError, load_settings
from portal import create_app
from portal.logs import sentry
from portal.logs.setup import configure_logging

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(f"The portal can't start. {error}")
configure_logging(settings)
sentry.start(settings)
app = create_app(settings)
# What is here now stays for good. Otherwise, a visitor at times waits for a garbage collection that goes through it.
gc.freeze()
