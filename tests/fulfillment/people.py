"""What people do at the warehouse and in the portal while workers run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.actions.merchants import save_merchant
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.fulfillment.world import World


def enter_token(world: World, session: Session) -> None:
    save_merchant(
        session,
        MERCHANT,
        name="Example Shop",
        token="new",
        settings=world.settings,
        now=world.clock(),
        actor="owner",
    )


def replace_token(world: World) -> None:
    """Give the merchant a new token at the warehouse, and enter it in the portal."""
    world.sandbox.put_merchant(str(MERCHANT), name="Example Shop", token="new")
    with world.session() as session:
        enter_token(world, session)
