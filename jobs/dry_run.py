"""Run the dry runs of stores: get the FCP's verdict on their orders without creating any."""

from __future__ import annotations

import logging

from jobs.leased import skip_if_leased
from jobs.turns import take_turns
from portal.current import session, settings
from portal.fulfillment.dry_run import dry_run_store
from portal.fulfillment.due import is_dry_run_due
from portal.queue import JobName

log = logging.getLogger(__name__)


def dry_run(store_ids: list[int]) -> None:
    for store_id, context in take_turns(JobName.DRY_RUN, store_ids):
        if not is_dry_run_due(session(), store_id):
            log.info("dry_run.not_due", extra={"store": store_id})
            continue
        with skip_if_leased("dry_run.already_running", store=store_id):
            dry_run_store(session(), store_id, settings(), context)
