"""Actions on a merchant: set credentials, map carrier services, choose what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment.clients import set_credentials
from portal.fulfillment.sku_verdicts import count_skus
from portal.models import Merchant, Store
from portal.models.audit import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.rules.shipping import ServiceChoice


def save_merchant(
    session: Session,
    merchant_id: int,
    *,
    name: str,
    token: str,
    settings: Settings,
    actor: str,
    reason: str = "",
    now: datetime,
) -> bool:
    """Add a merchant, or replace the name and token of an existing one. Return whether it is new; commits."""
    merchant = session.get(Merchant, merchant_id, populate_existing=True, with_for_update=True)
    is_new = merchant is None
    if merchant is None:
        merchant = Merchant(id=merchant_id, created_at=now)
        session.add(merchant)
    set_credentials(session, merchant, name=name, token=token, settings=settings, now=now)
    session.flush()
    action = "merchant added" if is_new else "merchant credentials replaced"
    record(session, action, merchant_id=merchant_id, actor=actor, reason=reason, now=now)
    session.commit()
    return is_new


def save_options(
    session: Session,
    merchant: Merchant,
    *,
    submit_unpaid: bool,
    ignore_items_without_sku: bool,
    actor: str,
    reason: str,
    now: datetime,
) -> bool:
    """Save which orders and items are sent. Return whether anything changed; commits."""
    changed = []
    if merchant.submit_unpaid != submit_unpaid:
        merchant.submit_unpaid = submit_unpaid
        changed.append(f"send unpaid orders: {_on_off(submit_unpaid)}")
    if merchant.ignore_items_without_sku != ignore_items_without_sku:
        merchant.ignore_items_without_sku = ignore_items_without_sku
        changed.append(f"ignore items without a SKU: {_on_off(ignore_items_without_sku)}")
        for store in session.scalars(select(Store).where(Store.merchant_id == merchant.id)).all():
            count_skus(session, store)
    if changed:
        _change_rules(session, merchant, "settings changed", ", ".join(changed), actor=actor, reason=reason, now=now)
    return bool(changed)


def pause_sending(
    session: Session, merchant: Merchant, *, paused: bool, actor: str, reason: str, now: datetime
) -> bool:
    """Pause or resume sending. Return whether anything changed; commits."""
    if merchant.paused == paused:
        return False
    merchant.paused = paused
    action = "sending paused" if paused else "sending resumed"
    _change_rules(session, merchant, action, "", actor=actor, reason=reason, now=now)
    return True


def switch_test_mode(
    session: Session, merchant: Merchant, *, is_on: bool, actor: str, reason: str, now: datetime
) -> bool:
    """Switch test mode on or off. Return whether anything changed; commits."""
    if merchant.test_mode == is_on:
        return False
    merchant.test_mode = is_on
    _change_rules(session, merchant, f"test mode {_on_off(is_on)}", "", actor=actor, reason=reason, now=now)
    return True


def map_services(
    session: Session, merchant: Merchant, choice: ServiceChoice, *, actor: str, reason: str, now: datetime
) -> None:
    """Set the carrier service for each shipping code. Commits."""
    merchant.domestic_service = choice.domestic
    merchant.international_service = choice.international
    merchant.territories_domestic = choice.territories_domestic
    territories = "domestic" if choice.territories_domestic else "international"
    subject = f"{choice.domestic or 'none'} / {choice.international or 'none'}; US territories {territories}"
    _change_rules(session, merchant, "carrier services changed", subject, actor=actor, reason=reason, now=now)


def poll_stores_soon(session: Session, merchant_id: int, now: datetime) -> Sequence[int]:
    """Make all of the merchant's stores due for a poll now, to send orders that are no longer held. Commits.

    Returns the ids of those stores.
    """
    stores = session.scalars(
        select(Store)
        .where(Store.merchant_id == merchant_id, Store.next_poll_at.is_not(None))
        .execution_options(populate_existing=True)
    ).all()
    for store in stores:
        store.next_poll_at = now
    session.commit()
    return [store.id for store in stores]


def _change_rules(
    session: Session, merchant: Merchant, action: str, subject: str, *, actor: str, reason: str, now: datetime
) -> None:
    """Record a change that affects which of the merchant's orders are held. Commits."""
    merchant.rules_changed_at = now
    record(session, action, merchant_id=merchant.id, subject=subject, actor=actor, reason=reason, now=now)
    session.commit()


def _on_off(value: bool) -> str:
    return "on" if value else "off"
