"""Every job name resolves to its job. Otherwise a wrong name would be noticed only in a running worker."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from rq.utils import import_attribute

import jobs
from portal.queue import JobName
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADED = "import json, sys, jobs.worker; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize("name", list(JobName))
def test_every_job_name_resolves(name: JobName) -> None:
    assert callable(import_attribute(name.value))


def test_every_job_has_a_name() -> None:
    assert set(_jobs()) == {name.value for name in JobName}


def test_worker_loads_every_job_before_it_forks() -> None:
    """Checked in a new process, because other tests have loaded the jobs into this one."""
    result = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {name.value.rsplit(".", 1)[0] for name in JobName} - set(json.loads(result.stdout)) == set()


def _jobs() -> Iterator[str]:
    """Yield the path of every job in the folder: a function named after its module."""
    for found in pkgutil.iter_modules(jobs.__path__):
        module = import_module(f"jobs.{found.name}")
        if callable(getattr(module, found.name, None)):
            yield f"jobs.{found.name}.{found.name}"
