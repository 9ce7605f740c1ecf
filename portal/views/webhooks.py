"""Webhooks that Big Cartel posts. They only make a store's poll due: polling stays what imports orders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, abort, request
from limits import parse

from portal import current
from portal.clients.bigcartel_webhooks import MAX_BYTES, SIGNATURE_HEADER, MalformedError, is_genuine, read_event
from portal.clock import utc_now
from portal.fulfillment.store_events import poll_soon
from portal.page_extensions import csrf, limiter
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
csrf.exempt(blueprint)

FORGERIES = "600 per minute"
"""From one address, without a genuine signature."""
PER_ACCOUNT = parse("3000 per minute")
"""Genuine ones. A flash sale sends a few for each order; more than this only repeats what the poll already knows."""
LOGGED_CHARS = 40


def _is_forged(response: Response) -> bool:
    return response.status_code == 401


def _are_too_many(account_id: str) -> bool:
    """Return whether the account sends more than it may. Nothing is counted while Redis is down."""
    try:
        return not limiter.limiter.hit(PER_ACCOUNT, "webhook", account_id)
    except limiter.storage.base_exceptions:
        return False


@blueprint.post("/bigcartel")
@limiter.limit(FORGERIES, deduct_when=_is_forged)
def bigcartel() -> ResponseReturnValue:
    secrets = [secret for secret in current.settings().bigcartel_webhook_secrets.split(", ") if secret]
    if not secrets:
        abort(404)
    request.max_content_length = MAX_BYTES
    body = request.get_data(cache=False)
    if not is_genuine(body, request.headers.get(SIGNATURE_HEADER, ""), secrets):
        log.warning("webhook.forged", extra={"length": len(body)})
        return "", 401
    try:
        event = read_event(body)
    except MalformedError:
        log.warning("webhook.malformed", extra={"length": len(body)})
        return "", 400
    if event.account_id and _are_too_many(event.account_id):
        return "", 429, {"Retry-After": "60"}
    store_id = None
    if event.account_id and event.is_about_orders_or_access:
        store_id = poll_soon(current.session(), event.account_id, utc_now())
    if store_id is not None:
        current.wake(Call(JobName.POLL, (store_id,)))
    log.info("webhook.received", extra={"type": ascii(event.type)[1:LOGGED_CHARS], "store": store_id})
    return "", 204
