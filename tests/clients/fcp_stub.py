"""Canned FCP answers, and the request that was sent."""

from __future__ import annotations

import responses

API = "https://fcp.efulfillmentservice.com/xml"
TOKEN = "tok3n<&>of-the-merchant"


def sent() -> bytes:
    body = responses.calls[0].request.body
    assert isinstance(body, bytes)
    return body


def answered(body: str, *, path: str = "orders", status: int = 200) -> None:
    responses.add("POST", f"{API}/{path}/", body=body, status=status, content_type="text/xml")


def failed(words: str, *, path: str = "orders", status: int = 200) -> None:
    answered(
        f"<OrderSubmitResponse><Status>Failure</Status><Error>{words}</Error></OrderSubmitResponse>",
        path=path,
        status=status,
    )


SUCCESS = (
    "<OrderSubmitResponse><Status>Success</Status><OrderId>901234</OrderId>"
    "<OrderNumber>LMFN-543196</OrderNumber><OrderStatus>Pending</OrderStatus></OrderSubmitResponse>"
)
