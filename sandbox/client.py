"""Start and control the sandbox from tests and benchmarks."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from sandbox.control_calls import ControlCalls, SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.control_calls import Side

ROOT = Path(__file__).resolve().parent.parent


class Sandbox(ControlCalls):
    """Client for the control APIs of both servers. Every method raises SandboxError when a server rejects a call."""

    # Accounts, apps and merchants

    def put_account(
        self,
        account: str = "1000001",
        *,
        name: str = "Example Shop",
        tokens: Sequence[str] = ("shop-token",),
        time_zone: str | None = "Eastern Time (US & Canada)",
    ) -> None:
        """Create or update a Big Cartel account. With empty `tokens`, it rejects every access token."""
        self._bigcartel("PUT", f"accounts/{account}", {"name": name, "tokens": list(tokens), "time_zone": time_zone})

    def put_client(
        self,
        client_id: str,
        *,
        secret: str,
        redirect_uris: Sequence[str] = (),
        code_seconds: float = 600,
    ) -> None:
        """Create or update an OAuth app."""
        body = {"secret": secret, "redirect_uris": list(redirect_uris), "code_seconds": code_seconds}
        self._bigcartel("PUT", f"clients/{client_id}", body)

    def put_merchant(
        self,
        merchant: str = "816",
        *,
        name: str = "Example Shop",
        token: str = "merchant-token",  # noqa: S107 - made up
        skus: Sequence[str] | None = None,
        methods: Sequence[str] | None = None,
        accepts_duplicates: bool = False,
    ) -> None:
        """Create or update an FCP merchant; its orders stay. None for `skus` or `methods` accepts any value.

        With `accepts_duplicates`, it accepts a number that it already has again, as another order.
        """
        body = {
            "name": name,
            "token": token,
            "skus": skus,
            "methods": methods,
            "accepts_duplicates": accepts_duplicates,
        }
        self._fcp("PUT", f"merchants/{merchant}", body)

    def reset(self) -> None:
        """Empty both servers: accounts, merchants, orders, counts and faults."""
        self._bigcartel("POST", "reset", {})
        self._fcp("POST", "reset", {})

    # Big Cartel

    def place_orders(
        self,
        orders: Sequence[Mapping[str, Any]] = (),
        *,
        count: int = 0,
        template: Mapping[str, Any] | None = None,
        abroad: bool = False,
        account: str | None = None,
    ) -> list[str]:
        """Place the given orders plus `count` realistic ones, and return their numbers.

        Realistic orders use the products whose description has a SKU; `template` overrides their fields. All
        ship to the US, or with `abroad` every fifth to another country. See `sandbox.documents.place` for the
        fields of an order.
        """
        body = {
            "orders": list(orders),
            "count": count,
            "template": template or {},
            "abroad": abroad,
            "account": account,
        }
        return cast("list[str]", self._bigcartel("POST", "orders", body)["numbers"])

    def place_order(self, *, account: str | None = None, **fields: Any) -> str:
        return self.place_orders([fields], account=account)[0]

    def orders(self, account: str | None = None) -> dict[str, dict[str, Any]]:
        """Return shipping_status, payment_status, updated_at, patches and account of each order, by order number."""
        answer = self._bigcartel("GET", "orders", account=account)
        return {order["number"]: order for order in answer["orders"]}

    def shipping_statuses(self, account: str | None = None) -> dict[str, str]:
        return {number: order["shipping_status"] for number, order in self.orders(account).items()}

    def edit_order(self, number: str, *, account: str | None = None, touch: bool = True, **attributes: Any) -> None:
        """Set attributes of an order as the API returns it; `touch=False` keeps updated_at."""
        body = {"attributes": attributes, "touch": touch, "account": account}
        self._bigcartel("PATCH", f"orders/{number}", body)

    def ship_at_bigcartel(self, number: str, *, account: str | None = None) -> None:
        """Mark an order as shipped, as the merchant would in Big Cartel."""
        self._bigcartel("POST", f"orders/{number}/ship", {"account": account})

    def cancel_order(
        self, number: str, *, account: str | None = None, gone: bool = False, unlisted: bool = False
    ) -> None:
        """Cancel an order in Big Cartel: its shipping status becomes `cancelled`.

        With `gone`, it is deleted; with `unlisted`, it only leaves the list of unshipped orders.
        """
        body = {"account": account, "gone": gone, "unlisted": unlisted}
        self._bigcartel("POST", f"orders/{number}/cancel", body)

    def relist_order(self, number: str, *, account: str | None = None) -> None:
        """Have the list of unshipped orders name an order again that was canceled with `unlisted`."""
        self._bigcartel("POST", f"orders/{number}/relist", {"account": account})

    def put_product(
        self,
        product: str,
        *,
        name: str,
        description: str,
        options: Sequence[str | Mapping[str, Any]] = (),
        account: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Create or replace a product and return its document. Without `options`, it has a single one named Default."""
        body = {
            "name": name,
            "description": description,
            "options": list(options),
            "account": account,
            **more,
        }
        return self._bigcartel("PUT", f"products/{product}", body)

    def patch_product(self, product: str, *, account: str | None = None, **attributes: Any) -> None:
        self._bigcartel("PATCH", f"products/{product}", {**attributes, "account": account})

    def delete_product(self, product: str, *, account: str | None = None) -> None:
        self._bigcartel("DELETE", f"products/{product}", {"account": account})

    def patches(self, account: str | None = None) -> dict[str, int]:
        """Return how many PATCH requests each order received, leaving out orders with none."""
        return cast("dict[str, int]", self._bigcartel("GET", "patches", account=account)["patches"])

    # The warehouse

    def received(self, merchant: str | None = None) -> dict[str, dict[str, Any]]:
        """Return every order posted or tested, by order number.

        Each has posted, accepted, tested, status, shipping_method, address, items (sku, quantity), order_id,
        ship_date, carrier and tracking. For a rejected order, accepted is 0.
        """
        answer = self._fcp("GET", "received", merchant=merchant)
        return {order["number"]: order for order in answer["orders"]}

    def accepted(self, merchant: str | None = None) -> dict[str, int]:
        """Return how many times each order was accepted."""
        return {number: order["accepted"] for number, order in self.received(merchant).items() if order["accepted"]}

    def posted(self, merchant: str | None = None) -> dict[str, int]:
        """Return how many times each order was posted, excluding TEST orders but counting rejections and duplicates."""
        return {number: order["posted"] for number, order in self.received(merchant).items() if order["posted"]}

    def ship(
        self, orders: Sequence[str] | Literal["all"] = "all", *, merchant: str | None = None, **details: Any
    ) -> list[str]:
        """Ship orders at the warehouse and return their numbers.

        `details` may set status, ship_date, carrier, tracking (a list) and joined (send all tracking numbers in one
        element, separated by `;`).
        """
        body = {"orders": orders if orders == "all" else list(orders), "merchant": merchant, **details}
        return cast("list[str]", self._fcp("POST", "ship", body)["shipped"])

    def ship_all(self, merchant: str | None = None) -> list[str]:
        return self.ship("all", merchant=merchant)

    def set_status(self, number: str, status: str, *, merchant: str | None = None, **details: Any) -> None:
        """Set the warehouse's status of an order (On Hold, Back Order, Cancelled or any other text).

        `details` as in `ship`, or `parts`: a list with the `status`, `tracking` and so on of each part of the order.
        """
        self._fcp("PATCH", f"orders/{number}", {"status": status, "merchant": merchant, **details})

    def forget(self, number: str, *, merchant: str | None = None) -> None:
        """Make the warehouse lose an order: the status call no longer finds it and its number is free. Counts stay."""
        self._fcp("DELETE", f"orders/{number}", {"merchant": merchant})

    # Both

    def fault(self, on: str, kind: str, *, side: Side | None = None, **details: Any) -> None:
        """Plan a fault.

        `on` is the call it applies to: submit, status, inventory, orders, order, patch, products, product,
        account, countries, token or any (both servers, unless `side` names one). `details` may set times
        (default 1; None until cleared), skip, order, merchant, account, seconds, status, retry_after, words,
        size, body, content_type and takes_effect.
        """
        body = {"on": on, "kind": kind, **details}
        for one in self._sides(on, side):
            self._call(one, "POST", "faults", body)

    def faults(self) -> list[dict[str, Any]]:
        """Return the planned faults that are not used up."""
        return [fault for side in self._sides("any", None) for fault in self._call(side, "GET", "faults")["faults"]]

    def clear_faults(self) -> None:
        """Clear every fault and release the requests held by one."""
        for side in self._sides("any", None):
            self._call(side, "DELETE", "faults")

    def calls(self, side: Side | None = None, party: str | None = None) -> dict[str, int]:
        """Return request counts by `METHOD /path/{parameter}`. `party` is an account ID or a merchant ID."""
        total: dict[str, int] = {}
        for one in self._sides("any", side):
            total.update(self._call(one, "GET", "calls", party=party)["calls"])
        return total

    def clear_calls(self) -> None:
        for side in self._sides("any", None):
            self._call(side, "DELETE", "calls")

    def requests(self, side: Side) -> list[dict[str, Any]]:
        """Return the most recent requests: at, party, family and target (path and query)."""
        return cast("list[dict[str, Any]]", self._call(side, "GET", "requests")["requests"])

    def waiting(self, side: Side | None = None) -> list[dict[str, Any]]:
        """Return the requests held by a latency or hang fault: call, party, orders, kind and seconds."""
        return [held for one in self._sides("any", side) for held in self._call(one, "GET", "waiting")["waiting"]]

    def wait_until_waiting(self, number: int = 1, *, side: Side = "fcp", seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until `number` requests are held and return them. Raises SandboxError on timeout."""
        answer = self._call(side, "GET", "waiting", at_least=str(number), seconds=str(seconds))
        held = cast("list[dict[str, Any]]", answer["waiting"])
        if len(held) < number:
            raise SandboxError(f"Only {len(held)} of {number} requests were held within {seconds} seconds.")
        return held

    def release(self) -> None:
        """Release the requests held now; planned faults stay."""
        for side in self._sides("any", None):
            self._call(side, "POST", "release")


@contextmanager
def running_sandbox(
    *,
    address: str = "127.0.0.1",
    bigcartel_port: int = 0,
    fcp_port: int = 0,
    seed_store: bool = False,
    state: Path | None = None,
    ship_after: float | None = None,
    certificate: Path | None = None,
    seconds: float = 20,
) -> Iterator[Sandbox]:
    """Start the sandbox in a child process and stop it on exit. It also stops when this process dies.

    With the file of a key and its certificate, it speaks TLS.
    """
    command = [sys.executable, "-m", "sandbox", "--stop-with-stdin"]
    command += ["--address", address, "--bigcartel-port", str(bigcartel_port), "--fcp-port", str(fcp_port)]
    command += ["--seed-store"] if seed_store else []
    command += ["--state", str(state)] if state is not None else []
    command += ["--ship-after", str(ship_after)] if ship_after is not None else []
    command += ["--certificate", str(certificate)] if certificate is not None else []
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            sandbox = Sandbox(**_ready(process, seconds), certificate=certificate)
            try:
                yield sandbox
            finally:
                sandbox.close()
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(process: subprocess.Popen[str], seconds: float) -> dict[str, str]:
    if process.stdout is None:
        raise SandboxError("The sandbox process has no standard output to read.")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
        if not readable:
            break
        line = process.stdout.readline()
        if not line:
            raise SandboxError(f"The sandbox exited with status {process.wait()} before it was ready.")
        if line.startswith("{"):
            return cast("dict[str, str]", json.loads(line))
    raise SandboxError(f"The sandbox was not ready within {seconds} seconds.")
