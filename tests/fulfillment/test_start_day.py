"""`stores connect --start YYYY-MM-DD` means the store's day, as Big Cartel names its time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.fulfillment.commands import fails_in_one_sentence
from tests.fulfillment.world import BIGCARTEL_TOKEN

if TYPE_CHECKING:
    from click.testing import Result

    from tests.fulfillment.world import World

EASTERN = "Eastern Time (US & Canada)"


def _connect(world: World, start: str) -> Result:
    named = ("--merchant-id", "816", "--account-id", "1000001", "--start", start)
    return world.cli("stores", "connect", *named, "--token-stdin", stdin=f"{BIGCARTEL_TOKEN}-1000001\n")


def test_first_day_starts_at_the_stores_midnight(world: World) -> None:
    early, late = world.sandbox.place_orders(
        [
            {"number": "EARLY-1", "created_at": "2026-05-01T03:59:59.000Z", "items": [{"product": "1"}]},
            {"number": "LATE-1", "created_at": "2026-05-01T04:00:00.000Z", "items": [{"product": "1"}]},
        ]
    )
    connected = _connect(world, "2026-05-01")
    world.run()

    assert connected.exit_code == 0
    assert f"Orders placed from 2026-05-01 00:00 {EASTERN} onward will be sent." in connected.output
    assert world.store().starts_at == datetime(2026, 5, 1, 4, tzinfo=UTC)
    assert world.sandbox.accepted() == {late: 1}
    assert f"placed before 2026-05-01 00:00 {EASTERN}".lower() in world.cli("orders", "show", early).output.lower()


@pytest.mark.parametrize("zone", ["Atlantis", None])
def test_day_is_in_utc_when_the_time_zone_is_unknown(world: World, zone: str | None) -> None:
    world.sandbox.put_account("1000001", tokens=[f"{BIGCARTEL_TOKEN}-1000001"], time_zone=zone)
    connected = _connect(world, "2026-05-01")

    assert connected.exit_code == 0
    assert "The store's time zone couldn't be read from Big Cartel, so the date is in UTC." in connected.output
    assert "Orders placed from 2026-05-01 00:00 UTC onward will be sent." in connected.output
    assert world.store().starts_at == datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("day", ["0001-01-01", "2004-12-31"])
def test_impossible_year_is_reported(world: World, day: str) -> None:
    connected = _connect(world, day)
    fails_in_one_sentence(connected)
    assert f"Big Cartel had no orders as early as {day}. Check the year." in connected.output


def test_last_day_of_the_calendar_is_no_error(world: World) -> None:
    world.change_store(time_zone="Auckland")
    assert _connect(world, "9999-12-31").exit_code == 0
    world.change_store(time_zone="Hawaii")
    world.sandbox.place_orders(count=1)
    world.run()
    assert set(world.states().values()) == {"held"}
