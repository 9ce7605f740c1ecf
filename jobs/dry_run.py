"""Run the dry runs of stores: get the FCP's verdict on their orders without creating any."""

from __future__ import annotations

from jobs.leased import skip_if_leased
from portal.current import session, settings
from portal.fulfillment.dry_run import dry_run_store


def dry_run(store_ids: list[int]) -> None:
    for store_id in store_ids:
        with skip_if_leased("dry_run.already_running", store=store_id):
            dry_run_store(session(), store_id, settings())
