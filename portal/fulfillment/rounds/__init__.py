"""One round of work for a store or merchant, as the jobs and the command line run it: lease, clients, step, verdict."""

from __future__ import annotations

from portal.fulfillment.rounds.asked import Asked, no_progress, utc_now
from portal.fulfillment.rounds.polling import PollRound, poll_store, read_again, refresh_products
from portal.fulfillment.rounds.submitting import SubmitRound, settle_merchant, submit_merchant
from portal.fulfillment.rounds.tracking import TrackRound, track_merchant

__all__ = [
    "Asked",
    "PollRound",
    "SubmitRound",
    "TrackRound",
    "no_progress",
    "poll_store",
    "read_again",
    "refresh_products",
    "settle_merchant",
    "submit_merchant",
    "track_merchant",
    "utc_now",
]
