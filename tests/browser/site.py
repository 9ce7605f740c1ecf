"""The whole portal, running against the sandbox, and the steps that people take through its pages."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from embedded import redis
from embedded.process import launch
from sandbox.client import Sandbox, running_sandbox
from tests.clients.raw_server import free_port
from tests.conftest import ROOT, TOKEN_KEY, migrated
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
PASSWORD = "correct horse battery"
OWNER, SUPPORT = "owner@fern.example", "support@warehouse.example"


@dataclass(frozen=True, slots=True)
class Site:
    """A running portal and the sandbox behind it."""

    url: str
    sandbox: Sandbox
    environ: dict[str, str]

    def flask(self, *arguments: str, text: str = "") -> None:
        """Run a portal command, as an operator would."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environ, input=text, text=True, check=True, capture_output=True)


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Run a portal and a sandbox with two stores whose merchants haven't signed up."""
    port = free_port()
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(seed_store=True, ship_after=1))
        environ = {
            "PATH": "/usr/bin:/bin",
            "SECRET_KEY": "only-for-tests-0123456789-abcdefghij",
            "TOKEN_KEYS": TOKEN_KEY,
            "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
            "REDIS_URL": stack.enter_context(redis.start(folder / "redis")),
            "BIGCARTEL_CLIENT_ID": "sandbox-client",
            "BIGCARTEL_CLIENT_SECRET": "sandbox-secret",
            "BIGCARTEL_AUTHORIZE_URL": sandbox.authorize_url,
            "BIGCARTEL_TOKEN_URL": sandbox.token_url,
            "BIGCARTEL_API_URL": sandbox.bigcartel_api_url,
            "FCP_API_URL": sandbox.fcp_api_url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MAIL_URL": f"file://{folder / 'mail'}",
            "POLL_SECONDS": "2",
            "TRACK_SECONDS": "2",
        }
        migrated(environ["DATABASE_URL"])
        log = stack.enter_context((folder / "log").open("wb"))
        for command in (
            ["-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket"],
            ["-m", "jobs.worker"],
            ["-m", "jobs.schedule"],
        ):
            process = launch([sys.executable, *command], output=log, folder=ROOT, environ=environ)
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGTERM)
        eventually(lambda: _is_up(f"http://127.0.0.1:{port}/healthz"), "the portal answers", seconds=60)
        yield Site(f"http://127.0.0.1:{port}", sandbox, environ)


def go_live(site: Site) -> None:
    """Add merchant 816 with its live store, an owner and a support account, and wait for some complete orders."""
    merchant = ("--merchant-id", "816")
    site.flask("merchants", "add", *merchant, "--name", "Fern & Fable", "--token-stdin", text="sandbox-token")
    site.flask("merchants", "map", *merchant, "--domestic", "USPS_MEDIA", "--international", "EPGEPACKT")
    connect = ("stores", "connect", *merchant, "--account-id", "1000001", "--start", "all", "--token-stdin")
    site.flask(*connect, text="sandbox-access-token")
    site.flask("users", "create", OWNER, "--role", "merchant", *merchant, "--password-stdin", text=PASSWORD)
    site.flask("users", "create", SUPPORT, "--role", "support", "--password-stdin", text=PASSWORD)
    eventually(lambda: len(site.sandbox.patches()) > 5, "some orders are complete", seconds=60)


def _is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def sign_up(page: Page, site: Site, *, email: str, merchant_id: str, name: str, token: str) -> None:
    """Create an account, starting at the front page."""
    page.goto(site.url)
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Merchant Id").fill(merchant_id)
    page.get_by_label("Merchant Name").fill(name)
    page.get_by_label("Merchant Token").fill(token)
    page.get_by_role("button", name="sign up").click()


def connect_store(page: Page, site: Site, account: str) -> None:
    """Connect a store through Big Cartel's consent page."""
    page.goto(f"{site.url}/BigCartel/")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_label("Store").select_option(account)
    page.get_by_role("button", name="Allow").click()


def log_in(page: Page, site: Site, email: str) -> None:
    page.goto(f"{site.url}/log-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page, one line each. The page's CSP stays in force."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url}: {one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def is_wider_than_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
