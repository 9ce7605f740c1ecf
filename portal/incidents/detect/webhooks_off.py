"""Webhooks of merchants that we turned off, until someone turns them on, replaces or removes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.incidents.finding import Finding
from portal.messages.webhooks import shown_host
from portal.models import IncidentKind, WebhookEndpoint
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene


def find(session: Session, scene: Scene) -> Iterator[Finding]:
    """Yield one finding for each. A webhook that a person turned off is off on purpose, and isn't one."""
    is_off = select(WebhookEndpoint).where(
        WebhookEndpoint.disabled_at.is_not(None), WebhookEndpoint.disabled_because != ""
    )
    for endpoint in session.scalars(is_off.execution_options(populate_existing=True)):
        title, explanation = wording.webhook_off(shown_host(endpoint, scene.settings), endpoint.disabled_because)
        since = endpoint.disabled_at or scene.now
        yield Finding(IncidentKind.WEBHOOK_OFF, endpoint.merchant_id, "", title, explanation, since)
