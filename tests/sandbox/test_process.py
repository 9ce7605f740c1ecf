"""The seeded stores and the sandbox process: start, state file and stop."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from lxml import html

from sandbox.client import ROOT, Sandbox, running_sandbox
from tests.sandbox.callers import HEADERS, TIMEOUT, fields, post, submission, submit_in_background, wait_for

if TYPE_CHECKING:
    from pathlib import Path


def test_seeded_stores_are_realistic_and_their_pages_work() -> None:
    with running_sandbox(seed_store=True) as sandbox:
        orders = sandbox.orders("1000001")
        assert 38 <= len(orders) <= 45
        assert sum(order["payment_status"] == "unpaid" for order in orders.values()) == 2
        assert sum(order["payment_status"] == "pending" for order in orders.values()) == 1
        assert sum(order["shipping_status"] == "shipped" for order in orders.values()) == 1
        headers = {**HEADERS, "Authorization": "Bearer sandbox-access-token"}
        page = requests.get(
            f"{sandbox.bigcartel_api_url}/accounts/1000001/orders?page[limit]=100", headers=headers, timeout=TIMEOUT
        ).json()
        countries = {order["attributes"]["shipping_country_id"] for order in page["data"]}
        assert {"US", "PR", "GB", "DE", "CA", "AU", "JP"} <= countries

        body = html.fromstring(requests.get(f"{sandbox.bigcartel}/", timeout=TIMEOUT).content)
        assert body.findtext(".//h1") == "Fern & Fable"
        assert f"{len(orders)}orders" in body.find_class("totals")[0].text_content()
        assert len(body.xpath("//table")[0].xpath(".//tbody/tr")) == len(orders)
        place = next(form for form in body.forms if form.action == "/_page/place")
        requests.post(f"{sandbox.bigcartel}/_page/place", data=dict(place.form_values()), timeout=TIMEOUT)
        assert len(sandbox.orders("1000001")) == len(orders) + 1

        new = {"account": "1000001", "product": "107", "description": "Signed <b>print</b>. SKU:PRINT-WILD"}
        products = requests.post(f"{sandbox.bigcartel}/_page/describe", data=new, timeout=TIMEOUT)
        assert "Signed &lt;b&gt;print" in products.text
        number = next(iter(orders))
        form = {"account": "1000001", "number": number}
        requests.post(f"{sandbox.bigcartel}/_page/ship", data=form, timeout=TIMEOUT)
        assert sandbox.shipping_statuses()[number] == "shipped"

        known = submission(MerchantName="Fern &amp; Fable", MerchantToken="sandbox-token", Sku="SHIRT-X-LARGE")
        assert fields(post(sandbox, "orders", known))["Status"] == "Success"
        unknown = known.replace(b"SHIRT-X-LARGE", b"GUIDE-1").replace(b"AAAA", b"BBBB")
        assert fields(post(sandbox, "orders", unknown))["Error"] == "Invalid SKU: GUIDE-1"
        warehouse = html.fromstring(requests.get(f"{sandbox.fcp}/", timeout=TIMEOUT).content)
        assert "1orders accepted" in warehouse.find_class("totals")[0].text_content()
        form = {"merchant": "816", "number": "AAAA-000001"}
        shown = requests.post(f"{sandbox.fcp}/_page/ship", data=form, timeout=TIMEOUT)
        assert "Completed" in shown.text
        assert sandbox.received()["AAAA-000001"]["status"] == "Completed"


# The process


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> Sandbox:
    assert process.stdout is not None
    return Sandbox(**json.loads(process.stdout.readline()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_restart_continues_from_the_saved_state(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "deep" / "sandbox.json"
    with start("--seed-shop", "--state", str(state)) as process:
        sandbox = ready(process)
        placed, unlisted = sandbox.place_order(), sandbox.place_order()
        sandbox.cancel_order(unlisted, unlisted=True)
        sandbox.patch_product("107", description="SKU:PRINT-WILD")
        post(
            sandbox, "orders", submission(MerchantName="Fern &amp; Fable", MerchantToken="sandbox-token", Sku="CARD-12")
        )
        sandbox.ship_all()
        before = sandbox.orders()
        process.send_signal(number)
        assert process.wait(10) == 0
    with running_sandbox(seed_store=True, state=state) as again:
        assert again.orders() == before
        assert placed in before
        again.relist_order(unlisted)
        assert again.received()["AAAA-000001"]["status"] == "Completed"
        assert again.received()["AAAA-000001"]["items"] == [{"sku": "CARD-12", "quantity": 2}]
    assert [path.name for path in state.parent.iterdir()] == ["sandbox.json"]


def test_changes_are_saved_while_the_sandbox_runs(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    with running_sandbox(state=state) as sandbox:
        sandbox.put_account("77")
        wait_for(lambda: state.exists() and '"77"' in state.read_text())


def test_sandbox_stops_with_its_parent_even_while_a_request_hangs() -> None:
    with start("--stop-with-stdin") as process:
        sandbox = ready(process)
        sandbox.put_merchant("816", token="merchant-token")
        sandbox.fault("submit", "hang")
        thread = submit_in_background(sandbox, 10)
        sandbox.wait_until_waiting(1)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        thread.join(10)


def test_port_in_use_and_invalid_state_file_each_print_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with start("--fcp-port", port) as process:
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 1
        assert len(errors.splitlines()) == 1
        assert port in errors
    broken = tmp_path / "state.json"
    broken.write_text("{")
    with start("--state", str(broken)) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == f"{broken} is not a valid sandbox state file. Delete it.\n"
