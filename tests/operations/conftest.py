"""The portal of the job tests, with real processes, for the operator's procedures."""

from __future__ import annotations

from tests.jobs.conftest import portal, sandbox, sandbox_process, small_portal, spare_workers

__all__ = ["portal", "sandbox", "sandbox_process", "small_portal", "spare_workers"]
