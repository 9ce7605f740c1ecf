"""Check the credentials of stopped merchants, and send what waited once the FCP accepts them."""

from __future__ import annotations

from jobs.turns import take_turns
from portal.clock import utc_now
from portal.current import session, settings, wake
from portal.fulfillment.probe import check_credentials
from portal.queue import Call, JobName


def credentials(merchant_ids: list[int]) -> None:
    for merchant_id, _ in take_turns(JobName.CREDENTIALS, merchant_ids):
        if check_credentials(session(), merchant_id, settings(), utc_now):
            wake(Call(JobName.SUBMIT, (merchant_id,)), Call(JobName.TRACK, (merchant_id,)))
