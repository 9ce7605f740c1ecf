"""Probe the services that fail, and start everything that waited once one answers."""

from __future__ import annotations

from jobs.tick import tick
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.probe import probe_hosts


def probe() -> None:
    if probe_hosts(session(), settings(), utc_now):
        tick()
