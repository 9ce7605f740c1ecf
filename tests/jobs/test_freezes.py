"""A worker is suspended at a step until another one has taken over. Then it goes on, and saves and sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.models import AttemptKind, Product, Store
from tests.embedded.processes import eventually
from tests.jobs.driver import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.jobs.site import Program, Site


def _has_polled_again(portal: Site) -> None:
    before = portal.world.store().last_polled_at
    portal.until(lambda: portal.world.store().last_polled_at != before, "another worker polls")


def _assert_lost(frozen: Program) -> None:
    eventually(lambda: "lease.lost" in frozen.output(), f"the loss of the lease is logged:\n{frozen.output()}")
    assert "Traceback" not in frozen.output()


def _complete_without_others(portal: Site, frozen: Program, numbers: Sequence[str]) -> None:
    """Check that the worker that was suspended goes on to work."""
    for program in portal.programs:
        if program is not frozen and program.alive:
            program.kill()
    portal.run_to_completion(numbers)


@pytest.mark.parametrize(
    ("step", "in_a_transaction"),
    [("poll: orders read, not saved", False), ("poll: orders written, not committed", True)],
)
def test_order_whose_payment_failed_while_a_poll_was_suspended_stays_on_hold(
    step: str, in_a_transaction: bool, postgres_portal: Site
) -> None:
    """In a transaction, the suspended poll has locked rows that others need. PostgreSQL ends it."""
    _payment_fails_meanwhile(postgres_portal, step, in_a_transaction=in_a_transaction)


def test_order_whose_payment_failed_while_a_poll_was_suspended_stays_on_hold_on_sqlite(small_portal: Site) -> None:
    _payment_fails_meanwhile(small_portal, "poll: orders read, not saved", in_a_transaction=False)


def _payment_fails_meanwhile(portal: Site, step: str, *, in_a_transaction: bool) -> None:
    sandbox = portal.world.sandbox
    number = sandbox.place_order(payment_status="pending")
    first = portal.start_worker()
    portal.until_in_state([number], "held")
    first.kill()
    sandbox.edit_order(number, payment_status="completed")
    with portal.frozen_at(step, in_a_transaction=in_a_transaction) as frozen:
        sandbox.edit_order(number, payment_status="failed")
        portal.start_worker()
        _has_polled_again(portal)
    _assert_lost(frozen)
    _has_polled_again(portal)
    _has_polled_again(portal)
    assert portal.world.states() == {number: "held"}
    assert sandbox.posted() == {}

    sandbox.edit_order(number, payment_status="completed")
    _complete_without_others(portal, frozen, [number])


def test_sku_corrected_while_a_product_refresh_was_suspended_stays_corrected(small_portal: Site) -> None:
    sandbox, store_id = small_portal.world.sandbox, small_portal.world.store().id

    def description() -> str | None:
        with small_portal.world.session() as session:
            return session.scalar(select(Product.description).where(Product.product_id == "1"))

    with small_portal.frozen_at("products: page read, not saved") as frozen:
        sandbox.patch_product("1", description="A plain mug.\n\nSKU:MUG-02")
        small_portal.start_worker()
        small_portal.until(lambda: "MUG-02" in (description() or ""), "another worker refreshes the products")
    _assert_lost(frozen)
    assert "MUG-02" in (description() or "")

    number = sandbox.place_order(items=[{"product": "1", "quantity": 1}])
    _complete_without_others(small_portal, frozen, [number])
    assert [item["sku"] for item in sandbox.received()[number]["items"]] == ["MUG-02"]
    with small_portal.world.session() as session:
        assert session.get_one(Store, store_id).products_refreshed_at is not None


def test_order_settled_and_sent_while_another_settlement_was_suspended_is_sent_once(portal: Site) -> None:
    """The other worker sends it and gets no answer, so that it is unconfirmed when the suspended one goes on."""
    sandbox = portal.world.sandbox
    number = sandbox.place_order()
    first = portal.start_worker(Plan(dies_at="submit: intent committed, nothing sent"))
    portal.until(lambda: not first.alive, "a worker dies before it sends the order")
    assert sandbox.posted() == {}
    with portal.frozen_at("settle: status received, not recorded") as frozen:
        sandbox.fault("submit", "cut_after")
        sandbox.fault("status", "hang", skip=1)
        portal.start_worker()
        portal.until(
            lambda: sandbox.accepted() == {number: 1} and sandbox.waiting("fcp"),
            "another worker has sent it and asks about it",
        )
        assert portal.world.states() == {number: "unconfirmed"}
    _assert_lost(frozen)
    assert portal.world.states() == {number: "unconfirmed"}
    sandbox.release()
    portal.until_in_state([number], "submitted")

    again = sandbox.place_order()
    _complete_without_others(portal, frozen, [number, again])


@pytest.mark.parametrize("step", ["submit: intent committed, nothing sent", "submit: answer received, not recorded"])
def test_order_settled_while_its_sending_was_suspended_is_sent_once(step: str, portal: Site) -> None:
    number = portal.world.sandbox.place_order()
    with portal.frozen_at(step) as frozen:
        portal.start_worker()
        portal.until_in_state([number], "submitted")
        attempts = portal.world.attempts(number)
    _assert_lost(frozen)
    assert portal.world.states()[number] in {"submitted", "shipped"}
    for before, after in zip(attempts, portal.world.attempts(number), strict=False):
        assert (before.outcome, before.explanation) == (after.outcome, after.explanation)

    again = portal.world.sandbox.place_order()
    _complete_without_others(portal, frozen, [number, again])


def test_status_that_was_replaced_while_tracking_was_suspended_is_not_saved(small_portal: Site) -> None:
    sandbox = small_portal.world.sandbox
    number = sandbox.place_order()
    first = small_portal.start_worker()
    small_portal.until_in_state([number], "submitted")
    first.kill()
    sandbox.set_status(number, "On Hold")
    with small_portal.frozen_at("track: status received, not recorded") as frozen:
        sandbox.set_status(number, "Picking")
        small_portal.start_worker()
        small_portal.until(
            lambda: small_portal.world.order(number).fcp_status == "Picking", "another worker saves the new status"
        )
    _assert_lost(frozen)
    assert small_portal.world.order(number).fcp_status == "Picking"
    assert not [one for one in small_portal.world.attempts(number, AttemptKind.STATUS) if "On Hold" in one.explanation]

    _complete_without_others(small_portal, frozen, [number])


def test_order_marked_as_shipped_while_another_worker_was_suspended_before_that_is_marked_once(
    small_portal: Site,
) -> None:
    sandbox = small_portal.world.sandbox
    number = sandbox.place_order()
    first = small_portal.start_worker()
    small_portal.until_in_state([number], "submitted")
    first.kill()
    sandbox.ship_all()
    with small_portal.frozen_at("mark: intent committed, nothing sent") as frozen:
        small_portal.start_worker()
        small_portal.until_in_state([number], "completed")
    _assert_lost(frozen)
    assert sandbox.patches() == {number: 1}

    again = sandbox.place_order()
    _complete_without_others(small_portal, frozen, [number, again])


def test_verdict_of_a_dry_run_that_was_suspended_is_not_saved(small_portal: Site) -> None:
    world, sandbox = small_portal.world, small_portal.world.sandbox
    world.change_store(live=False)
    number = sandbox.place_order()
    first = small_portal.start_worker()
    small_portal.until_in_state([number], "held")
    first.kill()
    world.change_store(dry_run_asked_at=world.clock(), dry_run_total=1)
    sandbox.fault("submit", "refuse", words="No such SKU")
    with small_portal.frozen_at("dry run: answer received, not recorded") as frozen:
        small_portal.start_worker()
        small_portal.until(lambda: world.order(number).dry_run_at, "another worker saves its verdict")
        verdict_at = world.order(number).dry_run_at
        small_portal.until(lambda: world.store().dry_run_asked_at is None, "the dry run ends")
    _assert_lost(frozen)
    assert (world.order(number).dry_run_verdict, world.order(number).dry_run_at) == ("", verdict_at)

    world.change_store(live=True)
    _complete_without_others(small_portal, frozen, [number])
