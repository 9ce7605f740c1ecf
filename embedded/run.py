"""`make run`: the portal and everything it needs on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings, SettingsError, load_settings
from embedded import redis
from embedded.instance import load_secrets, locked, write_private
from embedded.ports import HOST, PortError, read_ports
from embedded.supervisor import RunError, StopRequested, Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded.ports import Ports

ROOT = Path(__file__).resolve().parent.parent
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
SERVICE_URLS = ("BIGCARTEL_AUTHORIZE_URL", "BIGCARTEL_TOKEN_URL", "BIGCARTEL_API_URL", "FCP_API_URL")
MERCHANT, ACCOUNT = "816", "1000001"  # the sandbox's store
OWNER, SUPPORT = "owner@fern.example", "support@warehouse.example"
PASSWORD = "sandbox-password"  # noqa: S105 - for two made-up people in the sandbox


def settings_for(instance: Path, environ: Mapping[str, str], ports: Ports, redis_url: str) -> dict[str, str]:
    """Return the settings of this run: those in the environment, and our own for the rest.

    The sandbox and the real services never share a database file: that would send made-up orders to a real
    warehouse. Raises RunError or SettingsError.
    """
    given = {name: environ[name] for name in (f.name.upper() for f in fields(Settings)) if environ.get(name)}
    made = {
        **load_secrets(instance),
        "REDIS_URL": redis_url,
        "PUBLIC_URL": f"http://{HOST}:{ports.web}",
        "MAIL_URL": f"file://{instance / 'mail'}",
        "WEBHOOK_PRIVATE_ADDRESSES": "allow",
    }
    if ports.bigcartel is None:
        if "BIGCARTEL_CLIENT_SECRET" not in given:
            raise RunError(
                "BIGCARTEL_CLIENT_ID is set, but BIGCARTEL_CLIENT_SECRET is not. "
                "Set both, or neither to use the sandbox."
            )
        made["DATABASE_URL"] = f"sqlite:///{instance / 'portal.sqlite3'}"
    else:
        if mixed := [name for name in (*SERVICE_URLS, "BIGCARTEL_CLIENT_SECRET") if name in given]:
            raise RunError(
                f"{mixed[0]} is set, but BIGCARTEL_CLIENT_ID is not. "
                "Set both to use the real service, or neither to use the sandbox."
            )
        bigcartel, fcp = f"http://{HOST}:{ports.bigcartel}", f"http://{HOST}:{ports.fcp}"
        made |= {
            "DATABASE_URL": f"sqlite:///{instance / 'sandbox.sqlite3'}",
            "BIGCARTEL_CLIENT_ID": "sandbox-client",
            "BIGCARTEL_CLIENT_SECRET": "sandbox-secret",
            "BIGCARTEL_AUTHORIZE_URL": f"{bigcartel}/oauth/authorize",
            "BIGCARTEL_TOKEN_URL": f"{bigcartel}/oauth/token",
            "BIGCARTEL_API_URL": f"{bigcartel}/v1",
            "FCP_API_URL": f"{fcp}/xml",
            "POLL_SECONDS": "15",  # short, because someone is watching
            "TRACK_SECONDS": "15",
            "BIGCARTEL_WEBHOOK_SECRETS": "sandbox-secret",
        }
    settings = {**made, **given}
    load_settings(settings)
    return settings


def run(instance: Path, environ: Mapping[str, str]) -> None:
    """Start everything, print the addresses, and supervise until StopRequested or RunError."""
    ports = read_ports(environ)
    own_redis = None if environ.get("REDIS_URL") else redis.prepare(instance / "redis")
    redis_url = own_redis.url if own_redis else environ["REDIS_URL"]
    settings = settings_for(instance, environ, ports, redis_url)
    everything = {**environ, **settings, "PYTHONUNBUFFERED": "1"}
    with Supervisor(folder=ROOT, environ=everything, say=_say) as supervisor:
        if own_redis:
            supervisor.start("redis", own_redis.command, shown=False)
            supervisor.wait_until(lambda: not redis.connection_error(redis_url), what="The Redis server", seconds=20)
        elif reason := redis.connection_error(redis_url):
            raise RunError(f"Can't use the Redis server at REDIS_URL: {reason}")
        _say("Starting the portal. This takes a few seconds ...")
        write_private(instance / "run.env", settings)
        supervisor.run("Preparing the database", [*FLASK, "db", "upgrade"])
        if ports.bigcartel is not None:
            _start_sandbox(supervisor, instance, ports)
            _connect_sandbox_store(supervisor)
        supervisor.start(
            "web",
            [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"{HOST}:{ports.web}",
             "--workers", "2", "--threads", "4", "--graceful-timeout", "10",
             "--log-level", "warning", "--no-control-socket"],
        )  # fmt: skip
        expected = load_settings(settings)
        for name, count in (("worker", expected.workers), ("schedule", expected.schedules), ("watch", 1)):
            for _ in range(count):
                supervisor.start(name, [sys.executable, "-m", f"jobs.{name}"])
        supervisor.wait_until(lambda: _is_healthy(ports.web), what="The portal", seconds=60)
        _say(_welcome(instance, ports))
        try:
            supervisor.watch()
        except StopRequested:
            _say("Stopping ...")
            raise


def _start_sandbox(supervisor: Supervisor, instance: Path, ports: Ports) -> None:
    sandbox = supervisor.start(
        "sandbox",
        [sys.executable, "-m", "sandbox", "--bigcartel-port", str(ports.bigcartel), "--fcp-port",
         str(ports.fcp), "--seed-store", "--state", instance / "sandbox.json", "--ship-after", "20"],
        shown=False,
    )  # fmt: skip
    supervisor.wait_until(lambda: any(line.startswith("{") for line in sandbox.tail), what="The sandbox", seconds=30)


def _connect_sandbox_store(supervisor: Supervisor) -> None:
    """Add the sandbox's store to the portal, as a support person would, unless it is already there."""
    if f"merchant {MERCHANT} " in supervisor.run("Listing the stores", [*FLASK, "stores", "list"]):
        return
    what = "Connecting the sandbox's store"
    supervisor.run(
        what,
        [*FLASK, "merchants", "add", "--merchant-id", MERCHANT, "--name", "Fern & Fable", "--token-stdin"],
        text="sandbox-token",
    )
    supervisor.run(
        what,
        [*FLASK, "merchants", "map", "--merchant-id", MERCHANT, "--domestic", "USPS_MEDIA",
         "--international", "EPGEPACKT"],
    )  # fmt: skip
    supervisor.run(
        what,
        [*FLASK, "stores", "connect", "--merchant-id", MERCHANT, "--account-id", ACCOUNT, "--start", "all",
         "--token-stdin"],
        text="sandbox-access-token",
    )  # fmt: skip
    for email, role in (
        (OWNER, ["--role", "merchant", "--merchant-id", MERCHANT]),
        (SUPPORT, ["--role", "support"]),
    ):
        supervisor.run(what, [*FLASK, "users", "create", email, *role, "--password-stdin"], text=PASSWORD)


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(instance: Path, ports: Ports) -> str:
    places = [("Portal", ports.web)]
    if ports.bigcartel is not None and ports.fcp is not None:
        places += [
            ("Sandbox Big Cartel", ports.bigcartel),
            ("Sandbox warehouse (FCP)", ports.fcp),
        ]
    env_file = instance / "run.env"
    if env_file.is_relative_to(ROOT):
        env_file = env_file.relative_to(ROOT)
    flask = f".venv/bin/flask -e {env_file} --app wsgi"
    return "\n".join([
        "",
        "The portal is running. Open:",
        *(f"  {name:<24} http://{HOST}:{port}/" for name, port in places),
        f"  {'Outgoing email':<24} {instance / 'mail'}",
        *(_accounts() if ports.bigcartel is not None else ()),
        "In a second terminal:",
        f"  {flask} orders list   # the newest orders and their states",
        f"  {flask} sync all      # sync, send orders and check shipments now",
        f"  {flask} doctor        # check the setup",
        "Press Ctrl-C to stop everything. Your data is still here at the next start.",
        "",
    ])  # fmt: skip


def _accounts() -> list[str]:
    return [
        f"Log in with the password {PASSWORD} as:",
        f"  {'Merchant':<24} {OWNER}",
        f"  {'Support':<24} {SUPPORT}",
        "Or sign up with Merchant Id 900, Merchant Name Moss & Mortar, Merchant Token sandbox-token-2.",
    ]


def _say(text: str) -> None:
    """Print without buffering. Stop the run when the terminal or pipe is gone."""
    try:
        print(text, flush=True)  # noqa: T201 - this program talks to the terminal
    except OSError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - stays open for the rest of the run
        signal.raise_signal(signal.SIGTERM)


def main() -> int:
    """Return exit status 0 after Ctrl-C or SIGTERM, or 1 after printing the error on stderr."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--instance", type=Path, default=ROOT / "instance", help="the folder for secrets and data")
    instance: Path = parser.parse_args().instance.resolve()
    try:
        with locked(instance):
            run(instance, os.environ)
    except (StopRequested, KeyboardInterrupt):
        return 0
    except (RunError, PortError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
