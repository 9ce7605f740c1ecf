"""What the doctor command reports about each part of the system."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal import create_app
from tests.conftest import settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fulfillment.world import World


@pytest.mark.usefixtures("short_timeouts")
def test_doctor_reports_what_is_wrong_with_each_part(sqlite_world: World) -> None:
    def findings() -> dict[str, str]:
        result = sqlite_world.cli("doctor")
        assert "Traceback" not in result.output
        assert isinstance(result.exception, SystemExit)
        assert "token-of-the-tests" not in result.output
        lines = [line[7:].partition(": ") for line in result.output.splitlines()]
        assert result.exit_code == (1 if "WRONG" in result.output else 0)
        return {part: problem for part, _, problem in lines}

    healthy = findings()
    assert healthy["Database"] == ""
    assert healthy["Merchant 816, warehouse"] == ""
    assert healthy["Merchant 816, shipping codes"] == ""
    assert healthy["Merchant 816, account 1000001"] == ""
    assert "Couldn't reach it" in healthy["Redis"]
    assert "BIGCARTEL_CLIENT_ID" in healthy["Big Cartel app credentials"]

    sqlite_world.sandbox.put_merchant("816", name="Example Shop", token="another")
    sqlite_world.sandbox.put_account("1000001", tokens=[])
    sqlite_world.change_merchant(domestic_service="")
    broken = findings()
    assert "Check the Merchant Token" in broken["Merchant 816, warehouse"]
    assert "Reconnect the store" in broken["Merchant 816, account 1000001"]
    assert "No service for DOMESTIC_DEFAULT" in broken["Merchant 816, shipping codes"]
    assert sqlite_world.merchant().credentials_refused_at is None

    sqlite_world.settings = replace(
        sqlite_world.settings, fcp_api_url="http://127.0.0.1:1/xml", bigcartel_api_url="http://127.0.0.1:1/v1"
    )
    sqlite_world.forget_app()
    unreachable = findings()
    assert "the connection failed" in unreachable["Merchant 816, warehouse"]
    assert "the connection failed" in unreachable["Merchant 816, account 1000001"]


def test_doctor_names_the_remedy_for_missing_tables_or_database(tmp_path: Path) -> None:
    for url, remedy in (
        (f"sqlite:///{tmp_path / 'empty.sqlite3'}", "db upgrade"),
        ("sqlite:////no/such/folder/at/all.sqlite3", "DATABASE_URL"),
    ):
        settings = replace(settings_for(url), redis_url="redis://127.0.0.1:1/0")
        result = create_app(settings).test_cli_runner().invoke(args=["doctor"])
        assert result.exit_code == 1
        assert isinstance(result.exception, SystemExit)
        assert remedy in next(line for line in result.output.splitlines() if "Database" in line)


def test_doctor_asks_for_a_redis_password(sqlite_url: str, redis_url: str) -> None:
    def output(url: str) -> str:
        app = create_app(replace(settings_for(sqlite_url), redis_url=url))
        return str(app.test_cli_runner().invoke(args=["doctor"]).output)

    assert "WRONG  Redis password: REDIS_URL has none." in output("redis://0.0.0.0:1/0")
    assert "Redis password" not in output(redis_url)


def test_doctor_finds_redis_but_no_worker(sqlite_url: str, redis_url: str) -> None:
    settings = replace(settings_for(sqlite_url), redis_url=redis_url)
    result = create_app(settings).test_cli_runner().invoke(args=["doctor"])

    assert "ok     Redis\n" in result.output
    assert "python -m jobs.worker" in result.output
