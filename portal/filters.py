"""Template filters and globals: labels, times and badge colors."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import g
from flask_login import current_user
from markupsafe import Markup

from portal import current
from portal.access import as_support, is_support, viewer, visit
from portal.clock import utc_now
from portal.fulfillment.rulebook import stored_hold
from portal.icons import icon
from portal.listing import here
from portal.models import Merchant, OrderState
from portal.reports.shipping_choice import service_name
from portal.rules.time_zones import zone_named
from portal.wording.actions import title_of
from portal.wording.counts import from_now
from portal.wording.states import STATE_LABELS, sentence_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flask import Flask

    from portal.models import Order
    from portal.rules.time_zones import TimeZone

COLORS: Mapping[OrderState, str] = {
    OrderState.HELD: "warning",
    OrderState.READY: "secondary",
    OrderState.SUBMITTING: "info",
    OrderState.UNCONFIRMED: "info",
    OrderState.REJECTED: "danger",
    OrderState.SUBMITTED: "primary",
    OrderState.SHIPPED: "primary",
    OrderState.COMPLETED: "success",
    OrderState.CLOSED: "secondary",
}


def register(app: Flask) -> None:
    app.jinja_env.filters.update(
        ago=ago, ahead=ahead, clock=clock, time=time, day=day, day_in=day_in, time_in=time_in,
        in_words=STATE_LABELS.__getitem__,
        sentence=sentence, color=COLORS.__getitem__, hold=stored_hold, service_name=service_name, action_title=title_of,
    )  # fmt: skip
    app.jinja_env.globals.update(
        here=here, icon=icon, page_merchant=_page_merchant, current_visit=visit, OrderState=OrderState
    )
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    return {"is_support": is_support(), "as_support": as_support(), "user": current_user}


def _page_merchant() -> Merchant | None:
    """Return the merchant whose navigation the page shows: of the page's address, or else the reader's own."""
    if "merchant" in g:
        merchant: Merchant = g.merchant
        return merchant
    if g.get("without_database") or not current_user.is_authenticated or viewer().merchant_id is None:
        return None
    return current.session().get(Merchant, viewer().merchant_id)


def time(moment: datetime | None) -> Markup | str:
    """Return a <time> element in UTC; the page's script converts it to the reader's time zone."""
    if moment is None:
        return "never"
    return Markup('<time datetime="{}" data-local="time">{} UTC</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M}"
    )


def ago(moment: datetime) -> Markup:
    """Return how long ago a moment was; the page's script keeps it up to date."""
    return _from_now(moment, "ago", from_now(moment - utc_now()))


def ahead(moment: datetime) -> Markup:
    """Return how soon something happens, or "now" once it is due; the page's script keeps it up to date."""
    left = moment - utc_now()
    return _from_now(moment, "ahead", from_now(left) if left > timedelta(0) else "now")


def _from_now(moment: datetime, kind: str, words: str) -> Markup:
    return Markup('<time datetime="{}" data-local="{}" title="{} UTC">{}</time>').format(
        moment.isoformat(timespec="seconds"), kind, f"{moment:%Y-%m-%d %H:%M}", words
    )


def clock(moment: datetime) -> Markup:
    """Return the time of day, or the date and the time if that was another day, in the reader's time zone."""
    return Markup('<time datetime="{}" data-local="clock">{} UTC</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M}"
    )


def day(moment: datetime | None) -> Markup | str:
    if moment is None:
        return ""
    return Markup('<time datetime="{}" data-local="day">{}</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d}"
    )


def day_in(moment: datetime | None, zone: TimeZone) -> Markup | str:
    """Return a <time> element with the day in this zone, whatever the reader's own zone is."""
    if moment is None:
        return ""
    return Markup('<time datetime="{0}" data-local="date" title="{1}">{0}</time>').format(
        zone.day_of(moment).isoformat(), zone.title
    )


def time_in(moment: datetime, zone: str) -> str:
    """Return a moment in the store's time zone, which it names."""
    return zone_named(zone).in_words(moment)


def sentence(order: Order) -> str:
    """Return the sentence that explains the order's state to the current merchant."""
    return sentence_of(order, g.get("merchant"))
