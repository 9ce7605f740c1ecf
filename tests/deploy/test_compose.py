"""compose.yaml starts what docs/operations.md describes, in order, locked down, and with no secret of its own."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess

import pytest
import yaml  # type: ignore[import-untyped]  # only parsed

from config import Settings, load_settings
from portal import create_app
from tests.conftest import ROOT, SECRET_KEY, TOKEN_KEY, settings_for
from tests.deploy.compose import TEXT, VARIABLE, Service, own, services, words
from tests.docs import shell
from tests.docs.markdown import page

ENV = {
    "SECRET_KEY": SECRET_KEY, "TOKEN_KEYS": TOKEN_KEY, "POSTGRES_PASSWORD": "p0st", "REDIS_PASSWORD": "r3d",
    "PORTAL_HOST": "portal.shop.example", "MAIL_URL": "smtp://mail.example:25",
}  # fmt: skip
"""What .env must have."""
EACH = pytest.mark.parametrize("service", services().values(), ids=services().keys())


def filled_in(text: str) -> str:
    """Return the text with the variables of ENV, and the defaults of the others."""
    return VARIABLE.sub(lambda found: ENV.get(found[1]) or (found[2] or "").removeprefix(":-"), text)


def test_it_has_every_process_and_what_they_need() -> None:
    assert own().keys() == {"migrate", "web", "worker", "schedule", "watch"}
    assert services().keys() - own().keys() == {"db", "redis", "backup", "proxy"}


@pytest.mark.parametrize("name", own())
def test_commands_exist_and_are_those_of_the_operations_page(name: str) -> None:
    command = words(own()[name])
    assert shell.problem_with(create_app(settings_for("sqlite://")), command) == ""
    documented = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert " ".join(command).replace(" --bind 0.0.0.0:8000", "") in documented


@EACH
def test_services_are_locked_down(service: Service) -> None:
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]  # noqa: S108 - a path in the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.keys().isdisjoint({"privileged", "network_mode", "pid"})
    assert ":" in service["image"] or service in own().values(), "the version is open"


def test_only_the_proxy_has_ports_and_only_the_proxy_reaches_the_web_process() -> None:
    assert [name for name, service in services().items() if "ports" in service] == ["proxy"]
    assert [name for name, service in services().items() if "front" in service["networks"]] == ["web", "proxy"]
    (network,) = yaml.safe_load(TEXT)["networks"]["front"]["ipam"]["config"]
    assert own()["web"]["environment"]["TRUSTED_PROXIES"] == network["subnet"]


def test_the_migrations_are_applied_before_anything_else_runs() -> None:
    done = {"condition": "service_completed_successfully"}
    assert own()["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name, service in own().items():
        assert name == "migrate" or service["depends_on"]["migrate"] == done
    assert own()["migrate"]["restart"] == "no"
    assert {service["restart"] for name, service in services().items() if name != "migrate"} == {"unless-stopped"}


def test_secrets_come_from_the_file_and_a_missing_one_is_named() -> None:
    for name, default in VARIABLE.findall(TEXT):
        assert name == "WORKERS" or default == f":?Set {name} in .env"
    assert {name for name, _ in VARIABLE.findall(TEXT)} == ENV.keys() | {"WORKERS"}
    assert not re.search(r"(?im)^ *\w*(password|secret|token|key|auth)\w*: *[^$\s]", TEXT)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/.env", "/tls/"} <= set(ignored)


@pytest.mark.parametrize("name", own())
def test_settings_exist_and_are_valid(name: str) -> None:
    given = own()[name]["environment"]
    assert given.keys() <= {field.name.upper() for field in dataclasses.fields(Settings)}
    settings = load_settings({key: filled_in(value) for key, value in given.items()})
    assert settings.database_url == "postgresql+psycopg://portal:p0st@db/portal"
    assert settings.redis_url == "redis://:r3d@redis:6379/0"
    assert settings.public_url == "https://portal.shop.example"
    assert settings.workers == 2
    assert filled_in(str(own()["worker"]["deploy"]["replicas"])) == str(settings.workers)


def test_urls_lead_to_services() -> None:
    for service in services().values():
        for url in filter(None, (service.get("environment", {}).get(name) for name in ("DATABASE_URL", "REDIS_URL"))):
            assert re.search(r"@(\w+)", url)[1] in services()  # type: ignore[index]  # each has a host


def test_health_checks_ask_for_pages_that_exist() -> None:
    app = create_app(settings_for("sqlite://"))
    assert own()["web"]["healthcheck"] == {"disable": False}
    pages = re.findall(r"https?://127\.0\.0\.1(?::8000)?(/\w+)", TEXT + (ROOT / "Dockerfile").read_text("utf-8"))
    assert pages == ["/healthz", "/healthz"]
    assert app.test_client().get(pages[0]).status_code == 200
    waited_for = {name for one in services().values() for name, how in one.get("depends_on", {}).items()
                  if how == {"condition": "service_healthy"}}  # fmt: skip
    assert waited_for == {"db", "redis", "web"}
    assert all(service.get("healthcheck") for service in services().values())


def test_a_worker_has_as_long_to_stop_as_the_operations_page_says() -> None:
    assert own()["worker"]["stop_grace_period"] == "60s"
    assert "TimeoutStopSec=60" in (ROOT / "docs/operations.md").read_text("utf-8")


@EACH
def test_scripts_are_valid_and_mounted_files_exist(service: Service) -> None:
    command = words(service) if "command" in service else []
    if command[:1] == ["sh"]:
        subprocess.run(["/bin/sh", "-n", "-c", command[-1]], check=True, env=dict(os.environ))
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        assert source in {"./tls", *yaml.safe_load(TEXT)["volumes"]} or (ROOT / source).is_file()


def test_the_operations_page_names_services_that_exist_and_upgrades_in_order() -> None:
    blocks = page("docs/operations.md").code_blocks("sh")
    named = re.findall(r"docker compose (?:exec|run --rm|ps --quiet) (\w+)", "\n".join(blocks))
    assert set(named) >= {"web", "migrate", "backup", "proxy"}
    assert set(named) <= services().keys()
    (upgrade,) = [block for block in blocks if "--scale web=2" in block]
    steps = ["/backup.sh", "build", "migrate", "--scale web=2 web", "docker stop", "web worker schedule watch"]
    positions = [upgrade.index(step) for step in steps]
    assert positions == sorted(positions)
    last = upgrade.splitlines()[-1].split("--no-deps ")[1]
    assert {"migrate", *last.split()} == own().keys()
