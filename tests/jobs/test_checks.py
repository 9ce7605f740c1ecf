"""The job that checks services with TEST orders runs when it is due, and at once after somebody saved a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from jobs.checks import checks
from jobs.stored import WITH_IDS, WITHOUT_IDS
from portal.actions.service_checks import check_soon
from portal.clock import utc_now
from portal.fulfillment import products
from portal.models import CheckVerdict, WarehouseCheck
from portal.queue import JobName

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def verdicts(world: World) -> dict[str, CheckVerdict | None]:
    with world.session() as session:
        return {row.service: row.verdict for row in session.scalars(select(WarehouseCheck))}


def test_service_that_a_merchant_chose_is_checked(in_job: World) -> None:
    with in_job.session() as session:
        products.refresh_products(session, in_job.store().id, in_job.settings)
    checks()
    assert verdicts(in_job) == {}
    in_job.change_merchant(domestic_service="USPS_PRIORITY")
    checks()
    assert verdicts(in_job) == {}, "it isn't due again yet"
    with in_job.session() as session:
        check_soon(session, utc_now())
    checks()
    assert verdicts(in_job) == {"USPS_PRIORITY": CheckVerdict.ACCEPTED}
    assert not in_job.sandbox.accepted()


def test_worker_takes_every_job_that_the_portal_enqueues() -> None:
    assert {*WITHOUT_IDS, *WITH_IDS} == set(JobName)
