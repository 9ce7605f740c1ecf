"""TEST orders find out which services the warehouse offers and whether it knows the merchant's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.actions.merchants import save_merchant
from portal.fulfillment import products, warehouse_checks
from portal.models import CheckVerdict, Merchant, WarehouseCheck
from tests.fulfillment.world import ACCOUNT, MERCHANT, MERCHANT_TOKEN, World

if TYPE_CHECKING:
    from collections.abc import Callable

OFFERED = ["USPS_MEDIA", "USPS_PRIORITY", "EPGEPACKT"]


def warehouse(world: World, **details: Any) -> None:
    """Change what the warehouse offers and stocks."""
    token = f"{MERCHANT_TOKEN}-{MERCHANT}"
    world.sandbox.put_merchant(str(MERCHANT), name="Example Shop", token=token, **details)


def refresh(world: World, account: str = ACCOUNT) -> None:
    with world.session() as session:
        products.refresh_products(session, world.store(account).id, world.settings)


def run(world: World) -> None:
    with world.session() as session:
        warehouse_checks.find_due(session, world.clock())
        assert warehouse_checks.check_due(session, world.settings, world.clock)


def check(world: World, service: str) -> WarehouseCheck | None:
    with world.session() as session:
        return session.scalar(select(WarehouseCheck).where(WarehouseCheck.service == service))


def count_tests(world: World) -> int:
    return sum(order["tested"] for order in world.sandbox.received(str(MERCHANT)).values())


@pytest.fixture
def offering(world: World) -> World:
    """A live merchant whose warehouse offers three services and stocks the merchant's only product."""
    world.add_merchant()
    warehouse(world, methods=OFFERED, skus=["MUG-01"])
    refresh(world)
    return world


def test_accepted_service_is_known_for_all_merchants(offering: World) -> None:
    offering.change_merchant(domestic_service="USPS_PRIORITY")
    run(offering)
    found = check(offering, "USPS_PRIORITY")
    assert found is not None
    assert (found.verdict, found.words, found.due_at) == (CheckVerdict.ACCEPTED, "", None)
    assert not offering.sandbox.accepted(), "a TEST order became a real order"
    sent = count_tests(offering)
    run(offering)
    assert count_tests(offering) == sent == 1, "what is known is not asked again"
    assert check(offering, "EPGEPACKT") is None, "the catalog calls it verified"


def test_rejected_service_keeps_the_warehouses_words(offering: World) -> None:
    offering.change_merchant(domestic_service="UPS_GROUND")
    run(offering)
    found = check(offering, "UPS_GROUND")
    assert found is not None
    assert (found.verdict, found.words) == (CheckVerdict.REJECTED, "Invalid ShippingMethod: UPS_GROUND")
    assert found.due_at is None
    warehouse(offering, methods=[*OFFERED, "UPS_GROUND"])
    with offering.session() as session:
        warehouse_checks.ask_again(session, MERCHANT, "UPS_GROUND", offering.clock())
        session.commit()
    run(offering)
    found = check(offering, "UPS_GROUND")
    assert found is not None
    assert (found.verdict, found.words) == (CheckVerdict.ACCEPTED, "")


def test_unknown_sku_says_nothing_about_the_service(offering: World) -> None:
    warehouse(offering, skus=["OTHER-01"])
    offering.change_merchant(domestic_service="USPS_PRIORITY")
    run(offering)
    found = check(offering, "USPS_PRIORITY")
    assert found is not None
    assert found.verdict is None
    assert "Invalid SKU: MUG-01" in found.problem
    warehouse(offering, skus=["MUG-01"])
    run(offering)
    again = check(offering, "USPS_PRIORITY")
    assert again is not None
    assert again.verdict is None, "it is tried again an hour later"
    offering.clock.forward(minutes=61)
    run(offering)
    last = check(offering, "USPS_PRIORITY")
    assert last is not None
    assert last.verdict is CheckVerdict.ACCEPTED


def test_check_waits_for_a_product_with_a_sku(world: World) -> None:
    world.add_merchant(domestic_service="USPS_PRIORITY")
    run(world)
    found = check(world, "USPS_PRIORITY")
    assert found is not None
    assert (found.verdict, found.problem) == (None, warehouse_checks.NEEDS_SKU)
    refresh(world)
    world.clock.forward(seconds=31)
    run(world)
    found = check(world, "USPS_PRIORITY")
    assert found is not None
    assert found.verdict is CheckVerdict.ACCEPTED


def test_unreachable_warehouse_is_asked_again_and_no_real_order_is_stopped(offering: World) -> None:
    offering.change_merchant(domestic_service="USPS_PRIORITY")
    offering.sandbox.fault("submit", "status", side="fcp", status=503, times=10)
    run(offering)
    found = check(offering, "USPS_PRIORITY")
    assert found is not None
    assert found.verdict is None
    assert found.problem
    merchant = offering.merchant()
    assert (merchant.fcp_failures, merchant.fcp_after, merchant.credentials_refused_at) == (0, None, None)
    offering.sandbox.clear_faults()
    number = offering.sandbox.place_order()
    offering.run()
    assert offering.states()[number] == "submitted"
    offering.clock.forward(minutes=3)
    run(offering)
    found = check(offering, "USPS_PRIORITY")
    assert found is not None
    assert found.verdict is CheckVerdict.ACCEPTED


def test_two_workers_never_check_the_same_service_at_once(
    offering: World, during_submission: Callable[[int, Callable[[], None]], list[str]]
) -> None:
    offering.change_merchant(domestic_service="USPS_PRIORITY")
    sent = during_submission(1, lambda: run(offering))
    run(offering)
    assert len(sent) == 1


class TestName:
    """A merchant's name is checked while no store is live."""

    @pytest.fixture
    def dark(self, offering: World) -> World:
        offering.change_store(live=False)
        return offering

    def test_right_name_is_accepted_once(self, dark: World) -> None:
        run(dark)
        found = check(dark, "")
        assert found is not None
        assert (found.merchant_id, found.verdict) == (MERCHANT, CheckVerdict.ACCEPTED)
        run(dark)
        assert count_tests(dark) == 1

    def test_wrong_name_is_rejected_and_a_corrected_one_is_checked_anew(self, dark: World) -> None:
        with dark.session() as session:
            session.get_one(Merchant, MERCHANT).name = "Exampel Shop"
            session.commit()
        run(dark)
        found = check(dark, "")
        assert found is not None
        assert (found.verdict, found.words) == (CheckVerdict.REJECTED, "Invalid MerchantName")
        assert dark.merchant().credentials_refused_at is None, "a TEST order stops nothing"
        with dark.session() as session:
            save_merchant(
                session, MERCHANT, name="Example Shop", token=f"{MERCHANT_TOKEN}-{MERCHANT}", settings=dark.settings,
                now=dark.clock(), actor="tests",
            )  # fmt: skip
        assert check(dark, "") is None
        run(dark)
        found = check(dark, "")
        assert found is not None
        assert found.verdict is CheckVerdict.ACCEPTED

    def test_live_merchants_and_those_without_a_service_are_left_alone(self, offering: World) -> None:
        run(offering)
        assert check(offering, "") is None
        offering.change_store(live=False)
        offering.change_merchant(domestic_service="", international_service="")
        run(offering)
        assert check(offering, "") is None
        assert count_tests(offering) == 0


def test_command_records_what_the_warehouse_accepts(offering: World) -> None:
    result = offering.cli("services", "verify", "--merchant-id", "816", "--sku", "MUG-01")
    assert result.exit_code == 0, result.output
    assert "The warehouse accepts 3 of 25 codes. The results are recorded." in result.output
    found = check(offering, "FEDEX_GROUND")
    assert found is not None
    assert (found.verdict, found.words) == (CheckVerdict.REJECTED, "Invalid ShippingMethod: FEDEX_GROUND")
    listed = offering.cli("services", "list").output
    assert "UPS      Ground (rejected by the warehouse)" in listed
    assert "Priority Mail (verified)" in listed


def test_command_records_nothing_if_the_sku_is_wrong(offering: World) -> None:
    result = offering.cli("services", "verify", "--merchant-id", "816", "--sku", "NOPE")
    assert result.exit_code == 1
    assert "nothing is recorded" in result.output
    assert "Check --sku" in result.output
    assert check(offering, "USPS_MEDIA") is None
