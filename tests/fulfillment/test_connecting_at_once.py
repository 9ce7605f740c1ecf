"""Two people who connect the same Big Cartel account at the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, select

from portal.actions.stores import CannotConnectError, Connected, connect_store
from portal.crypto import unseal
from portal.models import Store
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.fulfillment.world import World

OTHER, CONTESTED = 900, "1000009"


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """PostgreSQL only: on SQLite, the second waits until the first has finished."""
    return postgres_url


def _connect(world: World, session: Session, merchant_id: int, account_id: str = CONTESTED) -> Connected:
    return connect_store(
        session,
        merchant_id,
        account_id=account_id,
        token=f"token of {merchant_id}",
        settings=world.settings,
        now=world.clock(),
        actor="test",
    )


def _connect_after(world: World, faster: int) -> Connected:
    """Connect the account, but let the other merchant do it after we have looked and found it free."""
    with world.session() as session, world.session() as ahead:

        @event.listens_for(session, "before_flush", once=True)
        def overtake(*_: object) -> None:
            _connect(world, ahead, faster)

        return _connect(world, session, MERCHANT)


def _stores(world: World) -> list[tuple[int, str]]:
    with world.session() as session:
        found = session.scalars(select(Store).where(Store.account_id == CONTESTED))
        return [(store.merchant_id, unseal(store.sealed_token, world.settings.token_keys)) for store in found]


def test_slower_of_two_merchants_is_told_that_the_store_is_taken(world: World) -> None:
    world.add_merchant(OTHER, "1000002")
    with pytest.raises(CannotConnectError, match="belongs to another merchant"):
        _connect_after(world, OTHER)
    assert _stores(world) == [(OTHER, f"token of {OTHER}")]


def test_merchant_who_connects_twice_at_once_has_one_store(world: World) -> None:
    assert not _connect_after(world, MERCHANT).is_new
    assert _stores(world) == [(MERCHANT, f"token of {MERCHANT}")]


@pytest.mark.parametrize("merchant_id", [0, -1, 2**31, 10**30])
def test_merchant_id_that_fits_no_column_is_unknown(world: World, merchant_id: int) -> None:
    with world.session() as session, pytest.raises(CannotConnectError, match="There is no merchant"):
        _connect(world, session, merchant_id)


@pytest.mark.parametrize("account_id", ["shop", "01000009", " 1000009", "", "9" * 21])
def test_account_id_that_is_no_number_is_not_stored(world: World, account_id: str) -> None:
    with world.session() as session, pytest.raises(CannotConnectError, match="is not a Big Cartel account ID"):
        _connect(world, session, MERCHANT, account_id)
    with world.session() as session:
        assert len(session.scalars(select(Store)).all()) == 1
