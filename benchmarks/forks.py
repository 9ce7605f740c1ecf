"""Measure what a job costs beyond its work, in the workers that RQ offers: each job in a fork, or all in one process.

Run it with ``python -m benchmarks.forks``. The jobs find nothing due, so what they cost is what every job costs. A
worker that isn't prepared maps the models in every fork, and so on: see ``jobs.worker.prepare``. The floor is the
worker that doesn't fork. It would send no heartbeat during a job, and keep what a job leaves behind.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rq import SimpleWorker

from benchmarks.fixtures import MERCHANT, database, environ_for
from benchmarks.results import Report, parser
from config import load_settings
from embedded import postgres, redis
from jobs.worker import PortalWorker, build, prepare
from portal.core import create_core
from portal.queue import IDS_PER_JOB, Call, JobName, connect, wake
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = {"no fork": "the floor", "fork": "as jobs.worker does", "unprepared fork": "without prepare()"}
MOST_PER_MERCHANT = 3.0
"""Milliseconds."""


class InProcess(PortalWorker):
    """A worker that runs its jobs itself."""

    execute_job = SimpleWorker.execute_job


def work(kind: str, jobs: int) -> None:
    """Work on this many jobs as such a worker does, and print the CPU seconds of this process and its forks."""
    settings = load_settings(os.environ)
    app = create_core(settings)
    if kind != "unprepared fork":
        prepare(app)
    worker = build(app, settings.redis_url, worker_class=InProcess if kind == "no fork" else PortalWorker)
    before = _cpu()
    worker.work(burst=True, max_jobs=jobs, logging_level="ERROR")
    print(_cpu() - before)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def milliseconds(kind: str, jobs: int, environ: Mapping[str, str]) -> float:
    """Return the CPU milliseconds per job of a new worker."""
    with connect(environ["REDIS_URL"]) as connection:
        connection.flushall()
        for nth in range(jobs):
            wake(connection, [Call(JobName.SUBMIT, (MERCHANT + nth,))])
    command = [sys.executable, "-m", "benchmarks.forks", "--work-as", kind, "--jobs", str(jobs)]
    done = subprocess.run(command, env={**os.environ, **environ}, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.splitlines()[-1]) / jobs * 1000


def main() -> int:
    options_of = parser(__doc__)
    options_of.add_argument("--jobs", type=int, default=100, help="jobs of each worker")
    options_of.add_argument("--rounds", type=int, default=3, help="workers of each kind; the least CPU counts")
    options_of.add_argument("--work-as", choices=KINDS, help="be one of the workers, instead of comparing them")
    options = options_of.parse_args()
    if options.work_as:
        work(options.work_as, options.jobs)
        return 0
    report = Report("forks", options)
    with (
        TemporaryDirectory(prefix="portal-benchmark-") as folder,
        running_sandbox() as sandbox,
        redis.start(Path(folder)) as redis_url,
        postgres.start() as server,
        database(server) as url,
    ):
        environ = {**environ_for(sandbox, url, 8), "REDIS_URL": redis_url, "MAIL_URL": f"file://{folder}/mail"}
        rounds = [{kind: milliseconds(kind, options.jobs, environ) for kind in KINDS} for _ in range(options.rounds)]
    least = {kind: min(one[kind] for one in rounds) for kind in KINDS}
    for kind, what in KINDS.items():
        report.row(
            worker=kind,
            what=what,
            cpu_ms_per_job=least[kind],
            more_than_the_floor_ms=least[kind] - least["no fork"],
            a_merchant_ms=(least[kind] - least["no fork"]) / IDS_PER_JOB,
        )
    added = (least["fork"] - least["no fork"]) / IDS_PER_JOB
    report.goal("CPU ms that the fork adds per merchant of a full job", added, at_most=MOST_PER_MERCHANT)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
