"""Run the dry runs of stores: get the FCP's verdict on their orders without creating any."""

from __future__ import annotations

from jobs.leased import skip_if_leased
from portal.current import session, settings
from portal.fulfillment.rehearse import rehearse_store


def rehearse(store_ids: list[int]) -> None:
    for store_id in store_ids:
        with skip_if_leased("rehearse.already_running", store=store_id):
            rehearse_store(session(), store_id, settings())
