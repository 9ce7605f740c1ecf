"""Python code and queries agree on whether Big Cartel and the FCP may be called now."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.fulfillment.clients import BlockedError, bigcartel_for, fcp_for, may_call_fcp, may_call_fcp_sql
from portal.models import Merchant, Store
from portal.wording.stops import CHECK_CREDENTIALS, DISCONNECTED, RECONNECT

if TYPE_CHECKING:
    from tests.fulfillment.world import World

MOMENT = timedelta(microseconds=1)


def test_python_and_sql_agree_on_whether_the_fcp_may_be_called(world: World) -> None:
    now = world.clock()
    rejections = (None, now - timedelta(days=1))
    pauses = (None, now - MOMENT, now, now + MOMENT)
    for rejected_at, after in product(rejections, pauses):
        world.change_merchant(credentials_refused_at=rejected_at, fcp_after=after)
        merchant = world.merchant()
        with world.session() as session:
            found = session.scalars(select(Merchant.id).where(may_call_fcp_sql(now))).all()
        expected = rejected_at is None and after != now + MOMENT
        assert may_call_fcp(merchant, now) is expected
        assert (merchant.id in found) is expected


def test_person_skips_the_pause_but_rejected_credentials_stop_every_call(sqlite_world: World) -> None:
    world, now = sqlite_world, sqlite_world.clock()
    world.change_merchant(fcp_after=now + timedelta(minutes=5), fcp_error="The warehouse is down.")
    paused = world.merchant()
    world.change_merchant(credentials_refused_at=now, credentials_refused_words="Invalid token")
    stopped = world.merchant()
    with world.session() as session:
        with pytest.raises(BlockedError, match=r"The warehouse is down\."):
            fcp_for(session, paused, world.settings, now=now)
        assert fcp_for(session, paused, world.settings, now=now, ignore_pause=True)
        with pytest.raises(BlockedError, match=f'{CHECK_CREDENTIALS} The warehouse said: "Invalid token"'):
            fcp_for(session, stopped, world.settings, now=now, ignore_pause=True)


def test_store_is_called_only_while_it_is_connected(world: World) -> None:
    token, now = world.store().sealed_token, world.clock()
    for sealed, revoked_at in product((token, ""), (None, now)):
        world.change_store(sealed_token=sealed, reconnect_needed_at=revoked_at)
        store = world.store()
        with world.session() as session:
            found = session.scalars(select(Store.id).where(Store.is_connected)).all()
        expected = bool(sealed) and revoked_at is None
        assert store.is_connected is expected
        assert (store.id in found) is expected
        if expected:
            assert bigcartel_for(store, world.settings)
        else:
            with pytest.raises(BlockedError, match=RECONNECT if revoked_at else DISCONNECTED):
                bigcartel_for(store, world.settings)
