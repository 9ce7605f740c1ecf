"""Faults hit only the calls they are planned for, and calls are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from lxml import etree

from sandbox.control_calls import SandboxError
from tests.sandbox.callers import JSON, exchange, fields, get, patch, post, submission, submit_in_background, wait_for

if TYPE_CHECKING:
    from sandbox.client import Sandbox


@pytest.mark.parametrize(
    ("fault", "accepted", "seen"),
    [
        ({"kind": "status", "status": 503, "retry_after": 7}, False, (503, "soon")),
        ({"kind": "status_after"}, True, (500, "soon")),
        ({"kind": "throttle", "retry_after": 3}, False, (429, "")),
        ({"kind": "garbage"}, False, (200, "not a document")),
        ({"kind": "garbage_after"}, True, (200, "not a document")),
        ({"kind": "html", "takes_effect": True}, True, (200, "<!doctype html>")),
        ({"kind": "empty"}, False, (200, "")),
        ({"kind": "entity_bomb"}, False, (200, "<!DOCTYPE bomb")),
        ({"kind": "namespace"}, True, (200, 'xmlns="https://fcp.efulfillmentservice.com/xml/submit"')),
        ({"kind": "duplicate"}, False, (200, "Duplicate order number: AAAA-000001 already exists")),
        ({"kind": "duplicate", "takes_effect": True}, True, (200, "Duplicate order number")),
        ({"kind": "unauthorized"}, False, (200, "Invalid MerchantToken")),
        ({"kind": "unauthorized", "status": 401}, False, (401, "Invalid MerchantToken")),
        ({"kind": "refuse", "words": "Out of <stock>"}, False, (200, "Out of &lt;stock&gt;")),
        ({"kind": "not_found"}, False, (404, "Not Found")),
        ({"kind": "big", "size": 2_000_000}, False, (200, "Success")),
        ({"kind": "latency", "seconds": 0.01}, True, (200, "<Status>Success</Status>")),
        ({"kind": "latency", "seconds": 0.01, "takes_effect": False}, True, (200, "<Status>Success</Status>")),
    ],
)
def test_planned_fault_occurs_once(
    sandbox: Sandbox, fault: dict[str, Any], accepted: bool, seen: tuple[int, str]
) -> None:
    sandbox.fault("submit", **fault)
    answer = post(sandbox, "orders", submission())
    assert answer.status_code == seen[0]
    assert seen[1] in answer.content.decode("utf-8", "replace")
    assert answer.headers.get("Retry-After") == (str(fault["retry_after"]) if "retry_after" in fault else None)
    assert (sandbox.accepted() == {"AAAA-000001": 1}) is accepted
    assert sandbox.faults() == []
    assert fields(post(sandbox, "orders", submission("BBBB-000002")))["Status"] == "Success"


@pytest.mark.parametrize(("kind", "accepted"), [("reset_before", False), ("reset_after", True), ("cut_after", True)])
def test_broken_connection_hides_whether_the_order_was_accepted(sandbox: Sandbox, kind: str, accepted: bool) -> None:
    sandbox.fault("submit", kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(sandbox, "orders", submission())
    assert (sandbox.accepted() == {"AAAA-000001": 1}) is accepted


def test_truncated_answer_arrives_over_an_intact_connection(sandbox: Sandbox) -> None:
    sandbox.fault("submit", "truncate")
    answer = post(sandbox, "orders", submission())
    assert answer.status_code == 200
    with pytest.raises(etree.XMLSyntaxError):
        fields(answer)
    assert sandbox.accepted() == {"AAAA-000001": 1}


def test_faults_match_by_merchant_account_and_order(sandbox: Sandbox) -> None:
    sandbox.put_merchant("817", token="merchant-token")
    sandbox.fault("submit", "not_found", merchant="817", times=None)
    sandbox.fault("submit", "throttle", order="BBBB-000002")
    sandbox.fault("orders", "html", account="1000001", skip=1)
    assert post(sandbox, "orders", submission("AAAA-000001")).status_code == 200
    assert post(sandbox, "orders", submission("BBBB-000002")).status_code == 429
    assert post(sandbox, "orders", submission("BBBB-000002")).status_code == 200
    assert [post(sandbox, "orders", submission(MerchantId="817")).status_code for _ in range(3)] == [404] * 3
    assert get(sandbox, "accounts/1000001/orders").headers["Content-Type"].startswith(JSON)
    assert get(sandbox, "accounts/1000001/orders").headers["Content-Type"] == "text/html"
    assert get(sandbox, "accounts/1000001/orders").headers["Content-Type"].startswith(JSON)


@pytest.mark.parametrize(
    ("on", "kind", "status"),
    [
        ("orders", "unauthorized", 401),
        ("order", "not_found", 404),
        ("patch", "refuse", 402),
        ("product", "throttle", 429),
        ("token", "status", 500),
    ],
)
def test_big_cartel_answers_with_planned_faults(sandbox: Sandbox, on: str, kind: str, status: int) -> None:
    sandbox.put_product("101", name="Mug", description="SKU:MUG-01")
    number = sandbox.place_order()
    sandbox.fault(on, kind)
    answers = {
        "orders": lambda: get(sandbox, "accounts/1000001/orders"),
        "order": lambda: get(sandbox, f"accounts/1000001/orders/{number}"),
        "patch": lambda: patch(sandbox, number, {"shipping_status": "shipped"}),
        "product": lambda: get(sandbox, "accounts/1000001/products/101"),
        "token": lambda: exchange(sandbox, "x"),
    }
    assert answers[on]().status_code == status
    assert sandbox.shipping_statuses() == {number: "unshipped"}


def test_invalid_fault_is_rejected(sandbox: Sandbox) -> None:
    for on, kind, details in (
        ("submit", "explode", {}),
        ("submit", "reset_before", {"takes_effect": True}),
        ("submit", "latency", {"minutes": 3}),
    ):
        with pytest.raises(SandboxError):
            sandbox.fault(on, kind, **details)
    with pytest.raises(SandboxError):
        sandbox.fault("orders", "latency", side="fcp")


def test_hanging_request_takes_effect_and_is_listed_until_released(sandbox: Sandbox) -> None:
    sandbox.fault("submit", "hang")
    thread = submit_in_background(sandbox, 10)
    held = sandbox.wait_until_waiting(1)
    assert (held[0]["call"], held[0]["party"], held[0]["orders"]) == ("submit", "816", ["AAAA-000001"])
    assert sandbox.accepted() == {"AAAA-000001": 1}
    sandbox.release()
    thread.join(5)
    assert not thread.is_alive()
    assert sandbox.waiting() == []


@pytest.mark.parametrize(("takes_effect", "accepted"), [(True, {"AAAA-000001": 1}), (False, {})])
def test_held_request_ends_when_its_client_disconnects(
    sandbox: Sandbox, takes_effect: bool, accepted: dict[str, int]
) -> None:
    sandbox.fault("submit", "latency", seconds=30, takes_effect=takes_effect)
    thread = submit_in_background(sandbox, 0.3)
    sandbox.wait_until_waiting(1)
    thread.join(5)
    wait_for(lambda: sandbox.waiting() == [])
    assert sandbox.accepted() == accepted


def test_waiting_for_a_request_that_never_arrives_raises(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="Only 0 of 1 requests were held"):
        sandbox.wait_until_waiting(1, seconds=0.05)


def test_calls_are_counted_by_path_and_party(sandbox: Sandbox) -> None:
    sandbox.clear_calls()
    number = sandbox.place_order()
    get(sandbox, "accounts/1000001/orders", sort="updated_at")
    get(sandbox, f"accounts/1000001/orders/{number}")
    post(sandbox, "orders", submission())
    post(sandbox, "orders", submission(MerchantId="900"))
    assert sandbox.calls() == {
        "GET /v1/accounts/{account}/orders": 1,
        "GET /v1/accounts/{account}/orders/{order}": 1,
        "POST /xml/orders/": 2,
    }
    assert sandbox.calls("fcp", party="900") == {"POST /xml/orders/": 1}
    assert sandbox.requests("bigcartel")[0]["target"] == "/v1/accounts/1000001/orders?sort=updated_at"
    sandbox.clear_calls()
    assert sandbox.calls() == {}
