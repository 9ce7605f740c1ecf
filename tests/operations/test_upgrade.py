"""Upgrading while orders come in: the version before the last migration works on, and each order is sent once."""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import tarfile
from typing import TYPE_CHECKING

import flask_migrate
import pytest
from alembic.script import ScriptDirectory

from portal import create_app
from portal.extensions import db
from portal.schema import MIGRATIONS
from tests.conftest import ROOT
from tests.operations.documented import block, run

if TYPE_CHECKING:
    from pathlib import Path

    from config import Settings
    from tests.jobs.site import Site

INSTALL, UPGRADE = block("pip install --require-hashes -r requirements-production.txt\nflask").splitlines()


def downgrade(settings: Settings) -> None:
    """Take the last migration back."""
    with create_app(settings).app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision="-1")
        db.engine.dispose()


@pytest.fixture(scope="module")
def version_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it was before its last migration was added, from Git's history."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    last = scripts.get_revision(scripts.get_current_head() or "").path
    git = shutil.which("git") or pytest.skip("There is no git.")
    find = [git, "log", "--diff-filter=A", "--format=%H", "--", last]
    found = subprocess.run(find, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not found:
        pytest.skip("The history doesn't have the commit that added the last migration.")
    archive = subprocess.run([git, "archive", f"{found[-1]}^"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("The history doesn't reach back to before the last migration.")
    folder = tmp_path_factory.mktemp("version-before")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def test_orders_are_sent_once_while_the_portal_is_upgraded(portal: Site, version_before: Path) -> None:
    world, sandbox = portal.world, portal.world.sandbox
    assert INSTALL.startswith("pip install")
    downgrade(world.settings)
    old = [portal.start(module, version=version_before) for module in ("jobs.worker", "jobs.schedule")]

    numbers = sandbox.place_orders(count=6)
    sandbox.fault("submit", "hang", order=numbers[0])
    portal.until(sandbox.waiting, "the old worker is sending")
    run(UPGRADE, world.settings)
    numbers += sandbox.place_orders(count=2)
    sandbox.release()
    portal.until_in_state(numbers, "submitted")

    late = sandbox.place_orders(count=3)
    sandbox.fault("submit", "hang", order=late[0])
    portal.until(sandbox.waiting, "the old worker is sending again, on the new tables")
    for program in old:
        program.process.send_signal(signal.SIGTERM)
    new = [portal.start(module) for module in ("jobs.worker", "jobs.schedule")]
    more = sandbox.place_orders(count=2)
    sandbox.release()
    assert old[0].wait_until_dead() == 0
    portal.run_to_completion([*numbers, *late, *more])
    for program in (*old, *new):
        assert "Traceback" not in program.output()
        assert " ERROR " not in program.output()
    assert all(program.alive for program in new)


@pytest.mark.parametrize("module", ["jobs.worker", "jobs.watch"])
def test_new_version_without_its_migration_says_so_and_exits(small_portal: Site, module: str) -> None:
    settings = small_portal.world.settings
    downgrade(settings)
    started = small_portal.start(module)
    assert started.wait_until_dead() == 1
    last = started.output().splitlines()[-1]
    assert last.endswith("can't use the database yet. Its tables are out of date. Run: flask --app wsgi db upgrade")
    assert "Traceback" not in started.output()


def test_version_before_starts_on_the_new_tables(small_portal: Site) -> None:
    """Going back: a revision that this version doesn't know is a newer version's, and no reason to stop."""
    world = small_portal.world
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of-a-newer-one'")
    number = world.sandbox.place_order()
    small_portal.start("jobs.worker")
    small_portal.until_in_state([number], "submitted")
    assert "ok     Database\n" in world.cli("doctor").output
