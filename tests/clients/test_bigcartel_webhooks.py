"""Only what Big Cartel signed is believed."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.bigcartel_webhooks import MalformedError, StoreEvent, is_genuine, read_event

SECRETS = ("the new secret", "the old secret")


def signed(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@given(st.binary(max_size=300), st.sampled_from(SECRETS))
def test_either_secret_signs(body: bytes, secret: str) -> None:
    assert is_genuine(body, signed(body, secret), SECRETS)


@given(st.binary(min_size=1, max_size=300), st.data())
def test_any_changed_byte_is_refused(body: bytes, data: st.DataObject) -> None:
    at, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    changed = body[:at] + bytes([body[at] ^ flip]) + body[at + 1 :]
    assert not is_genuine(changed, signed(body, SECRETS[0]), SECRETS)


@given(st.text(max_size=80))
def test_any_other_signature_is_refused(signature: str) -> None:
    body = b'{"type": "order.created"}'
    assert is_genuine(body, signature, SECRETS) == (signature in {signed(body, secret) for secret in SECRETS})


def test_a_signature_in_capitals_or_with_a_changed_digit_is_refused() -> None:
    right = signed(b"body", SECRETS[0])
    wrong = [right.upper(), f" {right}", right[:-1], right[:-1] + ("0" if right[-1] != "0" else "1"), ""]
    assert not any(is_genuine(b"body", signature, SECRETS) for signature in wrong)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{}", b'{"type": 1}', b"[" * 100_000]
)
def test_what_is_no_event_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        read_event(body)


@given(st.binary(max_size=200))
def test_any_body_is_an_event_or_malformed(body: bytes) -> None:
    try:
        read_event(body)
    except MalformedError:
        return


@pytest.mark.parametrize(
    ("given_id", "read"), [("12345", "12345"), (12345, "12345"), (None, ""), ("a\0", ""), ({}, "")]
)
def test_an_account_is_an_id_or_none(given_id: object, read: str) -> None:
    body = json.dumps({"account_id": given_id, "type": "order.created", "payload": {}}).encode()
    assert read_event(body) == StoreEvent(read, "order.created")


@pytest.mark.parametrize(
    ("kind", "is_for_a_poll"),
    [("order.created", True), ("order.updated", True), ("account.deauthorized", True),
     ("account.closed", True), ("product.updated", False),
     ("account.updated", False), ("ordering", False), ("", False)],
)  # fmt: skip
def test_a_poll_follows_what_it_would_find(kind: str, is_for_a_poll: bool) -> None:
    assert StoreEvent("1", kind).is_about_orders_or_access is is_for_a_poll
